import { getEventListeners } from 'node:events'
import { type BedrockCoreClient, type CoreClientOptions, createBedrockClient } from 'outcrop/core'
import { createFakeBedrock, type FakeBedrock } from 'outcrop/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}
const clock = {
  now: () => Date.now(),
  setTimeout: (callback: () => void, milliseconds: number) =>
    milliseconds >= 300_000 ? undefined : setTimeout(callback, 0),
  clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
}

function client(fake: FakeBedrock, options: CoreClientOptions = {}): BedrockCoreClient {
  return createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    clock,
    random: () => 0,
    ...options,
  })
}

/** A `fetch` whose response bodies are changed on their way. */
function withBody(
  fake: FakeBedrock,
  change: (chunks: Uint8Array[], controller: ReadableStreamDefaultController<Uint8Array>) => void,
): typeof fetch {
  return async (input, init) => {
    const response = await fake.fetch(input, init)
    const bytes = new Uint8Array(await response.arrayBuffer())
    const { status, headers } = response
    return new Response(new ReadableStream({ start: (controller) => change([bytes], controller) }), { status, headers })
  }
}

describe('many calls with a wrong clock', () => {
  const hour = 3_600_000
  const drifting = { ...clock, now: () => Date.now() + hour }

  test('all succeed, each replayed at most once', async () => {
    const fake = createFakeBedrock()
    const bedrock = client(fake, { clock: drifting, retry: false })
    const results = await Promise.all(Array.from({ length: 50 }, () => bedrock.messages.create(params)))
    expect(results.map(({ metadata }) => metadata.attempts).every((attempts) => attempts <= 2)).toBe(true)
    expect(fake.calls.length).toBeLessThanOrEqual(100)
    await bedrock.messages.create(params)
    expect(fake.calls.at(-1)?.status).toBe(200)
  })

  test('do not keep an invalid Date', async () => {
    const fake = createFakeBedrock()
    let isBogus = true
    const lying: typeof fetch = async (input, init) => {
      if (!isBogus) return fake.fetch(input, init)
      return Response.json(
        { message: 'Signature expired' },
        {
          status: 403,
          headers: { 'x-amzn-errortype': 'InvalidSignatureException', date: 'Thu, 01 Jan 2015 00:00:00 GMT' },
        },
      )
    }
    const bedrock = client(fake, { fetch: lying, retry: false })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ type: 'InvalidSignatureException' })
    isBogus = false
    const { metadata } = await bedrock.messages.create(params)
    expect(metadata.attempts).toBe(1)
  })

  test('correct the clock again when it moves again', async () => {
    const fake = createFakeBedrock()
    let drift = hour
    const bedrock = client(fake, { clock: { ...clock, now: () => Date.now() + drift }, retry: false })
    await bedrock.messages.create(params)
    drift = -hour
    await bedrock.messages.create(params)
    await bedrock.messages.create(params)
    expect(fake.calls.map(({ status }) => status)).toEqual([403, 200, 403, 200, 200])
  })
})

describe('after message_stop', () => {
  test.each<[string, (controller: ReadableStreamDefaultController<Uint8Array>) => void]>([
    ['ignores a reset', (controller) => controller.error(new TypeError('terminated'))],
    [
      'ignores a cut frame',
      (controller) => {
        controller.enqueue(new Uint8Array([0, 0, 1]))
        controller.close()
      },
    ],
    ['does not wait for the idle timeout of an open connection', () => {}],
  ])('%s', async (_, end) => {
    const fake = createFakeBedrock({ reply: 'whole' })
    const fetch = withBody(fake, (chunks, controller) => {
      for (const chunk of chunks) controller.enqueue(chunk)
      // The bytes come first: an error at once would throw them away.
      setTimeout(() => end(controller), 0)
    })
    const timeout = { idle: 299_000 }
    const message = await client(fake, { fetch, timeout }).messages.stream(params).finalMessage()
    expect(message.content).toEqual([expect.objectContaining({ text: 'whole' })])
    const { events } = await client(fake, { fetch, timeout }).invokeStream({
      model: params.model,
      body: { anthropic_version: 'bedrock-2023-05-31', ...params, model: undefined },
    })
    const types: unknown[] = []
    for await (const { type } of events) types.push(type)
    expect(types.at(-1)).toBe('message_stop')
  })

  test('still reports a damaged frame', async () => {
    const fake = createFakeBedrock({ reply: 'whole' })
    const fetch = withBody(fake, (chunks, controller) => {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.enqueue(new Uint8Array(64).fill(7))
      controller.close()
    })
    await expect(client(fake, { fetch }).messages.stream(params).finalMessage()).rejects.toMatchObject({
      code: 'stream_corrupt',
    })
  })
})

describe('limits of a response', () => {
  test('reads 64 KB of an error', async () => {
    const fake = createFakeBedrock()
    let pulled = 0
    const endless = (): Response =>
      new Response(
        new ReadableStream({
          pull(controller) {
            pulled += 65_536
            controller.enqueue(new Uint8Array(65_536).fill(97))
          },
        }),
        { status: 500 },
      )
    const error = await client(fake, { fetch: async () => endless(), retry: false })
      .messages.create(params)
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'service', status: 500 })
    expect((error as Error).message.length).toBeLessThan(1000)
    expect(pulled).toBeLessThan(1_000_000)
  })

  test('rejects a body without an end, and stops reading', async () => {
    const fake = createFakeBedrock()
    const chunk = new Uint8Array(16_777_216).fill(32)
    const endless = (): Response =>
      new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }), { status: 200 })
    await expect(client(fake, { fetch: async () => endless() }).messages.create(params)).rejects.toMatchObject({
      code: 'connection',
      retryable: false,
      message: expect.stringContaining('longer than'),
    })
  })

  test('compares the content type without regard to case', async () => {
    const fake = createFakeBedrock({ reply: 'fine' })
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const { status, body } = await fake.fetch(input, init)
      return new Response(body, { status, headers: { 'content-type': 'Application/Vnd.Amazon.EventStream' } })
    }
    expect(await client(fake, { fetch }).messages.stream(params).finalText()).toBe('fine')
  })

  test('rejects a CountTokens response without a number as a service error', async () => {
    const fake = createFakeBedrock()
    const bedrock = client(fake, { fetch: async () => Response.json({ tokens: 'many' }) })
    await expect(bedrock.messages.countTokens(params)).rejects.toMatchObject({ code: 'service', status: 200 })
  })

  test('reports an error event without an object as an error', async () => {
    const fake = createFakeBedrock({ reply: [{ type: 'error', error: 'out of luck' }] })
    await expect(client(fake, { retry: false }).messages.stream(params).finalMessage()).rejects.toMatchObject({
      code: 'stream_exception',
      message: 'out of luck',
    })
  })
})

test('retries 529, and obeys x-amz-retry-after', async () => {
  const fake = createFakeBedrock()
  const pauses: number[] = []
  let calls = 0
  const fetch: typeof globalThis.fetch = async (input, init) =>
    calls++ > 0
      ? fake.fetch(input, init)
      : Response.json({ message: 'Overloaded' }, { status: 529, headers: { 'x-amz-retry-after': '1234' } })
  const waiting = (callback: () => void, milliseconds: number): unknown => {
    pauses.push(milliseconds)
    return clock.setTimeout(callback, milliseconds)
  }
  await client(fake, { fetch, clock: { ...clock, setTimeout: waiting } }).messages.create(params)
  expect(pauses).toContain(1234)
})

describe('the retry budget', () => {
  test('does not multiply a storm of 429s by three', async () => {
    const fake = createFakeBedrock()
    fake.fail('throttling', { times: 1e9 })
    const bedrock = client(fake)
    for (let i = 0; i < 1000; i++) await bedrock.messages.create(params).catch(() => {})
    // 500 units, five for each retry of a 429: a hundred retries beside a thousand calls.
    expect(fake.calls).toHaveLength(1100)
  })

  test('is shared by clients of withOptions, and refills with successes', async () => {
    const fake = createFakeBedrock()
    const bedrock = client(fake, { retryBudget: 14 })
    const other = bedrock.withOptions({ headers: { 'x-app': 'b' } })
    const attempts = async (each: BedrockCoreClient): Promise<number> => {
      fake.reset()
      fake.fail('internal', { times: 9 })
      await each.messages.create(params).catch(() => {})
      return fake.calls.length
    }
    expect(await attempts(bedrock)).toBe(2)
    expect(await attempts(other)).toBe(1)
    fake.reset()
    for (let i = 0; i < 14; i++) await other.messages.create(params)
    expect(await attempts(bedrock)).toBe(2)
    expect(await attempts(bedrock.withOptions({ retryBudget: 28 }))).toBe(3)
  })

  test('gets its token back from a retry that succeeds', async () => {
    const fake = createFakeBedrock()
    const bedrock = client(fake, { retryBudget: 14 })
    for (let i = 0; i < 20; i++) {
      fake.fail('internal')
      await bedrock.messages.create(params)
    }
    expect(fake.calls).toHaveLength(40)
  })

  test('has no limit with false; other values must be 0 or more', async () => {
    const fake = createFakeBedrock()
    fake.fail('internal', { times: 1e9 })
    const bedrock = client(fake, { retryBudget: false })
    for (let i = 0; i < 100; i++) await bedrock.messages.create(params).catch(() => {})
    expect(fake.calls).toHaveLength(300)
    for (const retryBudget of [-1, Number.NaN, 'many' as never])
      expect(() => client(fake, { retryBudget })).toThrow(expect.objectContaining({ code: 'configuration' }))
  })

  // https://github.com/aws/aws-sdk-js-v3/issues/1196
  test('does not count the replacement of a dead kept-alive connection', async () => {
    const fake = createFakeBedrock()
    let calls = 0
    const fetch: typeof globalThis.fetch = async (input, init) => {
      if (calls++ > 0) return fake.fetch(input, init)
      throw Object.assign(new TypeError('fetch failed'), {
        cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }),
      })
    }
    const pauses = vi.fn(clock.setTimeout)
    const bedrock = client(fake, { fetch, retryBudget: 0, clock: { ...clock, setTimeout: pauses } })
    // Browsers and Workers do not tell why a connection failed.
    const isTold = (await import('#platform')).isConnectionReset({ cause: { code: 'EPIPE' } })
    if (!isTold) return
    expect((await bedrock.messages.create(params)).metadata.attempts).toBe(2)
    expect(pauses.mock.calls.filter(([, milliseconds]) => milliseconds < 300_000)).toEqual([])
    calls = 0
    await expect(bedrock.messages.create(params, { retry: false })).rejects.toMatchObject({ code: 'connection' })
  })
})

describe('a retried call', () => {
  test('keeps its timeouts and signal after an exception before the first event', async () => {
    const fake = createFakeBedrock()
    const timers = new Map<object, () => void>()
    const manual = {
      now: () => Date.now(),
      setTimeout: (callback: () => void, milliseconds: number) => {
        const handle = {}
        if (milliseconds === 4242) timers.set(handle, callback)
        else if (milliseconds < 300_000) setTimeout(callback, 0)
        return handle
      },
      clearTimeout: (handle: unknown) => void timers.delete(handle as object),
    }
    fake.fail('stream-throttling', { after: 0 })
    fake.fail('stream-stall', { after: 2 })
    const controller = new AbortController()
    const stream = client(fake, { clock: manual, timeout: { total: 4242 } }).messages.stream(params, {
      signal: controller.signal,
    })
    const rejection = expect(stream.finalMessage()).rejects.toMatchObject({ code: 'timeout', phase: 'total' })
    await stream.started()
    expect(fake.calls).toHaveLength(2)
    expect(timers.size).toBe(1)
    for (const callback of timers.values()) callback()
    await rejection
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  })

  test('asks for credentials before each attempt', async () => {
    const fake = createFakeBedrock()
    const credentials = vi.fn(async () => ({ ...fake.identity, expiration: new Date(0) }) as never)
    fake.fail('internal', { times: 2 })
    await client(fake, { credentials })
      .messages.create(params)
      .catch(() => {})
    expect(credentials.mock.calls.length).toBeGreaterThanOrEqual(3)
  })
})

describe('one signal for many calls', () => {
  const warnings: string[] = []
  const listen = (warning: Error): void => void warnings.push(warning.name)
  afterEach(() => {
    process.off('warning', listen)
  })

  test('gets one listener, no leak warning, and none in the end', async () => {
    process.on('warning', listen)
    const fake = createFakeBedrock()
    const { signal } = new AbortController()
    const bedrock = client(fake)
    const streams = Array.from({ length: 40 }, () => bedrock.messages.stream(params, { signal }))
    await Promise.all(streams.map((stream) => stream.started()))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await Promise.all(streams.map((stream) => stream.finalMessage()))
    await new Promise((resolve) => setImmediate(resolve))
    expect(warnings).toEqual([])
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('ends them all with its reason', async () => {
    const fake = createFakeBedrock()
    fake.fail('stream-stall', { after: 2, times: 20 })
    const controller = new AbortController()
    const streams = Array.from({ length: 20 }, () =>
      client(fake).messages.stream(params, { signal: controller.signal }),
    )
    await Promise.all(streams.map((stream) => stream.started()))
    const reason = new Error('enough')
    controller.abort(reason)
    for (const stream of streams) await expect(stream.finalMessage()).rejects.toBe(reason)
  })
})

describe('mistyped input is a ConfigurationError before anything is sent', () => {
  const deep = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000)) as never
  const fake = createFakeBedrock()
  const bedrock = client(fake)
  test.each<[string, () => Promise<unknown>]>([
    ['invoke(undefined)', () => bedrock.invoke(undefined as never)],
    ['invoke(null)', () => bedrock.invoke(null as never)],
    ['invokeStream(7)', () => bedrock.invokeStream(7 as never)],
    ['create(undefined)', () => bedrock.messages.create(undefined as never)],
    ['countTokens(null)', () => bedrock.messages.countTokens(null as never)],
    ['timeout: null', () => bedrock.messages.create(params, { timeout: null as never })],
    ['timeout: 5000', () => bedrock.messages.create(params, { timeout: 5000 as never })],
    ['timeout: NaN', () => bedrock.messages.create(params, { timeout: { total: Number.NaN } })],
    ['timeout: -1', () => bedrock.messages.create(params, { timeout: { response: -1 } })],
    ['retry: 5', () => bedrock.messages.create(params, { retry: 5 as never })],
    ['retry: { attempts: 0 }', () => bedrock.messages.create(params, { retry: { attempts: 0 } })],
    ['options: null', () => bedrock.messages.create(params, null as never)],
    ['signal: {}', () => bedrock.messages.create(params, { signal: {} as never })],
    ['singal', () => bedrock.messages.create(params, { singal: new AbortController().signal } as never)],
    ['a lone surrogate in the model', () => bedrock.invoke({ model: 'us.anthropic.claude-\ud800', body: {} })],
    ['20,000 levels of JSON', () => bedrock.messages.create({ ...params, metadata: { deep } as never })],
  ])('%s', async (_, call) => {
    await expect(call()).rejects.toMatchObject({
      name: expect.stringMatching(/^(Configuration|ModelResolution)Error$/),
    })
    expect(fake.calls).toHaveLength(0)
  })

  test('accepts Headers', async () => {
    const fake = createFakeBedrock()
    const headers = new Headers({ 'X-App': 'one' })
    const bedrock = client(fake, { headers })
    await bedrock.messages.create(params, { headers: new Headers({ 'x-call': 'two' }) })
    await bedrock.withOptions({ headers: new Headers({ 'x-more': 'three' }) }).messages.create(params)
    expect(fake.calls[0]?.headers).toMatchObject({ 'x-app': 'one', 'x-call': 'two' })
    expect(fake.calls[1]?.headers).toMatchObject({ 'x-app': 'one', 'x-more': 'three' })
  })

  test.each<[object, RegExp]>([
    [{ timeout: 5000 }, /response, idle, total/],
    [{ retry: 5 }, /attempts/],
    [{ retry: { attemps: 2 } }, /attempts/],
    [{ regoin: 'us-east-1' }, /region/],
    [{ awsRegion: 'us-east-1' }, /region/],
    [{ awsAccessKey: 'AKIDEXAMPLE' }, /credentials/],
    [{ apiKey: 'made-up' }, /credentials: \{ token \}/],
    [{ baseURL: 'https://example.com' }, /endpoint/],
    [{ maxRetries: 2 }, /retry: \{ attempts \}/],
    [{ fetch: 'node-fetch' }, /^/],
    [{ middleware: [{}] }, /^/],
    [{ env: 'prod' }, /^/],
  ])('rejects %j, and suggests the right name', (options, hint) => {
    const error = (() => {
      try {
        return createBedrockClient(options as never)
      } catch (reason) {
        return reason
      }
    })()
    expect(error).toMatchObject({ code: 'configuration' })
    expect((error as { hint?: string }).hint ?? '').toMatch(hint)
    expect(JSON.stringify(error)).not.toContain('made-up')
  })

  test('accepts a synchronous credentials function', async () => {
    const fake = createFakeBedrock()
    const bedrock = client(fake, { credentials: (() => fake.identity) as never })
    await bedrock.messages.create(params)
    expect(fake.calls[0]?.signature.valid).toBe(true)
  })

  test('accepts a single middleware function', async () => {
    const fake = createFakeBedrock()
    const seen = vi.fn(async (request, next) => next(request))
    const bedrock = client(fake, { middleware: seen as never })
    await bedrock.messages.create(params)
    expect(seen).toHaveBeenCalledOnce()
  })
})

describe('env', () => {
  test("replaces the process's variables", async () => {
    const fake = createFakeBedrock({ region: 'eu-central-1' })
    const european = { ...params, model: 'eu.anthropic.claude-sonnet-4-6' }
    const env = {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: (fake.identity as { accessKeyId: string }).accessKeyId,
      AWS_SECRET_ACCESS_KEY: (fake.identity as { secretAccessKey: string }).secretAccessKey,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: 'https://bedrock.example.com',
      // As a Worker's `env` has them: not every binding is text.
      KV: { get: () => 'x' } as never,
    }
    const urls: string[] = []
    const fetch: typeof globalThis.fetch = (input, init) => {
      urls.push(new URL(String(input)).host)
      return fake.fetch(input, init)
    }
    await createBedrockClient({ env, fetch }).messages.create(european)
    expect(urls).toEqual(['bedrock.example.com'])
    await expect(createBedrockClient({ env: {}, fetch }).messages.create(european)).rejects.toMatchObject({
      code: 'configuration',
    })
  })
})
