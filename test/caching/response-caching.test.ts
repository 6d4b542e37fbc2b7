import {
  type BedrockClient,
  type BedrockClientOptions,
  type BedrockRequest,
  type BedrockResponse,
  createBedrockClient,
  type JsonObject,
  type Middleware,
  type RawMessageStreamEvent,
} from 'outcrop'
import { memoryStore, type ResponseCachingOptions, type ResponseStore, responseCaching } from 'outcrop/caching'
import { createBedrockClient as createCoreClient } from 'outcrop/core'
import { guardrails } from 'outcrop/guardrails'
import { createFakeBedrock, type FakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'
import { describe, expect, test, vi } from 'vitest'
import { createTestClock } from '../credentials/support.ts'
import { createGate, createManualClock } from './support.ts'

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

test('answers a second call like the first, without Bedrock', async () => {
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

test('replays a stream event by event', async () => {
  const { fake, bedrock } = setUp()
  const first = await eventsOf(bedrock)
  expect(await eventsOf(bedrock)).toEqual(first)
  expect(fake.calls).toHaveLength(1)
  const stream = bedrock.messages.stream(params)
  expect((await stream.finalMessage()).metadata.cache?.status).toBe('hit')
})

test('ignores the order of fields', async () => {
  const { fake, bedrock } = setUp()
  await bedrock.messages.create({ ...params, metadata: { user_id: 'a' } })
  const { messages, model, ...rest } = params
  const turned = messages.map(({ content, role }) => ({ content, role }))
  await bedrock.messages.create({ metadata: { user_id: 'a' }, messages: turned, ...rest, model })
  expect(fake.calls).toHaveLength(1)
})

test.each([
  ['another body', { max_tokens: 51 }],
  ['another model', { model: 'haiku' }],
])('separates %s', async (_, changes) => {
  const { fake, bedrock } = setUp()
  await bedrock.messages.create(params)
  await bedrock.messages.create({ ...params, ...changes })
  expect(fake.calls).toHaveLength(2)
})

describe('eligible calls', () => {
  test.each([
    ['with a temperature', { temperature: 1 }, {}, 'bypass'],
    ['without a temperature', { temperature: undefined }, {}, 'bypass'],
    ['opted in', { temperature: 1 }, { cache: true }, 'miss'],
    ['opted out', {}, { cache: false }, 'bypass'],
  ])('are decided: %s', async (_, changes, options, status) => {
    const { bedrock, store } = setUp()
    const { metadata } = await bedrock.messages.create({ ...params, ...changes } as typeof params, options)
    expect(metadata.cache).toEqual({ status })
    expect(store.entries.size).toBe(status === 'miss' ? 1 : 0)
  })

  test('can be chosen by `when`, with your own key', async () => {
    const { fake, bedrock, store } = setUp({ when: () => true, key: (_, key) => `mine-${key}` })
    await bedrock.messages.create({ ...params, temperature: 1 })
    await bedrock.messages.create({ ...params, temperature: 1 })
    expect(fake.calls).toHaveLength(1)
    expect([...store.entries.keys()][0]).toMatch(/^mine-[0-9a-f]{64}$/)
  })

  test('exclude countTokens', async () => {
    const { bedrock, store } = setUp({ when: () => true })
    await bedrock.messages.countTokens({ model: 'sonnet', messages: params.messages })
    expect(store.entries.size).toBe(0)
  })
})

describe('answers that are not stored', () => {
  test('errors', async () => {
    const { fake, bedrock, store } = setUp()
    fake.fail('throttling')
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ code: 'service' })
    expect(store.entries.size).toBe(0)
    await bedrock.messages.create(params)
    expect(fake.calls).toHaveLength(2)
  })

  test('cut streams', async () => {
    const { fake, bedrock, store } = setUp()
    fake.fail('stream-truncated')
    await expect(eventsOf(bedrock)).rejects.toMatchObject({ code: 'stream_truncated' })
    expect(store.entries.size).toBe(0)
  })

  test('abandoned streams', async () => {
    const { bedrock, store } = setUp()
    for await (const _ of bedrock.messages.stream(params)) break
    expect(store.entries.size).toBe(0)
  })

  test.each(['create', 'stream'] as const)('blocked answers in a client of outcrop/core: %s', async (way) => {
    const store = openStore()
    const fake = createFakeBedrock({ guardrails: [guardrail], reply: 'Much of it is granite.' })
    // Here no layer inside the cache reads what the guardrail found.
    const bedrock = createCoreClient({
      region: fake.region,
      credentials: fake.identity,
      fetch: fake.fetch,
      middleware: [guardrails({ identifier: 'gr1', version: 1 }), responseCaching({ store })],
    })
    const asked = { ...params, model: 'us.anthropic.claude-sonnet-4-6' }
    const ask = () =>
      way === 'create' ? bedrock.messages.create(asked) : bedrock.messages.stream(asked).finalMessage()
    expect((await ask()).metadata.guardrail?.action).toBe('INTERVENED')
    expect((await ask()).metadata.cache).toEqual({ status: 'miss' })
    expect(store.entries.size).toBe(0)
  })

  test('messages without a stop_reason', async () => {
    const { bedrock, store } = setUp(
      {},
      { reply: { content: [{ type: 'text', text: 'x' }], stop_reason: null as never } },
    )
    await bedrock.messages.create(params)
    expect(store.entries.size).toBe(0)
  })

  test("empty answers of other providers' models", async () => {
    const answers = [{}, { results: [1] }]
    const { bedrock, store } = setUp({ when: () => true }, {}, { fetch: async () => Response.json(answers.shift()) })
    const ask = async (): Promise<unknown> => {
      const { body, metadata } = await bedrock.invoke({ model: 'amazon.titan-text-v1', body: { inputText: 'Hi' } })
      return [metadata.cache?.status, body]
    }
    expect(await ask()).toEqual(['miss', {}])
    expect(store.entries.size).toBe(0)
    expect(await ask()).toEqual(['miss', { results: [1] }])
    expect(await ask()).toEqual(['hit', { results: [1] }])
  })

  test('blocked answers', async () => {
    const { fake, bedrock, store } = setUp({}, { guardrails: [guardrail], reply: 'Much of it is granite.' })
    const headers = { 'X-Amzn-Bedrock-GuardrailIdentifier': 'gr1', 'X-Amzn-Bedrock-GuardrailVersion': '1' }
    const { metadata } = await bedrock.messages.create(params, { headers })
    expect(metadata.guardrail?.action).toBe('INTERVENED')
    await bedrock.messages.create(params, { headers })
    expect(fake.calls).toHaveLength(2)
    expect(store.entries.size).toBe(0)
  })
})

describe('guarded and unguarded calls', () => {
  const headers = { 'X-Amzn-Bedrock-GuardrailIdentifier': 'gr1', 'X-Amzn-Bedrock-GuardrailVersion': '1' }
  test.each([
    ['headers', { headers }],
    ['the option', { guardrail: { identifier: 'gr1', version: '1' } }],
  ])('share no answers: %s', async (_, options) => {
    const { fake, bedrock } = setUp({}, { guardrails: [guardrail] })
    await bedrock.messages.create(params)
    const guarded = await bedrock.messages.create(params, options)
    expect(guarded.metadata.guardrail?.action).toBe('NONE')
    expect(fake.calls).toHaveLength(2)
    const again = await bedrock.messages.create(params, options)
    expect(again.metadata).toMatchObject({ cache: { status: 'hit' }, guardrail: { action: 'NONE' } })
    expect(fake.calls).toHaveLength(2)
  })

  test('share no answers if a call turns the guardrail off', async () => {
    const { fake, bedrock } = setUp({}, { guardrails: [guardrail] }, { headers })
    for (const status of ['miss', 'hit']) {
      const { metadata } = await bedrock.messages.create(params, { guardrail: false })
      expect(metadata).toMatchObject({ cache: { status } })
      expect(metadata.guardrail).toBeUndefined()
    }
    expect(fake.calls).toHaveLength(1)
    expect((await bedrock.messages.create(params)).metadata).toMatchObject({
      cache: { status: 'miss' },
      guardrail: { action: 'NONE' },
    })
  })

  test('store nothing in a cache outside of guardrails(…), whose key cannot include it', async () => {
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

  test('read nothing in a cache outside of guardrails(…), whose store may have unguarded answers', async () => {
    const store = openStore()
    const warnings: string[] = []
    const fake = createFakeBedrock({ guardrails: [guardrail], reply: 'Much of it is granite.' })
    const client = (middleware: Middleware[]): BedrockClient =>
      createBedrockClient({
        region: fake.region,
        credentials: fake.identity,
        fetch: fake.fetch,
        logger: { debug() {}, info() {}, error() {}, warn: (message) => void warnings.push(message) },
        middleware,
      })
    await client([responseCaching({ store })]).messages.create(params)
    expect(store.entries.size).toBe(1)
    const guarded = client([responseCaching({ store }), guardrails({ identifier: 'gr1', version: '1' })])
    for (let i = 0; i < 3; i++) {
      const { metadata } = await guarded.messages.create(params)
      expect(metadata).toMatchObject({ cache: { status: 'bypass' }, guardrail: { action: 'INTERVENED' } })
    }
    expect(warnings).toEqual([expect.stringContaining('put responseCaching after guardrails')])
  })

  test.each([
    ['an unguarded answer for a guarded call', {}, { guardrail: { identifier: 'gr1', version: '1' } }],
    ['a guarded answer for an unguarded call', { guardrail: { identifier: 'gr1', version: '1' } }, {}],
  ])('miss %s, with any key', async (_, first, second) => {
    const { bedrock, fake } = setUp({ key: () => 'mine' }, { guardrails: [guardrail] })
    await bedrock.messages.create(params, first)
    expect((await bedrock.messages.create(params, second)).metadata.cache?.status).toBe('miss')
    expect(fake.calls).toHaveLength(2)
  })
})

describe('concurrent equal calls', () => {
  test('make one call for 100 streams', async () => {
    const { fake, bedrock } = setUp()
    const all = await Promise.all(Array.from({ length: 100 }, () => eventsOf(bedrock)))
    expect(fake.calls).toHaveLength(1)
    expect(new Set(all.map((events) => JSON.stringify(events))).size).toBe(1)
  })

  test('make one call for messages, each with its own object', async () => {
    const { fake, bedrock } = setUp()
    const [a, b] = await Promise.all([bedrock.messages.create(params), bedrock.messages.create(params)])
    expect(fake.calls).toHaveLength(1)
    expect(a).toEqual(b)
    expect(a?.content).not.toBe(b?.content)
    expect([a?.metadata.cache?.status, b?.metadata.cache?.status].sort()).toEqual(['hit', 'miss'])
  })

  test('make one call for events, each with its own objects', async () => {
    const { bedrock } = setUp()
    const spoil = async (): Promise<void> => {
      for await (const event of bedrock.messages.stream(params)) {
        if (event.type === 'content_block_delta') Object.assign(event.delta, { text: 'spoilt' })
      }
    }
    const [, events] = await Promise.all([spoil(), eventsOf(bedrock), spoil()])
    expect(JSON.stringify(events)).not.toContain('spoilt')
    expect(JSON.stringify(await eventsOf(bedrock))).not.toContain('spoilt')
  })

  test('share an error', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('throttling')
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => bedrock.messages.create(params)))
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    expect(fake.calls).toHaveLength(1)
  })

  test('continue if one caller leaves', async () => {
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

  test('end the call when the last caller leaves', async () => {
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

  test('have their own timeouts', async () => {
    const clock = createManualClock()
    const gate = createGate()
    const { bedrock, fake } = setUp({}, { clock }, { clock, timeout: { total: 1000 } })
    const held = bedrock.withOptions({ fetch: gate.hold(fake.fetch) })
    const first = held.messages.create(params)
    const second = held.messages.create(params, { timeout: { total: 3000 } })
    const third = held.messages.stream(params, { timeout: { total: 0 } }).finalMessage()
    await gate.reached
    clock.advance(1000)
    await expect(first).rejects.toMatchObject({
      code: 'timeout',
      phase: 'total',
      message: expect.stringContaining('1000'),
    })
    clock.advance(1500)
    gate.open()
    expect((await second).metadata).toMatchObject({ cache: { status: 'hit' }, latency: 2500 })
    expect((await third).stop_reason).toBe('end_turn')
    expect(clock.timers.size).toBe(0)
  })

  test('continue for a late caller when the first one times out', async () => {
    const clock = createManualClock()
    const gate = createGate()
    const { bedrock, fake } = setUp({}, { clock }, { clock, timeout: { total: 1000 } })
    const held = bedrock.withOptions({ fetch: gate.hold(fake.fetch) })
    const first = held.messages.create(params)
    await gate.reached
    clock.advance(900)
    const late = held.messages.create(params)
    await expect.poll(() => clock.timers.size).toBeGreaterThan(2)
    clock.advance(900)
    await expect(first).rejects.toMatchObject({ phase: 'total' })
    gate.open()
    expect((await late).metadata.cache?.status).toBe('hit')
    expect(fake.calls).toHaveLength(1)
  })

  test.each([
    ['other timeouts', { timeout: { idle: 5000 } }],
    ['other retries', { retry: { attempts: 2 } }],
    ['a function that cannot be compared', { retry: { retryIf: () => false } }],
  ])('are not shared with %s', async (_, options) => {
    const { bedrock, fake } = setUp()
    await Promise.all([bedrock.messages.create(params), bedrock.messages.create(params, options)])
    expect(fake.calls).toHaveLength(2)
  })

  test('are not shared by calls that each have a function', async () => {
    const { bedrock, fake } = setUp()
    const options = () => ({ retry: { retryIf: () => false } })
    await Promise.all([bedrock.messages.create(params, options()), bedrock.messages.create(params, options())])
    expect(fake.calls).toHaveLength(2)
  })

  test('are separated by stream and guardrail even with your own key', async () => {
    const { bedrock, fake } = setUp({ key: () => 'mine' }, { guardrails: [guardrail] })
    const guarded = { guardrail: { identifier: 'gr1', version: '1' } }
    const [message, events, other] = await Promise.all([
      bedrock.messages.create(params),
      eventsOf(bedrock),
      bedrock.messages.create(params, guarded),
    ])
    expect(message.type).toBe('message')
    expect(events.at(-1)?.type).toBe('message_stop')
    expect([message.metadata.guardrail?.action, other.metadata.guardrail?.action]).toEqual([undefined, 'NONE'])
    expect(fake.calls).toHaveLength(3)
  })

  test('read no stream of another request on Workers', async () => {
    vi.stubGlobal('WebSocketPair', class {})
    try {
      const { bedrock, fake } = setUp()
      const all = await Promise.all([eventsOf(bedrock), eventsOf(bedrock)])
      expect(all[0]?.at(-1)?.type).toBe('message_stop')
      expect(fake.calls).toHaveLength(2)
    } finally {
      vi.unstubAllGlobals()
    }
  })

  test('complete a message that was left at its end', async () => {
    const { bedrock, fake, store } = setUp()
    for await (const { type } of bedrock.messages.stream(params)) if (type === 'message_stop') break
    expect(store.entries.size).toBe(1)
    expect((await bedrock.messages.stream(params).finalMessage()).metadata.cache?.status).toBe('hit')
    expect(fake.calls).toHaveLength(1)
  })

  test('end an unread stream that is aborted', async () => {
    const { bedrock, fake } = setUp({}, { reply: 'word '.repeat(2000) })
    const { model, ...body } = params
    const controller = new AbortController()
    const options = { signal: controller.signal }
    const { events } = await bedrock.invokeStream({ model, body: { anthropic_version: 'x', ...body } }, options)
    controller.abort(new Error('enough'))
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
    await expect(events[Symbol.asyncIterator]().next()).rejects.toThrow('enough')
  })

  describe('if every caller has left before the response', () => {
    // Ignores an abort.
    const withBackend = () => {
      const started: ((response: BedrockResponse) => void)[] = []
      const { fake, store } = setUp()
      let keys = 0
      const key = (_: BedrockRequest, defaultKey: string): string => {
        keys++
        return defaultKey
      }
      const held = createBedrockClient({
        region: fake.region,
        credentials: 'none',
        middleware: [
          responseCaching({ store, key }),
          () => new Promise<BedrockResponse>((resolve) => void started.push(resolve)),
        ],
      })
      return { held, started, keys: () => keys }
    }
    // After every promise that can settle by itself.
    const settled = () => new Promise((resolve) => setImmediate(resolve))
    const metadata = () => ({
      requestId: 'r',
      status: 200,
      headers: {},
      attempts: 1,
      model: {
        id: 'us.anthropic.claude-sonnet-4-6',
        base: 'anthropic.claude-sonnet-4-6',
        source: 'explicit' as const,
      },
      usage: {},
      latency: 1,
    })
    const body = { type: 'message', content: [], stop_reason: 'end_turn' }

    test('the late response does not end the next call, which others still join', async () => {
      const { held, started, keys } = withBackend()
      const controller = new AbortController()
      const left = held.messages.create(params, { signal: controller.signal })
      await expect.poll(() => started.length).toBe(1)
      controller.abort(new Error('enough'))
      await expect(left).rejects.toThrow('enough')
      const next = held.messages.create(params)
      await expect.poll(() => started.length).toBe(2)
      started[0]?.({ type: 'json', body: { ...body, id: 'late' }, metadata: metadata() })
      await settled()
      const joined = held.messages.create(params)
      await expect.poll(keys).toBe(3)
      await settled()
      expect(started).toHaveLength(2)
      started[1]?.({ type: 'json', body: { ...body, id: 'next' }, metadata: metadata() })
      expect([(await next).id, (await joined).id]).toEqual(['next', 'next'])
    })

    test('a stream that begins later is closed', async () => {
      const { held, started } = withBackend()
      const stream = held.messages.stream(params)
      const message = stream.finalMessage()
      await expect.poll(() => started.length).toBe(1)
      stream.abort()
      await expect(message).rejects.toMatchObject({ name: 'AbortError' })
      const closed = new Promise<void>((resolve) => {
        const events: AsyncIterableIterator<JsonObject> = {
          next: () => new Promise(() => {}),
          return: async () => {
            resolve()
            return { done: true, value: undefined }
          },
          [Symbol.asyncIterator]: () => events,
        }
        started[0]?.({ type: 'stream', events, metadata: metadata() })
      })
      await closed
    })
  })

  test('count an abort before the response as leaving', async () => {
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

describe('stored entries', () => {
  test("have the answers of other providers' models to messages", async () => {
    const answer = { output: { message: { role: 'assistant', content: [{ text: 'Hi' }] } }, stopReason: 'end_turn' }
    const { bedrock } = setUp({ when: () => true }, {}, { fetch: async () => Response.json(answer) })
    const body = { schemaVersion: 'messages-v1', messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }
    const ask = () => bedrock.invoke({ model: 'us.amazon.nova-lite-v1:0', body })
    expect((await ask()).metadata.cache?.status).toBe('miss')
    expect(await ask()).toMatchObject({ body: answer, metadata: { cache: { status: 'hit' } } })
  })

  const spoil = async (change: (entry: string) => string): Promise<number> => {
    const { fake, bedrock, store } = setUp()
    await bedrock.messages.create(params)
    for (const [key, value] of store.entries) store.entries.set(key, change(value))
    await bedrock.messages.create(params)
    return fake.calls.length
  }
  test.each([
    ['unchanged', (entry: string) => entry, 1],
    ['cut', (entry: string) => entry.slice(0, -10), 2],
    ['not JSON', () => 'nonsense', 2],
    ['empty', () => '', 2],
    ['of a newer version', (entry: string) => JSON.stringify({ ...JSON.parse(entry), version: 2 }), 2],
    ['without a body', (entry: string) => JSON.stringify({ ...JSON.parse(entry), body: undefined }), 2],
    ['of a stream', (entry: string) => JSON.stringify({ ...JSON.parse(entry), body: undefined, events: [] }), 2],
    ['{}', () => '{}', 2],
    ['[]', () => '[]', 2],
    ['with an empty body', (entry: string) => JSON.stringify({ ...JSON.parse(entry), body: {} }), 2],
    ['with a list as the body', (entry: string) => JSON.stringify({ ...JSON.parse(entry), body: [] }), 2],
    ['without content', (entry: string) => JSON.stringify({ ...JSON.parse(entry), body: { type: 'message' } }), 2],
    ['without usage', (entry: string) => JSON.stringify({ ...JSON.parse(entry), usage: undefined }), 2],
    [
      'with invalid usage',
      (entry: string) => JSON.stringify({ ...JSON.parse(entry), usage: { inputTokens: 1, a: 'x' } }),
      2,
    ],
    ['without an expiry', (entry: string) => JSON.stringify({ ...JSON.parse(entry), expires: null }), 2],
    [
      "of a guardrail's intervention",
      (entry: string) => JSON.stringify({ ...JSON.parse(entry), guardrail: { action: 'INTERVENED', assessments: [] } }),
      2,
    ],
  ])('are hits or misses: %s', async (_, change, calls) => {
    expect(await spoil(change)).toBe(calls)
  })

  test.each([
    ['without message_stop', (events: { type: string }[]) => events.slice(0, -1)],
    ['without message_start', (events: { type: string }[]) => events.slice(1)],
    ['without events', () => []],
    ['with an invalid event', (events: { type: string }[]) => [...events, null]],
  ])('of a stream are misses %s', async (_, change) => {
    const { fake, bedrock, store } = setUp()
    await eventsOf(bedrock)
    for (const [key, value] of store.entries) {
      const entry = JSON.parse(value)
      store.entries.set(key, JSON.stringify({ ...entry, events: change(entry.events) }))
    }
    expect((await eventsOf(bedrock)).at(-1)?.type).toBe('message_stop')
    expect(fake.calls).toHaveLength(2)
  })

  test('keep the adaptations of the request', async () => {
    const { bedrock } = setUp()
    const asked = { ...params, model: 'us.anthropic.claude-opus-4-6-v1', inference_geo: 'us' } as never
    const first = await bedrock.messages.create(asked, { cache: true })
    expect(first.metadata.adaptations?.length).toBeGreaterThan(0)
    const second = await bedrock.messages.create(asked, { cache: true })
    expect(second.metadata).toMatchObject({ cache: { status: 'hit' }, adaptations: first.metadata.adaptations })
  })

  test('expire', async () => {
    const { fake, bedrock, clock } = setUp({ ttl: 60_000 })
    await bedrock.messages.create(params)
    clock.advance(59_000)
    await bedrock.messages.create(params)
    expect(fake.calls).toHaveLength(1)
    clock.advance(2_000)
    await bedrock.messages.create(params)
    expect(fake.calls).toHaveLength(2)
  })

  test("have the call's own ttl", async () => {
    const { fake, bedrock, clock } = setUp()
    await bedrock.messages.create(params, { cache: { ttl: 1_000 } })
    clock.advance(1_001)
    await bedrock.messages.create(params)
    expect(fake.calls).toHaveLength(2)
  })
})

describe('a failing store', () => {
  const broken = (get: ResponseStore['get'], set: ResponseStore['set'] = async () => {}): ResponseStore => ({
    get,
    set,
  })

  test('does not fail a call if it is down', async () => {
    const down = async (): Promise<never> => {
      throw new Error('connection refused')
    }
    const { bedrock, warnings } = setUp({ store: broken(down, down) })
    expect((await bedrock.messages.create(params)).metadata.cache).toEqual({ status: 'miss' })
    await expect.poll(() => warnings.length).toBe(2)
    expect(warnings.join()).toContain('connection refused')
  })

  test.each([undefined, null, 'a string', { code: 'ECONNREFUSED' }])(
    'does not fail a call if it rejects with %j',
    async (reason) => {
      const down = () => Promise.reject(reason)
      const { bedrock, warnings } = setUp({ store: broken(down, down) })
      expect((await bedrock.messages.create(params)).metadata.cache).toEqual({ status: 'miss' })
      await expect.poll(() => warnings.length).toBe(2)
    },
  )

  test('does not fail a call if it throws or is synchronous', async () => {
    const thrower = () => {
      throw new Error('not connected')
    }
    const { bedrock } = setUp({ store: broken(thrower, thrower) })
    expect((await bedrock.messages.create(params)).metadata.cache).toEqual({ status: 'miss' })
    const sync = setUp({ store: broken((() => undefined) as never, (() => undefined) as never) })
    expect((await sync.bedrock.messages.create(params)).metadata.cache).toEqual({ status: 'miss' })
  })

  test('does not leak its password into the log', async () => {
    const down = async (): Promise<never> => {
      throw new Error('connect ECONNREFUSED redis://admin:hunter2@cache.internal:6379')
    }
    const { bedrock, warnings } = setUp({ store: broken(down, down) })
    await bedrock.messages.create(params)
    expect(warnings.join()).toContain('redis://cache.internal')
    expect(warnings.join()).not.toContain('hunter2')
  })

  test('does not fail a call if waitUntil throws', async () => {
    const waitUntil = (): never => {
      throw new Error('the response has been sent')
    }
    const { bedrock, store } = setUp({ waitUntil })
    expect((await bedrock.messages.create(params)).stop_reason).toBe('end_turn')
    await expect.poll(() => store.entries.size).toBe(1)
  })

  test('delays a call at most by its timeout', async () => {
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

  test('keeps a Worker alive until it has stored the answer', async () => {
    const waiting: Promise<unknown>[] = []
    const { bedrock } = setUp({ waitUntil: (promise) => waiting.push(promise) })
    await bedrock.messages.create(params)
    expect(waiting).toHaveLength(1)
    await Promise.all(waiting)
  })
})

test.each([
  { ttl: 0 },
  { ttl: Number.NaN },
  { ttl: Number.POSITIVE_INFINITY },
  { storeTimeout: -1 },
  { storeTimeout: 2 ** 31 },
  { scope: 'everyone' },
  { store: undefined },
])('rejects %j at once', (options) => {
  expect(() => responseCaching({ store: memoryStore(), ...options } as never)).toThrow(
    expect.objectContaining({ code: 'configuration' }),
  )
})

test.each([0, -1, Number.NaN])('rejects a call with a ttl of %d before anything is sent', async (ttl) => {
  const { bedrock, fake } = setUp()
  await expect(bedrock.messages.create(params, { cache: { ttl } })).rejects.toMatchObject({ code: 'configuration' })
  expect(fake.calls).toHaveLength(0)
})

test('rejects a misspelled option of a call before anything is sent', async () => {
  const { bedrock, fake } = setUp()
  const cache = { tll: 1000 } as never
  await expect(bedrock.messages.create(params, { cache })).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('tll'),
  })
  expect(fake.calls).toHaveLength(0)
})

// With such a key all calls would share one answer.
test.each(['', undefined, 7, {}])('rejects a call whose own key is %j before anything is sent', async (key) => {
  const { bedrock, fake, store } = setUp({ key: () => key as never })
  await expect(bedrock.messages.create(params)).rejects.toMatchObject({
    code: 'configuration',
    message: 'key must return a non-empty string',
  })
  expect(fake.calls).toHaveLength(0)
  expect(store.entries.size).toBe(0)
})
