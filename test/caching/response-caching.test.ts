import { type BedrockClient, type BedrockClientOptions, createBedrockClient, type RawMessageStreamEvent } from 'outcrop'
import { memoryStore, type ResponseCachingOptions, type ResponseStore, responseCaching } from 'outcrop/caching'
import { guardrails } from 'outcrop/guardrails'
import { createFakeBedrock, type FakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'
import { createTestClock } from '../credentials/support.ts'

const params = {
  model: 'sonnet',
  max_tokens: 50,
  temperature: 0,
  messages: [{ role: 'user' as const, content: 'What is an outcrop?' }],
}
const guardrail = { identifier: 'gr1', versions: ['1'], blockedWords: ['granite'] }

interface Setup {
  readonly fake: FakeBedrock
  readonly bedrock: BedrockClient
  readonly store: ResponseStore & { readonly entries: Map<string, string> }
  readonly clock: ReturnType<typeof createTestClock>
  readonly warnings: string[]
}

/** A store whose entries can be looked at and spoilt. */
function openStore(): Setup['store'] {
  const entries = new Map<string, string>()
  return {
    entries,
    get: async (key) => entries.get(key),
    set: async (key, value) => {
      entries.set(key, value)
    },
  }
}

function setUp(
  options: Partial<ResponseCachingOptions> = {},
  fakeOptions: FakeBedrockOptions = {},
  clientOptions: BedrockClientOptions = {},
): Setup {
  const clock = createTestClock(Date.now())
  const store = openStore()
  const fake = createFakeBedrock(fakeOptions)
  const warnings: string[] = []
  const logger = { debug: () => {}, info: () => {}, warn: (message: string) => warnings.push(message), error: () => {} }
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    retry: false,
    clock,
    logger,
    ...clientOptions,
    middleware: [...(clientOptions.middleware ?? []), responseCaching({ store, ...options })],
  })
  return { fake, bedrock, store, clock, warnings }
}

async function eventsOf(bedrock: BedrockClient, changes: object = {}): Promise<RawMessageStreamEvent[]> {
  const events: RawMessageStreamEvent[] = []
  for await (const event of bedrock.messages.stream({ ...params, ...changes })) events.push(event)
  return events
}

test('a second call is answered without Bedrock, as the first one was', async () => {
  const { fake, bedrock, clock } = setUp()
  const first = await bedrock.messages.create(params)
  expect(first.metadata.cache).toEqual({ status: 'miss' })
  clock.advance(1200)
  const second = await bedrock.messages.create(params)
  expect(second).toEqual(first)
  expect(second.metadata).toMatchObject({
    cache: { status: 'hit', age: 1200 },
    attempts: 0,
    usage: first.metadata.usage,
  })
  expect(second.metadata.requestId).toBeUndefined()
  expect(fake.calls).toHaveLength(1)
})

test('a stream is played back as a stream, event for event', async () => {
  const { fake, bedrock } = setUp()
  const first = await eventsOf(bedrock)
  expect(await eventsOf(bedrock)).toEqual(first)
  expect(fake.calls).toHaveLength(1)
  const stream = bedrock.messages.stream(params)
  expect((await stream.finalMessage()).metadata.cache?.status).toBe('hit')
})

test('what means the same is the same, in whatever order it is spelled', async () => {
  const { fake, bedrock } = setUp()
  await bedrock.messages.create({ ...params, metadata: { user_id: 'a' } })
  const { messages, model, ...rest } = params
  await bedrock.messages.create({ metadata: { user_id: 'a' }, messages, ...rest, model })
  expect(fake.calls).toHaveLength(1)
})

test.each([
  ['another body', { max_tokens: 51 }],
  ['another model', { model: 'haiku' }],
])('%s is another call', async (_, changes) => {
  const { fake, bedrock } = setUp()
  await bedrock.messages.create(params)
  await bedrock.messages.create({ ...params, ...changes })
  expect(fake.calls).toHaveLength(2)
})

test('identities share answers, namespaces do not', async () => {
  const store = openStore()
  const other = { accessKeyId: 'AKIDOTHER', secretAccessKey: 'secret-example-other' }
  const fake = createFakeBedrock()
  fake.identities.push(other)
  const client = (credentials: typeof other, namespace: string): BedrockClient =>
    createBedrockClient({
      region: fake.region,
      credentials,
      fetch: fake.fetch,
      middleware: [responseCaching({ store, namespace })],
    })
  await client(fake.identity as typeof other, 'a').messages.create(params)
  await client(other, 'a').messages.create(params)
  expect(fake.calls).toHaveLength(1)
  await client(other, 'b').messages.create(params)
  expect(fake.calls).toHaveLength(2)
  for (const [key, value] of store.entries) expect(key + value).not.toContain(other.secretAccessKey)
})

describe('which calls', () => {
  test.each([
    ['a temperature', { temperature: 1 }, {}, 'bypass'],
    ['no temperature', { temperature: undefined }, {}, 'bypass'],
    ['opted in', { temperature: 1 }, { cache: true }, 'miss'],
    ['opted out', {}, { cache: false }, 'bypass'],
  ])('%s', async (_, changes, options, status) => {
    const { bedrock, store } = setUp()
    const { metadata } = await bedrock.messages.create({ ...params, ...changes } as typeof params, options)
    expect(metadata.cache).toEqual({ status })
    expect(store.entries.size).toBe(status === 'miss' ? 1 : 0)
  })

  test('`when` decides, and a key of one’s own', async () => {
    const { fake, bedrock, store } = setUp({ when: () => true, key: (_, key) => `mine-${key}` })
    await bedrock.messages.create({ ...params, temperature: 1 })
    await bedrock.messages.create({ ...params, temperature: 1 })
    expect(fake.calls).toHaveLength(1)
    expect([...store.entries.keys()][0]).toMatch(/^mine-[0-9a-f]{64}$/)
  })

  test('countTokens passes by', async () => {
    const { bedrock, store } = setUp({ when: () => true })
    await bedrock.messages.countTokens({ model: 'sonnet', messages: params.messages })
    expect(store.entries.size).toBe(0)
  })
})

describe('what is not kept', () => {
  test('errors', async () => {
    const { fake, bedrock, store } = setUp()
    fake.fail('throttling')
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ code: 'service' })
    expect(store.entries.size).toBe(0)
    await bedrock.messages.create(params)
    expect(fake.calls).toHaveLength(2)
  })

  test('a stream that was cut', async () => {
    const { fake, bedrock, store } = setUp()
    fake.fail('stream-truncated')
    await expect(eventsOf(bedrock)).rejects.toMatchObject({ code: 'stream_truncated' })
    expect(store.entries.size).toBe(0)
  })

  test('a stream that was left', async () => {
    const { bedrock, store } = setUp()
    for await (const _ of bedrock.messages.stream(params)) break
    expect(store.entries.size).toBe(0)
  })

  test('what a guardrail blocked', async () => {
    const { fake, bedrock, store } = setUp({}, { guardrails: [guardrail], reply: 'Much of it is granite.' })
    const headers = { 'X-Amzn-Bedrock-GuardrailIdentifier': 'gr1', 'X-Amzn-Bedrock-GuardrailVersion': '1' }
    const { metadata } = await bedrock.messages.create(params, { headers })
    expect(metadata.guardrail?.action).toBe('INTERVENED')
    await bedrock.messages.create(params, { headers })
    expect(fake.calls).toHaveLength(2)
    expect(store.entries.size).toBe(0)
  })
})

describe('guarded and unguarded calls do not answer each other', () => {
  const headers = { 'X-Amzn-Bedrock-GuardrailIdentifier': 'gr1', 'X-Amzn-Bedrock-GuardrailVersion': '1' }
  test.each([
    ['plain headers', { headers }],
    ['the typed option', { guardrail: { identifier: 'gr1', version: '1' } }],
  ])('by %s', async (_, options) => {
    const { fake, bedrock } = setUp({}, { guardrails: [guardrail] })
    await bedrock.messages.create(params)
    const guarded = await bedrock.messages.create(params, options)
    expect(guarded.metadata.guardrail?.action).toBe('NONE')
    expect(fake.calls).toHaveLength(2)
    const again = await bedrock.messages.create(params, options)
    expect(again.metadata).toMatchObject({ cache: { status: 'hit' }, guardrail: { action: 'NONE' } })
    expect(fake.calls).toHaveLength(2)
  })

  test('a cache outside of guardrails(…) keeps nothing: its key does not know', async () => {
    const store = openStore()
    const fake = createFakeBedrock({ guardrails: [guardrail] })
    const bedrock = createBedrockClient({
      region: fake.region,
      credentials: fake.identity,
      fetch: fake.fetch,
      middleware: [responseCaching({ store }), guardrails({ identifier: 'gr1', version: '1' })],
    })
    await bedrock.messages.create(params)
    expect(store.entries.size).toBe(0)
  })
})

describe('at the same time', () => {
  test('100 equal streams are one call', async () => {
    const { fake, bedrock } = setUp()
    const all = await Promise.all(Array.from({ length: 100 }, () => eventsOf(bedrock)))
    expect(fake.calls).toHaveLength(1)
    expect(new Set(all.map((events) => JSON.stringify(events))).size).toBe(1)
  })

  test('so are equal messages, and none is another’s object', async () => {
    const { fake, bedrock } = setUp()
    const [a, b] = await Promise.all([bedrock.messages.create(params), bedrock.messages.create(params)])
    expect(fake.calls).toHaveLength(1)
    expect(a).toEqual(b)
    expect(a?.content).not.toBe(b?.content)
    expect([a?.metadata.cache?.status, b?.metadata.cache?.status].sort()).toEqual(['hit', 'miss'])
  })

  test('an error is everyone’s', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('throttling')
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => bedrock.messages.create(params)))
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    expect(fake.calls).toHaveLength(1)
  })

  test('one who leaves takes nobody along', async () => {
    const { fake, bedrock } = setUp()
    const leaver = bedrock.messages.stream(params)
    const staying = bedrock.messages.stream(params)
    const rest = eventsOf(bedrock)
    for await (const _ of leaver) break
    const message = await staying.finalMessage()
    expect(message.stop_reason).toBe('end_turn')
    expect((await rest).at(-1)?.type).toBe('message_stop')
    expect(fake.calls).toHaveLength(1)
    expect(fake.calls[0]?.aborted).toBe(false)
  })

  test('the last one who leaves ends the call', async () => {
    const { fake, bedrock } = setUp({}, { reply: 'word '.repeat(2000) })
    const streams = [bedrock.messages.stream(params), bedrock.messages.stream(params)]
    await Promise.all(
      streams.map(async (stream) => {
        for await (const _ of stream) break
      }),
    )
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
    // And the next call is a new one.
    await bedrock.messages.create(params)
    expect(fake.calls).toHaveLength(2)
  })

  test('an abort before the response came counts as leaving', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('stall')
    const controller = new AbortController()
    const call = bedrock.messages.create(params, { signal: controller.signal })
    await expect.poll(() => fake.calls.length).toBe(1)
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    await bedrock.messages.create(params)
    expect(fake.calls).toHaveLength(2)
  })
})

describe('entries', () => {
  const spoil = async (change: (entry: string) => string): Promise<number> => {
    const { fake, bedrock, store } = setUp()
    await bedrock.messages.create(params)
    for (const [key, value] of store.entries) store.entries.set(key, change(value))
    await bedrock.messages.create(params)
    return fake.calls.length
  }
  test.each([
    ['as it was', (entry: string) => entry, 1],
    ['cut', (entry: string) => entry.slice(0, -10), 2],
    ['not JSON', () => 'nonsense', 2],
    ['empty', () => '', 2],
    ['of a newer version', (entry: string) => JSON.stringify({ ...JSON.parse(entry), version: 2 }), 2],
    ['without its body', (entry: string) => JSON.stringify({ ...JSON.parse(entry), body: undefined }), 2],
    ['of a stream', (entry: string) => JSON.stringify({ ...JSON.parse(entry), body: undefined, events: [] }), 2],
  ])('one that is %s', async (_, change, calls) => {
    expect(await spoil(change)).toBe(calls)
  })

  test('a stale one is a miss', async () => {
    const { fake, bedrock, clock } = setUp({ ttl: 60_000 })
    await bedrock.messages.create(params)
    clock.advance(59_000)
    await bedrock.messages.create(params)
    expect(fake.calls).toHaveLength(1)
    clock.advance(2_000)
    await bedrock.messages.create(params)
    expect(fake.calls).toHaveLength(2)
  })

  test('a call’s own ttl', async () => {
    const { fake, bedrock, clock } = setUp()
    await bedrock.messages.create(params, { cache: { ttl: 1_000 } })
    clock.advance(1_001)
    await bedrock.messages.create(params)
    expect(fake.calls).toHaveLength(2)
  })
})

describe('a store that fails', () => {
  const broken = (get: ResponseStore['get'], set: ResponseStore['set'] = async () => {}): ResponseStore => ({
    get,
    set,
  })

  test('that is down fails no call', async () => {
    const down = async (): Promise<never> => {
      throw new Error('connection refused')
    }
    const { bedrock, warnings } = setUp({ store: broken(down, down) })
    expect((await bedrock.messages.create(params)).metadata.cache).toEqual({ status: 'miss' })
    await expect.poll(() => warnings.length).toBe(2)
    expect(warnings.join()).toContain('connection refused')
  })

  test('that hangs delays a call by its deadline, and no longer', async () => {
    const clock = createTestClock(Date.now())
    const deadlines: number[] = []
    const impatient = {
      ...clock,
      setTimeout: ((callback: () => void, milliseconds: number) => {
        deadlines.push(milliseconds)
        return setTimeout(callback, milliseconds === 40 ? 0 : milliseconds)
      }) as never,
    }
    const { bedrock, fake } = setUp(
      { store: broken(() => new Promise(() => {})), storeTimeout: 40 },
      {},
      { clock: impatient },
    )
    await bedrock.messages.create(params)
    expect(deadlines).toContain(40)
    expect(fake.calls).toHaveLength(1)
  })

  test('a Worker is kept alive until it is written', async () => {
    const waiting: Promise<unknown>[] = []
    const { bedrock } = setUp({ waitUntil: (promise) => waiting.push(promise) })
    await bedrock.messages.create(params)
    expect(waiting).toHaveLength(1)
    await Promise.all(waiting)
  })
})

test.each([{ ttl: 0 }, { storeTimeout: -1 }, { store: undefined }])('refuses %j at once', (options) => {
  expect(() => responseCaching({ store: memoryStore(), ...options } as never)).toThrow(
    expect.objectContaining({ code: 'configuration' }),
  )
})
