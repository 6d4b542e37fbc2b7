import { getEventListeners } from 'node:events'
import { type BedrockCoreClient, type CoreClientOptions, createBedrockClient } from 'outcrop/core'
import { createFakeBedrock, type FakeBedrock } from 'outcrop/testing'
import { type FakeBedrockServer, serveFakeBedrock } from 'outcrop/testing/node'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

let fake: FakeBedrock
let server: FakeBedrockServer
beforeAll(async () => {
  fake = createFakeBedrock({ reply: 'word '.repeat(500) })
  server = await serveFakeBedrock(fake)
})
afterAll(() => server.close())
beforeEach(() => fake.reset())

/** A clock whose timers run when they are told to. */
function manualClock() {
  const timers = new Map<object, { callback: () => void; milliseconds: number }>()
  return {
    timers,
    now: () => Date.now(),
    setTimeout: (callback: () => void, milliseconds: number) => {
      const handle = {}
      timers.set(handle, { callback, milliseconds })
      return handle
    },
    clearTimeout: (handle: unknown) => void timers.delete(handle as object),
    /** Runs the timer of this length, once it is set and `requests` have arrived. */
    async pass(milliseconds: number, requests = 1): Promise<void> {
      await expect.poll(() => fake.calls.length).toBeGreaterThanOrEqual(requests)
      await expect.poll(() => [...timers.values()].some((timer) => timer.milliseconds === milliseconds)).toBe(true)
      for (const [handle, timer] of timers) {
        if (timer.milliseconds !== milliseconds) continue
        timers.delete(handle)
        timer.callback()
        return
      }
    },
  }
}

function client(options: CoreClientOptions = {}): BedrockCoreClient {
  return createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    endpoint: server.url,
    retry: false,
    ...options,
  })
}

describe('deadlines', () => {
  test('response limits the time to the headers', async () => {
    const clock = manualClock()
    fake.fail('stall')
    const call = client({ clock, timeout: { response: 1234 } }).messages.create(params)
    const rejection = expect(call).rejects.toMatchObject({ code: 'timeout', phase: 'response', retryable: false })
    await clock.pass(1234)
    await rejection
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
    expect(clock.timers.size).toBe(0)
  })

  test('idle limits the time between bytes of a body, and the error has the partial message', async () => {
    const clock = manualClock()
    fake.fail('stream-stall', { after: 4 })
    const stream = client({ clock, timeout: { idle: 4321 } }).messages.stream(params)
    const events: string[] = []
    const rejection = expect(async () => {
      for await (const { type } of stream) events.push(type)
    }).rejects.toMatchObject({ code: 'timeout', phase: 'idle', partial: { role: 'assistant' } })
    await expect.poll(() => events.length).toBe(4)
    await clock.pass(4321)
    await rejection
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
    expect(clock.timers.size).toBe(0)
  })

  test("idle does not count the consumer's time", async () => {
    const clock = manualClock()
    const stream = client({ clock, timeout: { idle: 4321 } }).messages.stream(params)
    for await (const _ of stream) {
      expect([...clock.timers.values()].some(({ milliseconds }) => milliseconds === 4321)).toBe(false)
      break
    }
  })

  test('total limits the whole call, with its retries and body', async () => {
    const clock = manualClock()
    fake.fail('stream-stall', { after: 2 })
    const call = client({ clock, timeout: { total: 9876 } })
      .messages.stream(params)
      .finalMessage()
    const rejection = expect(call).rejects.toMatchObject({ code: 'timeout', phase: 'total' })
    await clock.pass(9876)
    await rejection
    expect(clock.timers.size).toBe(0)
  })

  test("overrides the client's timeouts per call; 0 and Infinity turn one off", async () => {
    const clock = manualClock()
    const bedrock = client({ clock, timeout: { total: 5, response: 0, idle: Number.POSITIVE_INFINITY } })
    await bedrock.messages.create(params, { timeout: { total: 0 } })
    expect(clock.timers.size).toBe(0)
  })

  test('ignores a timeout that is too long for a timer, which would fire at once', async () => {
    const clock = manualClock()
    const most = 2 ** 31 - 1
    const set: number[] = []
    const recording: typeof clock = {
      ...clock,
      setTimeout: (callback, milliseconds) => {
        set.push(milliseconds)
        return clock.setTimeout(callback, milliseconds)
      },
    }
    await client({ clock: recording, timeout: { response: most + 1, idle: 1e12, total: most } }).messages.create(params)
    expect(set).toEqual([most])
  })

  test.each([{ response: -1 }, { idle: Number.NaN }])('rejects %j at once', (timeout) => {
    expect(() => client({ timeout })).toThrow(expect.objectContaining({ code: 'configuration' }))
  })
})

describe("a caller's abort rejects with its own reason", () => {
  const reason = new Error('the user has left')

  test('before anything is sent', async () => {
    await expect(client().messages.create(params, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(fake.calls).toHaveLength(0)
  })

  test('while waiting for the headers', async () => {
    const controller = new AbortController()
    fake.fail('stall')
    const call = client().messages.create(params, { signal: controller.signal })
    await expect.poll(() => fake.calls.length).toBe(1)
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
  })

  test('between two attempts', async () => {
    const clock = manualClock()
    const controller = new AbortController()
    fake.fail('throttling')
    const call = client({ clock, retry: { baseDelay: 1000 }, random: () => 1 }).messages.create(params, {
      signal: controller.signal,
    })
    await expect.poll(() => [...clock.timers.values()].some(({ milliseconds }) => milliseconds === 1000)).toBe(true)
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
    expect(clock.timers.size).toBe(0)
    expect(fake.calls).toHaveLength(1)
  })

  test('while waiting for credentials', async () => {
    const controller = new AbortController()
    const credentials = (): Promise<never> => new Promise(() => {})
    const call = client({ credentials }).messages.create(params, { signal: controller.signal })
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
  })

  test('within a stream', async () => {
    const controller = new AbortController()
    fake.fail('stream-stall', { after: 3 })
    const stream = client().messages.stream(params, { signal: controller.signal })
    const iteration = (async () => {
      for await (const _ of stream) if (stream.snapshot?.content.length) controller.abort(reason)
    })()
    await expect(iteration).rejects.toBe(reason)
    await expect(stream.finalMessage()).rejects.toBe(reason)
    expect(stream.snapshot?.role).toBe('assistant')
  })

  test('and leaves no listener behind', async () => {
    const { signal } = new AbortController()
    await client().messages.create(params, { signal })
    await client().messages.stream(params, { signal }).finalMessage()
    for await (const _ of client().messages.stream(params, { signal })) break
    fake.fail('not-found')
    await client()
      .messages.create(params, { signal })
      .catch(() => {})
    await expect.poll(() => getEventListeners(signal, 'abort').length).toBe(0)
  })
})

describe('leaving a stream closes the connection', () => {
  beforeEach(() => fake.fail('stream-stall', { after: 5 }))

  test.each<[string, (stream: ReturnType<BedrockCoreClient['messages']['stream']>) => Promise<unknown>]>([
    [
      'break',
      async (stream) => {
        for await (const _ of stream) break
      },
    ],
    [
      'abort()',
      async (stream) => {
        await stream[Symbol.asyncIterator]().next()
        stream.abort()
      },
    ],
    [
      'a cancelled ReadableStream',
      async (stream) => {
        const reader = stream.toReadableStream().getReader()
        await reader.read()
        await reader.cancel()
      },
    ],
    [
      'Symbol.asyncDispose',
      async (stream) => {
        await stream[Symbol.asyncIterator]().next()
        await stream[Symbol.asyncDispose]()
      },
    ],
  ])('%s', async (_, leave) => {
    const stream = client().messages.stream(params)
    await leave(stream)
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
  })

  test('also for raw events', async () => {
    const { model, ...body } = params
    const { events } = await client().invokeStream({
      model,
      body: { anthropic_version: 'bedrock-2023-05-31', ...body },
    })
    for await (const _ of events) break
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
  })
})
