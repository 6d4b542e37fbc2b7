import {
  type BedrockClient,
  type BedrockClientOptions,
  type CallOptions,
  createBedrockClient,
  type Identity,
} from 'outcrop'
import { type ResponseCachingOptions, type ResponseStore, responseCaching } from 'outcrop/caching'
import { createFakeBedrock, type FakeBedrock } from 'outcrop/testing'
import { describe, expect, test, vi } from 'vitest'

const params = {
  model: 'global.anthropic.claude-sonnet-4-6',
  max_tokens: 50,
  temperature: 0,
  messages: [{ role: 'user' as const, content: 'What is an outcrop?' }],
}
const other = { accessKeyId: 'AKIDOTHER', secretAccessKey: 'secret-example-other' }
const token = 'opaque-token-of-a-gateway'

interface Setup {
  readonly fake: FakeBedrock
  readonly entries: Map<string, string>
  readonly client: (options?: BedrockClientOptions, caching?: Partial<ResponseCachingOptions>) => BedrockClient
}

/** Clients that share a store. */
function setUp(): Setup {
  const entries = new Map<string, string>()
  const store: ResponseStore = {
    get: async (key) => entries.get(key),
    set: async (key, value) => void entries.set(key, value),
  }
  const fake = createFakeBedrock({
    guardrails: [{ identifier: 'gr1', versions: ['1', '2'], blockedWords: ['granite'] }],
  })
  fake.identities.push(other, { token })
  const client: Setup['client'] = (options = {}, caching = {}) =>
    createBedrockClient({
      region: fake.region,
      credentials: fake.identity,
      fetch: fake.fetch,
      retry: false,
      middleware: [responseCaching({ store, ...caching })],
      ...options,
    })
  return { fake, entries, client }
}

/** How many calls of Bedrock two calls are. */
async function callsOf(
  [first, firstOptions]: readonly [BedrockClient, CallOptions?],
  [second, secondOptions]: readonly [BedrockClient, CallOptions?],
  { fake }: Setup,
): Promise<number> {
  await first.messages.create(params, firstOptions)
  await second.messages.create(params, secondOptions)
  return fake.calls.length
}

describe('the body in the key', () => {
  const say = (text: string) => ({ ...params, messages: [{ role: 'user' as const, content: { toJSON: () => text } }] })

  test('has the results of toJSON', async () => {
    const { client, fake } = setUp()
    const bedrock = client()
    const ask = (text: string) => bedrock.messages.create(say(text) as never)
    await ask('One')
    await ask('Two')
    expect(fake.calls).toHaveLength(2)
    await ask('One')
    await bedrock.messages.create({ ...params, messages: [{ role: 'user', content: 'Two' }] })
    expect(fake.calls).toHaveLength(2)
  })

  test('is the one that is sent, even if it is changed meanwhile', async () => {
    const { client, fake } = setUp()
    const bedrock = client()
    const messages = [{ role: 'user' as const, content: 'One' }]
    const call = bedrock.messages.create({ ...params, messages })
    ;(messages[0] as { content: string }).content = 'Two'
    await call
    const sent = fake.calls[0]?.body.messages
    await bedrock.messages.create({ ...params, messages: sent as never })
    expect(fake.calls).toHaveLength(1)
  })

  class Named {
    readonly name = 'one'
    get ignored(): string {
      return 'not a member of its own'
    }
  }
  const deep = Array.from({ length: 150 }).reduce<unknown>((inner) => [inner], 'deep')
  test.each<[string, unknown]>([
    ['plain values', { text: 'é', flag: true, none: null, numbers: [1, -0, 1e21], empty: {} }],
    ['members and items that are undefined', { a: undefined, b: [undefined, 1] }],
    ['a list with a hole', new Array(2)],
    ['a date', new Date(0)],
    ['an object of a class', new Named()],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['a boxed number', Object(1)],
    ['a member named __proto__', JSON.parse('{"__proto__":{"a":1}}')],
    ['many levels', deep],
  ])('is sent as without a cache: %s', async (_, value) => {
    const { client, fake } = setUp()
    const body = { ...params, metadata: { value } } as never
    for (const middleware of [[], undefined]) await client(middleware && { middleware }).messages.create(body)
    const [plain, cached] = fake.calls.map((call) => JSON.stringify(call.body))
    expect(cached).toBe(plain)
  })

  test('must be JSON, so that nothing is lost', async () => {
    const { client, fake } = setUp()
    const bedrock = client()
    await bedrock.messages.create({ ...params, temperature: 0, top_p: null as never })
    await expect(bedrock.messages.create({ ...params, top_p: Number.NaN })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('top_p'),
    })
    expect(fake.calls).toHaveLength(1)
  })
})

describe('the destination in the key', () => {
  test.each<[string, BedrockClientOptions]>([
    ['another Region', { region: 'eu-central-1' }],
    ['another endpoint', { endpoint: 'https://gateway.example' }],
    ['another path of the endpoint', { endpoint: 'https://gateway.example/tenant' }],
  ])('separates %s', async (_, options) => {
    const setup = setUp()
    const { client } = setup
    expect(await callsOf([client()], [client(options)], setup)).toBe(2)
    expect(await callsOf([client()], [client(options)], setup)).toBe(2)
  })

  test('separates endpoints by their path', async () => {
    const setup = setUp()
    const at = (path: string) => setup.client({ endpoint: `https://gateway.example/${path}` })
    expect(await callsOf([at('a')], [at('b')], setup)).toBe(2)
  })
})

describe('the compatibility policy in the key', () => {
  const adapting = { max_tokens: 4096, thinking: { type: 'enabled', budget_tokens: 2000 }, model: 'claude-opus-5' }

  test('separates a strict client from one that adapts', async () => {
    const { client, fake } = setUp()
    const call = { ...params, ...adapting } as never
    await client().messages.create(call, { cache: true })
    const strict = client({ compatibility: { policy: 'strict' } }).messages.create(call, { cache: true })
    await expect(strict).rejects.toMatchObject({ code: 'configuration' })
    expect(fake.calls).toHaveLength(1)
  })

  test.each<[string, BedrockClientOptions]>([
    ['strict', { compatibility: { policy: 'strict' } }],
    ['pass', { compatibility: { policy: 'pass' } }],
    ['off', { compatibility: false }],
    ['without learning', { compatibility: { learn: false } }],
  ])('separates %s from adapt, but not from itself', async (_, options) => {
    const setup = setUp()
    expect(await callsOf([setup.client()], [setup.client(options)], setup)).toBe(2)
    const again = setUp()
    expect(await callsOf([again.client(options)], [again.client(options)], again)).toBe(1)
  })
})

describe('the identity in the key', () => {
  const account = (identity: Identity, accountId: string) => ({ ...identity, accountId }) as Identity

  test('separates identities', async () => {
    const setup = setUp()
    const { client, entries } = setup
    expect(await callsOf([client()], [client({ credentials: other })], setup)).toBe(2)
    expect(await callsOf([client()], [client({ credentials: other })], setup)).toBe(2)
    for (const [key, value] of entries) expect(key + value).not.toMatch(/secret-example-other|AKID/)
  })

  test('separates identities of one account', async () => {
    const setup = setUp()
    const [one, two] = [account(setup.fake.identity, '123456789012'), account(other, '123456789012')]
    expect(await callsOf([setup.client({ credentials: one })], [setup.client({ credentials: two })], setup)).toBe(2)
  })

  test('separates calls in flight', async () => {
    const { client, fake } = setUp()
    const bedrock = client()
    const changed = bedrock.withOptions({ credentials: other })
    await Promise.all([bedrock.messages.create(params), changed.messages.create(params)])
    expect(fake.calls).toHaveLength(2)
  })

  test("shares with scope: 'account' among the keys of one account", async () => {
    const setup = setUp()
    const { fake } = setup
    const client = (credentials: Identity) => setup.client({ credentials }, { scope: 'account' })
    const [one, two] = [account(fake.identity, '123456789012'), account(other, '123456789012')]
    expect(await callsOf([client(one)], [client(two)], setup)).toBe(1)
    await client(account(other, '999999999999')).messages.create(params)
    expect(fake.calls).toHaveLength(2)
  })

  test.each<[string, Identity | 'none']>([
    ['keys without an account', other],
    ['an API key', { token }],
    ['no identity', 'none'],
  ])("requires an account with scope: 'account': %s", async (_, credentials) => {
    const { client, fake } = setUp()
    await expect(client({ credentials }, { scope: 'account' }).messages.create(params)).rejects.toMatchObject({
      code: 'configuration',
      hint: expect.stringContaining("scope: 'store'"),
    })
    expect(fake.calls).toHaveLength(0)
  })

  test("shares with scope: 'store', within a namespace", async () => {
    const setup = setUp()
    const client = (credentials: Identity, namespace = '') =>
      setup.client({ credentials }, { scope: 'store', namespace })
    expect(await callsOf([client(setup.fake.identity)], [client(other)], setup)).toBe(1)
    expect(await callsOf([client(other)], [client({ token })], setup)).toBe(1)
    await client(other, 'mine').messages.create(params)
    expect(setup.fake.calls).toHaveLength(2)
  })

  test('uses the headers of a client that does not sign', async () => {
    const setup = setUp()
    const client = (tenant: string) =>
      setup.client({
        credentials: 'none',
        headers: { 'X-Tenant': tenant },
        fetch: (input, init) => {
          const headers = new Headers(init?.headers)
          headers.set('authorization', `Bearer ${token}`)
          return setup.fake.fetch(input, { ...init, headers })
        },
      })
    expect(await callsOf([client('a')], [client('a')], setup)).toBe(1)
    expect(await callsOf([client('a')], [client('b')], setup)).toBe(2)
  })

  test("resolves no credentials for a hit with scope: 'store'", async () => {
    const setup = setUp()
    const locked = async (): Promise<never> => {
      throw new Error('the vault is closed')
    }
    const [open, closed] = [undefined, locked].map((credentials) =>
      setup.client(credentials && { credentials }, { scope: 'store' }),
    )
    await open?.messages.create(params)
    expect((await closed?.messages.create(params))?.metadata.cache?.status).toBe('hit')
  })

  test('fails the call if the credentials fail', async () => {
    const { client } = setUp()
    const credentials = async (): Promise<never> => {
      throw new Error('the vault is closed')
    }
    await expect(client({ credentials }).messages.create(params)).rejects.toMatchObject({ code: 'credentials' })
  })

  // A hash of a secret could be guessed by trying.
  test.each<[string, BedrockClientOptions]>([
    ['an API key', { credentials: { token } }],
    ['a header that carries credentials', { headers: { 'X-Gateway-Token': token } }],
  ])('hashes %s so that no other process can repeat it', async (_, options) => {
    const setup = setUp()
    expect(await callsOf([setup.client(options)], [setup.client(options)], setup)).toBe(1)
    vi.resetModules()
    const elsewhere = (await import('outcrop/caching')).responseCaching
    const store: ResponseStore = { get: async (key) => setup.entries.get(key), set: async () => {} }
    await setup.client({ ...options, middleware: [elsewhere({ store })] }).messages.create(params)
    expect(setup.fake.calls).toHaveLength(2)
    // Parts that are not secret are the same everywhere.
    await setup.client().messages.create(params)
    const { metadata } = await setup.client({ middleware: [elsewhere({ store })] }).messages.create(params)
    expect(metadata.cache?.status).toBe('hit')
  })
})

describe('headers and options in the key', () => {
  test.each<[string, CallOptions]>([
    ['an unknown header', { headers: { 'X-Tenant': 'b' } }],
    ['a beta', { headers: { 'anthropic-beta': 'context-1m-2025-08-07' } }],
    ['the authorization for a gateway', { headers: { 'X-Api-Key': 'b' } }],
    ['the service tier', { serviceTier: 'flex' }],
    ['the latency', { latency: 'optimized' }],
    ['a guardrail', { guardrail: { identifier: 'gr1', version: 1 } }],
    ['an option of unknown middleware', { persona: 'pirate' } as CallOptions],
  ])('separate calls: %s', async (_, options) => {
    const setup = setUp()
    const bedrock = setup.client()
    expect(await callsOf([bedrock], [bedrock, options], setup)).toBe(2)
    expect(await callsOf([bedrock], [bedrock, options], setup)).toBe(2)
  })

  test.each<[string, CallOptions]>([
    ['request metadata, a label for logs', { requestMetadata: { team: 'a' } }],
    ['request metadata as a header', { headers: { 'X-Amzn-Bedrock-Request-Metadata': '{"team":"a"}' } }],
    ['a trace ID', { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } }],
    ['a request ID', { headers: { 'X-Request-Id': 'b' } }],
    ["the client's name", { headers: { 'User-Agent': 'b' } }],
    ['timeouts', { timeout: { idle: 5000, total: 9000 } }],
    ['retries', { retry: { attempts: 2 } }],
    ['the cache option', { cache: true }],
    ['a signal', { signal: new AbortController().signal }],
  ])('do not separate calls: %s', async (_, options) => {
    const setup = setUp()
    const bedrock = setup.client()
    expect(await callsOf([bedrock], [bedrock, options], setup)).toBe(1)
  })

  test('must be JSON', async () => {
    const { client, fake } = setUp()
    const circular: Record<string, unknown> = {}
    circular.self = circular
    await expect(client().messages.create(params, { circular } as CallOptions)).rejects.toMatchObject({
      code: 'configuration',
    })
    expect(fake.calls).toHaveLength(0)
  })
})

test.each([undefined, '', 42])('rejects %j as a key, which every call would share', async (key) => {
  const { client, fake } = setUp()
  await expect(client({}, { key: () => key as never }).messages.create(params)).rejects.toMatchObject({
    code: 'configuration',
  })
  expect(fake.calls).toHaveLength(0)
})
