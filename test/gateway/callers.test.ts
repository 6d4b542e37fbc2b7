import { type ApiKey, apiKeys, createApiKey, hashApiKey, memorySpendStore } from 'outcrop/gateway'
import { describe, expect, test } from 'vitest'
import { manualClock } from '../anthropic/support.ts'
import { body, connect, key, params } from './support.ts'

const sha256 = 'ab'.repeat(32)

describe('keys', () => {
  test('are 256 random bits in base64url', async () => {
    const keys = Array.from({ length: 50 }, createApiKey)
    for (const each of keys) expect(each).toMatch(/^outcrop-[\w-]{43}$/)
    expect(new Set(keys).size).toBe(50)
    // Each of the bits that a character of base64 has is used.
    expect(new Set(keys.join('').replaceAll('outcrop-', '')).size).toBe(64)
  })

  test('match a stored hash in upper or lower case', async () => {
    const own = createApiKey()
    const hash = await hashApiKey(own)
    expect(hash).toMatch(/^[\da-f]{64}$/)
    for (const stored of [hash, hash.toUpperCase()]) {
      const { call } = await connect({
        authenticate: apiKeys([
          { id: 'other', sha256 },
          { id: 'alice', sha256: stored },
        ]),
      })
      expect((await call('/v1/models', { headers: { 'x-api-key': own } })).status).toBe(200)
      expect((await call('/v1/models', { headers: { 'x-api-key': `${own}x` } })).status).toBe(401)
    }
  })

  const longest = 'k'.repeat(1024)
  test.each<[string, Record<string, string>, string | undefined]>([
    ['x-api-key', { 'x-api-key': key }, 'alice'],
    ['x-api-key of 1,024 characters', { 'x-api-key': longest }, 'bob'],
    ['a token', { authorization: `Bearer ${key}` }, 'alice'],
    ['a token after more spaces', { authorization: `bearer   ${key}` }, 'alice'],
    ['two words after the scheme', { authorization: `Bearer ${key} ${key}` }, undefined],
    ['something before the scheme', { authorization: `x Bearer ${key}` }, undefined],
    ['another scheme', { authorization: `Basic ${key}` }, undefined],
    ['no scheme', { authorization: key }, undefined],
    ['x-api-key of 1,025 characters', { 'x-api-key': `${longest}k` }, undefined],
    ['nothing', {}, undefined],
  ])('are read from two headers: %s', async (_, headers, id) => {
    const authenticate = apiKeys([
      { id: 'alice', sha256: await hashApiKey(key) },
      { id: 'bob', sha256: await hashApiKey(longest) },
      { id: 'mallory', sha256: await hashApiKey(`${longest}k`) },
      { id: 'nobody', sha256: await hashApiKey('') },
      { id: 'undefined', sha256: await hashApiKey('undefined') },
    ])
    const caller = await authenticate(new Request('http://gateway.example/', { headers }))
    expect(caller?.id).toBe(id)
    expect(Object.keys(caller ?? {})).not.toContain('sha256')
  })

  test.each<[unknown, string]>([
    [{ id: 'alice', sha256 }, 'keys must be a list of keys'],
    [[{ id: 'alice', sha256: 'ab' }], 'keys[0].sha256 must be 64 hexadecimal digits'],
    [[{ id: 'alice', sha256: `${sha256}ab` }], 'keys[0].sha256 must be 64 hexadecimal digits'],
    [[{ id: 'alice', sha256: `x${sha256}` }], 'keys[0].sha256 must be 64 hexadecimal digits'],
    [[{ id: 'alice' }], 'keys[0].sha256 must be 64 hexadecimal digits'],
    [[null], 'keys[0].id must be'],
    [
      [
        { id: 'alice', sha256 },
        { id: 'alice', sha256: 'cd'.repeat(32) },
      ],
      'keys[1] has the same id or hash as another key',
    ],
    [
      [
        { id: 'alice', sha256 },
        { id: 'bob', sha256: sha256.toUpperCase() },
      ],
      'keys[1] has the same id or hash as another key',
    ],
  ])('%j are refused', (keys, message) => {
    expect(() => apiKeys(keys as never)).toThrow(message)
  })
})

describe('a caller', () => {
  const check = (caller: object) => () => apiKeys([{ id: 'alice', sha256, ...caller } as ApiKey])

  test.each([
    { id: 'a' },
    { id: 'Zoë of team 7' },
    { id: 'a'.repeat(100) },
    { models: [] },
    { models: ['sonnet', 'claude-opus-4-5'] },
    { limits: {} },
    { limits: { tokensPerMinute: 1 } },
    { limits: { spendPerDay: 0.01 } },
    { guardrail: { identifier: 'gr1abc2def3g', version: 'DRAFT', trace: 'enabled' } },
    { metadata: {} },
    { metadata: { team: '' } },
    { operator: false },
  ])('may be %j', (caller) => {
    expect(check(caller)).not.toThrow()
  })

  test.each<[object, string]>([
    [{ id: '' }, 'keys[0].id must be 1 to 100 printable characters without spaces around them'],
    [{ id: 'a'.repeat(101) }, 'keys[0].id must be'],
    [{ id: ' a' }, 'keys[0].id must be'],
    [{ id: 'a ' }, 'keys[0].id must be'],
    [{ id: ' ' }, 'keys[0].id must be'],
    [{ id: 'a\nb' }, 'keys[0].id must be'],
    [{ id: 'a\u2028b' }, 'keys[0].id must be'],
    [{ id: 'a\u202eb' }, 'keys[0].id must be'],
    [{ id: 7 }, 'keys[0].id must be'],
    [{ models: 'sonnet' }, 'keys[0].models must be a list of names'],
    [{ models: ['sonnet', ''] }, 'keys[0].models must be a list of names'],
    [{ models: [7] }, 'keys[0].models must be a list of names'],
    [{ limits: null }, 'keys[0].limits must be an object'],
    [{ limits: { tokens: 5 } }, 'Unknown option "keys[0].limits.tokens"'],
    [{ limits: { tokensPerMinute: 0.5 } }, 'keys[0].limits.tokensPerMinute must be a number, 1 or more'],
    [{ limits: { tokensPerMinute: Number.POSITIVE_INFINITY } }, 'keys[0].limits.tokensPerMinute must be'],
    [{ limits: { tokensPerMinute: '5' } }, 'keys[0].limits.tokensPerMinute must be'],
    [{ limits: { spendPerDay: 0 } }, 'keys[0].limits.spendPerDay must be a number, more than 0'],
    [{ limits: { spendPerDay: -1 } }, 'keys[0].limits.spendPerDay must be'],
    [{ guardrail: { identifier: 'gr1' } }, 'the version is missing'],
    [{ guardrail: { identifier: 'gr1', version: 1, guardInput: false } }, 'keys[0].guardrail.guardInput'],
    [{ metadata: ['a'] }, 'keys[0].metadata must be an object of strings'],
    [{ metadata: null }, 'keys[0].metadata must be an object of strings'],
    [{ metadata: 'a' }, 'keys[0].metadata must be an object of strings'],
    [{ metadata: { team: 7 } }, 'keys[0].metadata must be an object of strings'],
    [{ operator: 'yes' }, 'keys[0].operator must be true or false'],
    [{ opreator: true }, 'Unknown option "keys[0].opreator"'],
  ])('may not be %j', (caller, message) => {
    expect(check(caller)).toThrow(message)
  })
})

describe('headers for a caller', () => {
  const guardrail = { identifier: 'gr1abc2def3g', version: 1 }
  const guardrails = { guardrails: [{ identifier: 'gr1abc2def3g', versions: ['1'], blockedWords: ['never'] }] }
  const metadata = 'x-amzn-bedrock-request-metadata'

  test.each([
    [undefined, 'DISABLED'],
    ['enabled_full', 'ENABLED_FULL'],
  ] as const)("have the guardrail's trace, not the request's: %s", async (trace, sent) => {
    const { call, fake } = await connect({ caller: { guardrail: { ...guardrail, trace } }, fake: guardrails })
    const headers = { 'x-amzn-bedrock-trace': 'ENABLED', 'x-amzn-bedrock-guardrailidentifier': guardrail.identifier }
    expect((await call('/model/sonnet/invoke', { json: body, headers })).status).toBe(200)
    expect(fake.calls[0]?.headers['x-amzn-bedrock-trace']).toBe(sent)
  })

  test('keep the guardrail of the request if the caller has none', async () => {
    const { call, fake } = await connect({ fake: guardrails })
    const headers = {
      'x-amzn-bedrock-guardrailidentifier': guardrail.identifier,
      'x-amzn-bedrock-guardrailversion': '1',
    }
    const json = { ...body, 'amazon-bedrock-guardrailConfig': { tagSuffix: 'abc' } }
    expect((await call('/model/sonnet/invoke', { json, headers })).status).toBe(200)
    expect(fake.calls[0]?.headers['x-amzn-bedrock-guardrailidentifier']).toBe(guardrail.identifier)
  })

  test('reject metadata that is not an object or too long', async () => {
    const { call, fake } = await connect({ caller: { metadata: { team: 'geo' } } })
    for (const [text, message] of [
      ['[1]', `${metadata} must be a JSON object`],
      [JSON.stringify({ run: 'x'.repeat(8_500) }), `${metadata} has more than 8500 characters`],
    ] as const) {
      const response = await call('/model/sonnet/invoke', { json: body, headers: { [metadata]: text } })
      expect(response.status).toBe(400)
      expect(await response.text()).toContain(message)
    }
    expect(fake.calls).toEqual([])
    // 8,500 characters in all.
    const run = 'x'.repeat(8_500 - '{"run":"","team":"geo"}'.length)
    const headers = { [metadata]: JSON.stringify({ run }) }
    expect((await call('/model/sonnet/invoke', { json: body, headers })).status).toBe(200)
  })
})

test.each([
  [['haiku', 'opus'], 'Models of this key: haiku, opus.'],
  [[], 'Models of this key: none.'],
])('a caller of another model learns its own: %j', async (models, hint) => {
  const { call } = await connect({ caller: { models }, exposeUpstreamErrors: true })
  const response = await call('/v1/messages', { json: params })
  expect([response.status, await response.text()]).toEqual([404, expect.stringContaining(hint)])
})

test('the metrics count no errors of Bedrock for requests that the gateway refuses', async () => {
  const { call } = await connect({ openMetrics: true, maxBodySize: 1_000 })
  await call('/v1/messages', { json: params, headers: { 'x-api-key': 'wrong' } })
  await call('/v1/messages', { json: { ...params, system: 'x'.repeat(2_000) } })
  await call('/v1/messages', { json: { ...params, model: 'no-such-model' } })
  expect(await (await call('/metrics')).text()).not.toContain('upstream_errors_total{')
})

describe('limits of a caller', () => {
  const clockAt = (time: string) => {
    const clock = { ...manualClock(), at: Date.parse(time) }
    return Object.assign(clock, { now: () => clock.at })
  }
  const prices = { sonnet: { input: 3, output: 15 } }

  test('do not count the tokens of a call that the spend limit refuses', async () => {
    const clock = clockAt('2026-11-26T12:00:00Z')
    const { call } = await connect({
      clock,
      prices,
      caller: { limits: { tokensPerMinute: 3_000, spendPerDay: 0.0001 } },
      fake: { reply: 'word '.repeat(20) },
    })
    expect((await call('/v1/messages', { json: params })).status).toBe(200)
    for (let i = 0; i < 5; i++)
      expect(await (await call('/v1/messages', { json: params })).text()).toContain('spend limit')
  })

  test.each([
    ['without max_tokens', {}, 4_096],
    ['with less', { max_tokens: 100 }, 100],
    ['with more', { max_tokens: 50_000 }, 4_096],
    ['with a number below 0', { max_tokens: -100 }, 4_096],
    ['with a text', { max_tokens: 'many' }, 4_096],
    ['with 0', { max_tokens: 0 }, 0],
  ])('reserve the output of a call in progress: %s', async (_, own, reserved) => {
    const clock = clockAt('2026-11-26T12:00:00Z')
    const added: number[] = []
    const store = memorySpendStore({ clock })
    const { call } = await connect({
      clock,
      prices: { sonnet: { input: 0, output: 1_000_000 } },
      caller: { limits: { spendPerDay: 1e9 } },
      spendStore: {
        add: (key, amount, options) => {
          added.push(amount / 1e6)
          return store.add(key, amount, options)
        },
      },
    })
    const json = { ...body, max_tokens: undefined, ...own, stream: undefined }
    const response = await call('/model/sonnet/invoke-with-response-stream', { json })
    expect(added[0]).toBe(reserved)
    await response.body?.cancel()
  })

  test('of tokens tell how long to wait', async () => {
    const clock = clockAt('2026-11-26T12:00:00Z')
    const { call } = await connect({ clock, caller: { limits: { tokensPerMinute: 1_000 } } })
    const open = await call('/v1/messages', { json: { ...params, max_tokens: 990, stream: true } })
    const { status, headers } = await call('/v1/messages', { json: { ...params, max_tokens: 500 } })
    expect([status, headers.get('x-should-retry')]).toEqual([429, 'true'])
    // Some 500 of the 1,000 tokens that a minute brings.
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(25)
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60)
    const json = { ...body, max_tokens: 500 }
    const other = await call('/model/sonnet/invoke', { json })
    expect([other.status, other.headers.get('retry-after')]).toEqual([429, headers.get('retry-after')])
    const unknown = await call('/model/sonnet/invoke', { json, headers: { 'x-api-key': 'wrong' } })
    expect([unknown.status, unknown.headers.get('retry-after')]).toEqual([401, null])
    await open.body?.cancel()
  })

  test('of spending count each call once, although the store fails twice', async () => {
    const clock = clockAt('2026-11-26T12:00:00Z')
    const store = memorySpendStore({ clock })
    let isAway = false
    let stored = 0
    let asked = 0
    const usage = { input_tokens: 0, output_tokens: 10 }
    const { call, gateway } = await connect({
      clock,
      prices: { sonnet: { input: 0, output: 1_000_000 } },
      caller: { limits: { spendPerDay: 1_000 } },
      storeFailure: 'allow',
      client: { fetch: async () => Response.json({ type: 'message', content: [], usage }) },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      spendStore: {
        async add(key, amount, options) {
          asked++
          if (isAway) throw new Error('connect ECONNREFUSED')
          stored += amount / 1e6
          return store.add(key, amount, options)
        },
      },
    })
    const spend = async (calls: number): Promise<number | undefined> => {
      const json = { ...params, max_tokens: 1 }
      const responses = await Promise.all(Array.from({ length: calls }, () => call('/v1/messages', { json })))
      expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 200))
      return gateway.snapshot().keys[0]?.spentToday
    }
    expect(await spend(1)).toBe(10)
    isAway = true
    expect(await spend(1)).toBe(20)
    for (let i = 0; i < 2; i++) {
      clock.at += 5_000
      asked = 0
      expect(await spend(3)).toBe(50 + 30 * i)
      // One call at a time tries the store.
      expect(asked).toBe(1)
    }
    isAway = false
    clock.at += 5_000
    expect(await spend(1)).toBe(90)
    expect(stored).toBe(90)
  })

  test('of tokens count cache writes, and not cache reads', async () => {
    for (const [name, second] of [
      ['cache_creation_input_tokens', 429],
      ['cache_read_input_tokens', 200],
    ] as const) {
      const usage = { input_tokens: 1, output_tokens: 1, [name]: 900 }
      const { call } = await connect({
        clock: clockAt('2026-11-26T12:00:00Z'),
        caller: { limits: { tokensPerMinute: 1_000 } },
        client: { fetch: async () => Response.json({ type: 'message', content: [], usage }) },
      })
      const json = { ...params, max_tokens: 500 }
      expect((await call('/v1/messages', { json })).status).toBe(200)
      expect((await call('/v1/messages', { json })).status).toBe(second)
    }
  })

  test('of spending refuse the first call after exactly that much, whichever gateway it was spent at', async () => {
    const usage = { input_tokens: 0, output_tokens: 10 }
    const shared = {
      clock: clockAt('2026-11-26T12:00:00Z'),
      spendStore: memorySpendStore(),
      prices: { sonnet: { input: 0, output: 1_000_000 } },
      caller: { limits: { spendPerDay: 30 } },
      client: { fetch: async () => Response.json({ type: 'message', content: [], usage }) },
    }
    const one = await connect(shared)
    const other = await connect(shared)
    const json = { ...params, max_tokens: 1 }
    for (const { call } of [one, other, one]) expect((await call('/v1/messages', { json })).status).toBe(200)
    expect(one.gateway.snapshot().keys[0]?.spentToday).toBe(30)
    expect(other.gateway.snapshot().keys[0]?.spentToday).toBe(20)
    for (const { call } of [one, other]) expect((await call('/v1/messages', { json })).status).toBe(429)
  })

  test('of spending can be tried again if the store fails', async () => {
    const { call } = await connect({
      prices,
      caller: { limits: { spendPerDay: 1 } },
      spendStore: { add: () => Promise.reject(new Error('connect ECONNREFUSED')) },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    })
    const { status, headers } = await call('/v1/messages', { json: params })
    expect([status, headers.get('x-should-retry'), headers.get('retry-after')]).toEqual([529, 'true', '5'])
  })

  test('try a failed spend store again after five seconds', async () => {
    const clock = clockAt('2026-11-26T12:00:00Z')
    const store = memorySpendStore()
    const asked: number[] = []
    let isAway = true
    const lines: string[] = []
    const write = (message: string) => void lines.push(message)
    const { call } = await connect({
      clock,
      prices,
      caller: { limits: { spendPerDay: 1 } },
      storeFailure: 'allow',
      logger: { debug() {}, info: write, warn: write, error: write },
      spendStore: {
        add: async (...given) => {
          asked.push(clock.at)
          if (isAway) throw new Error('connect ECONNREFUSED redis.internal')
          return store.add(...given)
        },
      },
    })
    const start = clock.at
    const send = async () => expect((await call('/v1/messages', { json: params })).status).toBe(200)
    for (const passed of [0, 4_999, 5_000]) {
      clock.at = start + passed
      await send()
    }
    expect(asked).toEqual([start, start + 5_000])
    isAway = false
    clock.at = start + 10_000
    await send()
    expect(lines.filter((line) => line.includes('store'))).toEqual([
      'gateway: the store for spend limits is unavailable',
      'gateway: the store for spend limits is back',
    ])
  })
})
