import { createBedrockClient, type JsonObject, type Middleware } from 'outcrop'
import { type LimitStore, type LimitsOptions, limits, memoryLimitStore, readQuotas } from 'outcrop/limits'
import { createFakeBedrock } from 'outcrop/testing'
import { describe, expect, test, vi } from 'vitest'
import { base, params, quota, settled, setUp } from './support.ts'

const reply = { content: [{ type: 'text', text: 'Hi' }], usage: { input_tokens: 50, output_tokens: 100 } }

describe('the budget of a call', () => {
  test.each([
    ['anthropic.claude-haiku-4-5-20251001-v1:0', 'on-demand'],
    ['us.anthropic.claude-sonnet-4-6', 'cross-region'],
    ['global.anthropic.claude-sonnet-4-6', 'global'],
    ['arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc', 'cross-region'],
    ['arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6', 'cross-region'],
    ['arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0', 'on-demand'],
  ])('%s is in the bucket %s', async (model, bucket) => {
    const { bedrock, limiter } = setUp()
    await bedrock.messages.create({ ...params, model }).catch(() => {})
    expect(limiter.snapshot().budgets).toMatchObject([{ bucket }])
  })

  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example' }
  const accountOf = async (credentials: object | 'none', options: LimitsOptions = {}): Promise<string | undefined> => {
    const limiter = limits(options)
    const bedrock = createBedrockClient({
      region: 'us-east-1',
      credentials: credentials as never,
      middleware: [limiter],
      fetch: async () => Response.json({ type: 'message', content: [], usage: {} }),
    })
    await bedrock.messages.create(params)
    return limiter.snapshot().budgets[0]?.account
  }

  test('belongs to its account, as far as it is known', async () => {
    expect(await accountOf({ ...keys, accountId: '123456789012' })).toBe('123456789012')
    expect(await accountOf({ ...keys, accountId: '123456789012', sessionToken: 'session-example' })).toBe(
      '123456789012',
    )
    expect(await accountOf({ ...keys, sessionToken: 'session-example' })).toBe('default')
    expect(await accountOf({ token: 'bedrock-api-key-example' })).toBe('default')
    expect(await accountOf('none')).toBe('default')
    expect(await accountOf({ ...keys, accountId: '123456789012' }, { account: 'team' })).toBe('team')
    const own = await accountOf(keys)
    expect(own).toMatch(/^key-[\da-f]{8}$/)
    expect(await accountOf(keys)).toBe(own)
    expect(await accountOf({ ...keys, accessKeyId: 'AKIDEXAMPLF' })).not.toBe(own)
  })

  test.each<[object, number | undefined]>([
    [{}, 0],
    [{ region: 'us-east-1' }, 0],
    [{ region: 'us-west-2' }, undefined],
    [{ account: 'team' }, 0],
    [{ account: 'other' }, undefined],
    [{ bucket: 'global' }, undefined],
    [{ model: 'anthropic.claude-opus-4-8' }, undefined],
  ])('has the quota that matches it: %j', async (own, found) => {
    const [row] = quota(0)
    const { bedrock, limiter } = setUp({ account: 'team', quotas: [{ ...row, ...own } as never] }, { reply })
    await bedrock.messages.create(params).catch(() => {})
    expect(limiter.snapshot().budgets[0]).toMatchObject({ quota: found, admitted: found === undefined ? 1 : 0 })
  })

  test('may limit requests', async () => {
    const quotas = [{ model: base, bucket: 'cross-region' as const, requestsPerMinute: 6 }]
    const { bedrock, limiter } = setUp({ quotas, maxWait: 0, burst: 60_000 }, { reply })
    for (let i = 0; i < 6; i++) await bedrock.messages.create(params)
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({
      limit: 'requests',
      message: `The budget is exhausted: too many requests per minute for ${base} in us-east-1`,
    })
    expect(limiter.snapshot().budgets[0]).toMatchObject({ requests: 6, admitted: 6, refused: 1, quota: undefined })
    const none = setUp({ quotas: [{ model: base, bucket: 'cross-region', requestsPerMinute: 0 }] }, { reply })
    await expect(none.bedrock.messages.create(params)).rejects.toThrow('is 0 per minute')
  })

  test('may limit concurrent calls', async () => {
    const { bedrock } = setUp({ concurrency: 1, maxWait: 0 }, { reply })
    const stream = bedrock.messages.stream(params)
    await stream.started()
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ limit: 'concurrency' })
    await stream.finalMessage()
    await bedrock.messages.create(params)
  })
})

describe('the reservation of a call', () => {
  const reserved = async (body: JsonObject): Promise<number> => {
    const { limiter, clock } = setUp()
    const bedrock = createBedrockClient({
      region: 'us-east-1',
      credentials: { token: 'bedrock-api-key-example' },
      middleware: [limiter],
      clock,
      fetch: () => new Promise(() => {}),
    })
    void bedrock.invoke({ model: params.model, body }).catch(() => {})
    await settled()
    return limiter.snapshot().budgets[0]?.held ?? Number.NaN
  }

  test.each<[string, JsonObject, number]>([
    ['max_tokens', { max_tokens: 5_000 }, 5_000],
    ['max_tokens of 0', { max_tokens: 0 }, 0],
    ['max_completion_tokens', { max_completion_tokens: 6_000 }, 6_000],
    ['inferenceConfig.maxTokens', { inferenceConfig: { maxTokens: 7_000 } }, 7_000],
    ['the first that is a number', { max_tokens: 'many', max_completion_tokens: 8_000 }, 8_000],
    ['the longest answer of the model', {}, 64_000],
    ['the longest answer where max_tokens is below 0', { max_tokens: -1 }, 64_000],
  ])('is the input and %s', async (_, own, output) => {
    const { messages } = params
    const input = (await reserved({ messages, max_tokens: 1_000 } as never)) - 1_000
    expect(input).toBeGreaterThan(0)
    expect(Math.abs((await reserved({ messages, ...own } as never)) - input - output)).toBeLessThan(20)
  })

  test('follows the usage of earlier calls with the same prefix', async () => {
    // Both have 1,000 tokens of system prompt to count; only what the fake says was used differs.
    const usage = { input_tokens: 400, output_tokens: 10 }
    const scene = setUp({ quotas: quota(1_000_000) }, { reply: { ...reply, usage } })
    const call = async (system: string): Promise<number> => {
      const { metadata } = await scene.bedrock.messages.create({ ...params, system })
      return (metadata.limits?.reserved as number) - 1_000
    }
    const first = await call('a'.repeat(4_000))
    const learned = await call('a'.repeat(4_000))
    expect(learned).toBeGreaterThanOrEqual(400)
    expect(learned).toBeLessThanOrEqual(401)
    // Another prefix is another matter, by its beginning, its end and its length.
    for (const system of [`b${'a'.repeat(3_999)}`, `${'a'.repeat(3_999)}b`])
      expect(await call(system)).toBeGreaterThan(learned * 1.5)
    expect(first).toBeGreaterThan(learned * 1.5)
  })

  test('of a body of another provider is a quarter of its characters', async () => {
    const held = await reserved({ prompt: 'x'.repeat(4_000), max_tokens: 0 })
    expect(held).toBeGreaterThan(1_000)
    expect(held).toBeLessThan(1_050)
  })

  test('is not confused by a body that is nested too deeply', async () => {
    const deep = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000)) as never
    const { bedrock, limiter } = setUp({}, { reply })
    for (const body of [{ prompt: deep }, { messages: [], system: deep }])
      await expect(bedrock.invoke({ model: params.model, body })).rejects.toMatchObject({ code: 'configuration' })
    expect(limiter.snapshot().budgets[0]).toMatchObject({ held: 0, open: 0, used: 0 })
  })

  test('averages the usage, and ignores answers without it', async () => {
    let usage: object = {}
    const limiter = limits()
    const bedrock = createBedrockClient({
      region: 'us-east-1',
      credentials: { token: 'bedrock-api-key-example' },
      middleware: [limiter],
      fetch: async () => Response.json({ type: 'message', content: [], usage }),
    })
    const inputAfter = async (next: object): Promise<number> => {
      usage = next
      const { metadata } = await bedrock.messages.create({ ...params, system: 'x'.repeat(4_000) })
      return (metadata.limits?.reserved as number) - params.max_tokens
    }
    const estimated = await inputAfter({})
    expect(await inputAfter({ input_tokens: 5 })).toBe(estimated)
    expect(await inputAfter({ output_tokens: 5 })).toBe(estimated)
    expect(await inputAfter({ input_tokens: 100, cache_creation_input_tokens: 300, output_tokens: 5 })).toBe(estimated)
    expect(Math.abs((await inputAfter({ input_tokens: 800, output_tokens: 5 })) - 400)).toBeLessThan(2)
    expect(Math.abs((await inputAfter({})) - 600)).toBeLessThan(2)
  })
})

describe('while the shared store is unavailable', () => {
  test('a process keeps to its share of concurrency and learned limit, and tries the store every five seconds', async () => {
    const inner = memoryLimitStore()
    let isAway = false
    let asked = 0
    const through = async <T>(work: () => Promise<T>): Promise<T> => {
      asked++
      if (isAway) throw new Error('connect ECONNREFUSED')
      return work()
    }
    const store: LimitStore = {
      reserve: (...args) =>
        through(async () => {
          const result = await inner.reserve(...args)
          return { ...result, sharers: 4, states: result.states.map((state) => ({ ...state, learned: 8_000 })) }
        }),
      settle: (...args) => through(() => inner.settle(...args)),
    }
    const lines: string[] = []
    const write = (line: string) => void lines.push(line)
    const scene = setUp({ store, concurrency: 9, maxWait: 0, burst: 60_000 }, { reply })
    const bedrock = scene.bedrock.withOptions({ logger: { debug() {}, info: write, warn: write, error: write } })
    await bedrock.messages.create(params)
    isAway = true

    // A quarter of nine calls at a time, and of 8,000 tokens.
    const streams = Array.from({ length: 4 }, () => bedrock.messages.stream({ ...params, max_tokens: 1 }))
    const started = await Promise.allSettled(streams.map((stream) => stream.started()))
    expect(started.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    await Promise.allSettled(streams.map((stream) => stream.finalMessage()))
    const long = { ...params, max_tokens: 700 }
    await bedrock.messages.create({ ...long, system: 'Be brief.' })
    const next = bedrock.messages.create({ ...long, system: 'Be kind.' })
    await expect(next).rejects.toMatchObject({ limit: 'tokens' })

    const before = asked
    scene.clock.advance(4_999)
    await bedrock.messages.create(params).catch(() => {})
    expect(asked).toBe(before)
    scene.clock.advance(1)
    await Promise.allSettled([1, 2, 3].map(() => bedrock.messages.create(params)))
    expect(asked).toBe(before + 1)
    expect(scene.limiter.snapshot().store).toBe('share')

    isAway = false
    scene.clock.advance(60_000)
    await bedrock.messages.create(params)
    expect(scene.limiter.snapshot().store).toBe('shared')
    expect(lines.filter((line) => line.includes('store'))).toEqual([
      'limits: the store is unavailable; this process keeps to 1/4 of each limit until it is back',
      'limits: the store is back',
    ])
  })
})

describe('readQuotas', () => {
  const name = 'Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1'
  const row = { QuotaCode: 'L-F4DDD3EB', QuotaName: name, Value: 500 }
  const model = 'anthropic.claude-sonnet-4-5-20250929-v1:0'

  function answering(...pages: object[]) {
    const requests: { url: string; body: JsonObject; signal: unknown }[] = []
    const bedrock = createBedrockClient({
      region: 'us-east-1',
      credentials: createFakeBedrock().identity,
      fetch: async (url, init) => {
        requests.push({ url: String(url), body: JSON.parse(String(init?.body)), signal: init?.signal })
        return Response.json(pages[Math.min(requests.length, pages.length) - 1])
      },
    })
    return { bedrock, requests }
  }

  test.each<[object, string]>([
    [{}, 'https://servicequotas.us-east-1.amazonaws.com/'],
    [{ region: 'cn-north-1' }, 'https://servicequotas.cn-north-1.amazonaws.com.cn/'],
    [{ endpoint: 'https://quotas.example/base//' }, 'https://quotas.example/base/'],
    [{ env: { AWS_ENDPOINT_URL: 'https://all.example' } }, 'https://all.example/'],
    [
      { env: { AWS_ENDPOINT_URL: 'https://all.example', AWS_ENDPOINT_URL_SERVICE_QUOTAS: 'https://own.example' } },
      'https://own.example/',
    ],
    [
      { env: { AWS_ENDPOINT_URL: 'https://all.example', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' } },
      'https://servicequotas.us-east-1.amazonaws.com/',
    ],
    [
      { env: { AWS_ENDPOINT_URL: 'https://all.example' }, endpoint: new URL('https://given.example') },
      'https://given.example/',
    ],
  ])('with %j asks %s', async (options, url) => {
    const { bedrock, requests } = answering({ Quotas: [row] })
    const { region } = await readQuotas(bedrock, options)
    expect(requests.map((request) => request.url)).toEqual([url])
    expect(region).toBe('region' in options ? options.region : 'us-east-1')
  })

  test('reads each page once', async () => {
    const { bedrock, requests } = answering({ Quotas: [row], NextToken: 'a' }, { NextToken: 'b' }, { NextToken: 'b' })
    const { signal } = new AbortController()
    expect((await readQuotas(bedrock, { signal })).quotas).toHaveLength(1)
    expect(requests.map(({ body }) => body.NextToken)).toEqual([undefined, 'a', 'b'])
    expect(requests.every((request) => request.signal === signal)).toBe(true)
  })

  test('takes the smaller of two values, and skips malformed rows', async () => {
    const { bedrock } = answering({
      Quotas: [
        { ...row, Value: 700 },
        { ...row, QuotaCode: 'L-0', Value: 300 },
        { ...row, QuotaCode: 'L-0', Value: -1 },
        { ...row, QuotaCode: 'L-0', Value: '1' },
        { ...row, QuotaCode: 7, Value: 1 },
        { ...row, QuotaName: null, Value: 1 },
        null,
        { ...row, QuotaCode: 'L-0', QuotaName: name.replace('tokens', 'requests'), Value: 9 },
      ],
    })
    expect(await readQuotas(bedrock)).toEqual({
      region: 'us-east-1',
      tokensPerDay: undefined,
      quotas: [{ model, bucket: 'cross-region', region: 'us-east-1', tokensPerMinute: 300, requestsPerMinute: 9 }],
    })
    expect((await readQuotas(answering({}).bedrock)).quotas).toEqual([])
  })

  test('rejects without AWS keys', async () => {
    const fetch = vi.fn()
    const bedrock = createBedrockClient({ region: 'us-east-1', credentials: 'none', fetch })
    await expect(readQuotas(bedrock)).rejects.toThrow('Service Quotas needs AWS keys')
    expect(fetch).not.toHaveBeenCalled()
  })
})

describe('a wait', () => {
  /** A client whose only slot is taken by a stream. */
  async function busy() {
    const totals: (number | undefined)[] = []
    const scene = setUp({ concurrency: 1 }, { reply })
    const look: Middleware = (request, next, { timeout }) => {
      totals.push(timeout.total)
      return next(request)
    }
    const bedrock = scene.bedrock.withOptions({ middleware: [scene.limiter, look] })
    const stream = bedrock.messages.stream(params)
    await stream.started()
    const pass = async (milliseconds: number): Promise<void> => {
      await settled()
      scene.clock.advance(milliseconds)
      await settled()
    }
    return { ...scene, bedrock, stream, totals, pass }
  }

  test("is deducted from the call's total timeout", async () => {
    const { bedrock, stream, totals, pass } = await busy()
    const limited = bedrock.messages.create(params, { timeout: { total: 10_000 } })
    await pass(3_000)
    stream.abort()
    await limited
    const unlimited = bedrock.messages.create(params, { timeout: { total: Number.POSITIVE_INFINITY } })
    await unlimited
    expect(totals).toEqual([undefined, 7_000, Number.POSITIVE_INFINITY])
  })

  test('ends at its own maxWait, also for a call that is not first', async () => {
    const { bedrock, stream, pass, limiter } = await busy()
    const first = bedrock.messages.create(params, { limits: { maxWait: 60_000 } })
    await settled()
    const second = bedrock.messages.create(params, { limits: { maxWait: 1_000 } })
    const rejection = expect(second).rejects.toMatchObject({ code: 'quota_exceeded', limit: 'concurrency' })
    await pass(999)
    expect(limiter.snapshot().budgets[0]).toMatchObject({ queued: 2, refused: 0 })
    await pass(1)
    await rejection
    expect(limiter.snapshot().budgets[0]).toMatchObject({ queued: 1, refused: 1 })
    stream.abort()
    await pass(100)
    await first
    expect(limiter.snapshot().budgets[0]).toMatchObject({ queued: 0, admitted: 2, delayed: 1 })
  })

  test('is refused at once if the calls ahead take longer than maxWait', async () => {
    const scene = setUp({ quotas: quota(20_000), concurrency: 1 }, { reply })
    const ask = (limits: object) => scene.bedrock.messages.create({ ...params, system: 'x' }, { limits })
    const stream = scene.bedrock.messages.stream(params)
    await stream.started()
    const waiting = [ask({})]
    await settled()
    // Some 1,015 tokens are ahead, of 20,000 per minute.
    const refusal = { code: 'quota_exceeded', limit: 'concurrency', retryable: true }
    const error = await ask({ maxWait: 2_500 }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject(refusal)
    const { retryAfter } = error as { retryAfter: number }
    expect(retryAfter).toBeGreaterThan(3_000)
    expect(retryAfter).toBeLessThan(3_150)
    // A higher priority has nobody ahead; a lower one has both.
    waiting.push(ask({ maxWait: 2_500, priority: 1 }))
    await settled()
    await expect(ask({ maxWait: 5_500 })).rejects.toMatchObject(refusal)
    waiting.push(ask({ maxWait: 6_500 }))
    await settled()
    expect(scene.limiter.snapshot().budgets[0]).toMatchObject({ queued: 3, refused: 2 })
    stream.abort()
    for (let i = 0; i < 20; i++) {
      scene.clock.advance(100)
      await settled()
    }
    await Promise.all(waiting)
  })

  test('ends in order of arrival among calls of one priority', async () => {
    const { bedrock, stream, pass } = await busy()
    const order: string[] = []
    const ask = async (name: string, priority: number): Promise<void> => {
      await bedrock.messages.create(params, { limits: { priority } })
      order.push(name)
    }
    const calls: Promise<void>[] = []
    for (const [name, priority] of [
      ['a', 0],
      ['b', 0],
      ['c', 1],
      ['d', 0],
      ['e', 1],
      ['f', -1],
      ['g', 0],
    ] as const) {
      calls.push(ask(name, priority))
      await settled()
    }
    stream.abort()
    for (let i = 0; i < 20; i++) await pass(100)
    await Promise.all(calls)
    expect(order.join('')).toBe('ceabdgf')
  })
})

describe('a call in progress', () => {
  test('may be retried after an error that says nothing about limits', async () => {
    const { bedrock, fake, limiter, clock } = setUp({}, { reply })
    fake.fail('internal')
    const call = bedrock.messages.create(params, { retry: { attempts: 2, baseDelay: 0 } })
    await settled()
    clock.advance(1)
    expect((await call).metadata.attempts).toBe(2)
    expect(limiter.snapshot().budgets[0]).toMatchObject({ throttled: 0, learned: undefined, open: 0, used: 550 })
  })

  test('is settled in a shared store', async () => {
    const { bedrock, limiter } = setUp({ store: memoryLimitStore() }, { reply })
    await bedrock.messages.create(params)
    expect(limiter.snapshot()).toMatchObject({ store: 'shared', budgets: [{ open: 0, held: 0, used: 550 }] })
  })

  test('teaches by its stream what the next one reserves', async () => {
    const { bedrock } = setUp({}, { reply })
    const call = async (): Promise<number | undefined> => {
      const message = await bedrock.messages.stream({ ...params, system: 'x'.repeat(4_000) }).finalMessage()
      return message.metadata.limits?.reserved
    }
    expect(await call()).toBeGreaterThan(2_000)
    expect(Math.abs(((await call()) as number) - 1_050)).toBeLessThan(2)
  })

  test('costs what was read of it if its reader leaves', async () => {
    const { bedrock, limiter } = setUp({}, { reply: 'word '.repeat(400) })
    let characters = 0
    for await (const event of bedrock.messages.stream(params)) {
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
        characters += event.delta.text.length
      if (characters > 1_000) break
    }
    const used = limiter.snapshot().budgets[0]?.used as number
    // Five tokens of the quota for each token of output, which has about four characters; and a short input.
    expect(used).toBeGreaterThanOrEqual((characters / 4) * 5)
    expect(used).toBeLessThan((characters / 4) * 5 + 100)
  })

  test('reports missing credentials itself', async () => {
    const limiter = limits()
    const bedrock = createBedrockClient({
      region: 'us-east-1',
      credentials: () => Promise.reject(new Error('the vault is closed')),
      middleware: [limiter],
      retry: false,
    })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ code: 'credentials' })
    expect(limiter.snapshot().budgets).toMatchObject([{ account: 'default', open: 0, used: 0 }])
  })
})
