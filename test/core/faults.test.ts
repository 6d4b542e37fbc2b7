import { createBedrockClient, isBedrockError, type BedrockErrorByCode } from 'outcrop/core'
import { createFakeBedrock, type FaultName } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

// Every fault over real HTTP, through every way to call.

const fake = createFakeBedrock()
let server: Awaited<ReturnType<typeof serveFakeBedrock>>
beforeAll(async () => {
  server = await serveFakeBedrock(fake)
})
afterAll(() => server.close())
beforeEach(() => fake.reset())

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 64,
  messages: [{ role: 'user' as const, content: 'Hello there, how are you?' }],
}
const body = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 64, messages: params.messages }
const client = (options: object = {}) =>
  createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    endpoint: server.url,
    retry: false,
    ...options,
  })

const ways = {
  create: async (options?: object) => {
    await client(options).messages.create(params)
    return []
  },
  stream: async (options?: object) => {
    const stream = client(options).messages.stream(params)
    const seen: object[] = []
    try {
      for await (const event of stream) seen.push(event)
    } catch (error) {
      await expect(stream.finalMessage()).rejects.toBe(error)
      throw Object.assign(error as object, { seen })
    }
    return seen
  },
  invokeStream: async (options?: object) => {
    const seen: object[] = []
    try {
      const { events } = await client(options).invokeStream({ model: params.model, body })
      for await (const event of events) seen.push(event)
    } catch (error) {
      throw Object.assign(error as object, { seen })
    }
    return seen
  },
}
const ofAll = Object.keys(ways) as (keyof typeof ways)[]
const streamed = ['stream', 'invokeStream'] as const

async function failure(
  promise: Promise<unknown>,
): Promise<BedrockErrorByCode[keyof BedrockErrorByCode] & { seen?: object[] }> {
  const error: unknown = await promise.then(
    () => expect.unreachable('the call should have failed'),
    (reason: unknown) => reason,
  )
  if (!isBedrockError(error)) throw error
  return error
}

describe('faults before the response', () => {
  const rows: [FaultName, { status: number; type: string; retryable: boolean; message?: RegExp }][] = [
    ['throttling', { status: 429, type: 'ThrottlingException', retryable: true }],
    ['throttling-per-day', { status: 429, type: 'ThrottlingException', retryable: false }],
    ['service-quota', { status: 400, type: 'ServiceQuotaExceededException', retryable: false }],
    ['model-not-ready', { status: 429, type: 'ModelNotReadyException', retryable: true }],
    ['internal', { status: 500, type: 'InternalServerException', retryable: true }],
    ['unavailable', { status: 503, type: 'ServiceUnavailableException', retryable: true }],
    ['model-timeout', { status: 408, type: 'ModelTimeoutException', retryable: true }],
    ['model-error', { status: 424, type: 'ModelErrorException', retryable: true }],
    ['model-error-client', { status: 424, type: 'ModelErrorException', retryable: false }],
    [
      'bearer-expired',
      { status: 403, type: 'AccessDeniedException', retryable: false, message: /^Bearer Token has expired$/ },
    ],
    ['use-case-form', { status: 404, type: 'ResourceNotFoundException', retryable: false }],
    ['on-demand', { status: 400, type: 'ValidationException', retryable: false }],
    ['bad-gateway', { status: 502, type: 'UnknownError', retryable: true, message: /^HTTP 502: 502 Bad Gateway$/ }],
    ['gateway-timeout', { status: 504, type: 'UnknownError', retryable: true, message: /upstream request timeout/ }],
    ['empty-500', { status: 500, type: 'UnknownError', retryable: true, message: /^HTTP 500 without a message$/ }],
    ['redirect', { status: 302, type: 'UnknownError', retryable: false, message: /login\.example/ }],
    ['unknown-operation', { status: 200, type: 'UnknownOperationException', retryable: false }],
  ]
  describe.each(ofAll)('%s', (way) => {
    test.each(rows)('%s', async (fault, { message = /./, ...expected }) => {
      fake.fail(fault)
      const error = await failure(ways[way]())
      expect(error).toMatchObject({ name: 'ServiceError', code: 'service', attempts: 1, ...expected })
      expect(error.message).toMatch(message)
    })
  })

  test('keeps the request ID of every AWS response', async () => {
    fake.fail('throttling')
    expect(await failure(ways.create())).toMatchObject({ requestId: expect.stringMatching(/^0{8}-/) })
  })

  test('reports a cut response as a connection error, and retries it', async () => {
    fake.fail('cut-json', { times: 2 })
    expect(await failure(ways.create())).toMatchObject({ code: 'connection', retryable: true })
    await expect(ways.create({ retry: { attempts: 2, baseDelay: 0 } })).resolves.toEqual([])
  })

  test.each(streamed)('rejects a response that is not an event stream: %s', async (way) => {
    fake.fail('stream-wrong-content-type')
    expect(await failure(ways[way]())).toMatchObject({
      code: 'service',
      status: 200,
      retryable: false,
      message: expect.stringContaining('text/event-stream'),
    })
  })
})

describe('faults within a stream', () => {
  const rows: [FaultName, { code: string; status?: number; type?: string; retryable: boolean }][] = [
    ['stream-internal', { code: 'stream_exception', type: 'InternalServerException', status: 500, retryable: true }],
    [
      'stream-model-error',
      { code: 'stream_exception', type: 'ModelStreamErrorException', status: 424, retryable: true },
    ],
    ['stream-validation', { code: 'stream_exception', type: 'ValidationException', status: 400, retryable: false }],
    // https://github.com/vercel/ai/pull/19503: a long run died on a fault that another try would have mended.
    ['stream-throttling', { code: 'stream_exception', type: 'ThrottlingException', status: 429, retryable: true }],
    ['stream-model-timeout', { code: 'stream_exception', type: 'ModelTimeoutException', status: 408, retryable: true }],
    [
      'stream-unavailable',
      { code: 'stream_exception', type: 'ServiceUnavailableException', status: 503, retryable: true },
    ],
    ['stream-unknown-exception', { code: 'stream_exception', type: 'SomethingNewException', retryable: false }],
    // https://github.com/anomalyco/opencode/pull/45004: error frames were dropped.
    ['stream-error-frame', { code: 'stream_exception', type: 'InternalError', retryable: false }],
    ['stream-anthropic-error', { code: 'stream_exception', type: 'overloaded_error', status: 529, retryable: true }],
    // https://github.com/vercel/ai/issues/19035: the end of the connection was taken for the end of the message.
    ['stream-truncated', { code: 'stream_truncated', retryable: true }],
    ['stream-cut', { code: 'stream_truncated', retryable: true }],
    ['stream-reset', { code: 'stream_truncated', retryable: true }],
    ['stream-corrupt', { code: 'stream_corrupt', retryable: true }],
    ['stream-not-base64', { code: 'stream_corrupt', retryable: true }],
    ['stream-not-json', { code: 'stream_corrupt', retryable: true }],
  ]

  describe.each(streamed)('%s', (way) => {
    test.each(rows)('reports %s after the earlier events', async (fault, expected) => {
      fake.fail(fault, { after: 4 })
      const error = await failure(ways[way]())
      expect(error).toMatchObject({ name: 'StreamError', requestId: expect.stringMatching(/^0{8}-/), ...expected })
      expect(error.seen).toHaveLength(4)
      if (way === 'stream')
        expect(error).toMatchObject({ partial: { type: 'message', usage: { input_tokens: expect.any(Number) } } })
    })

    test.each(rows)('retries %s before the first event', async (fault, { retryable }) => {
      fake.fail(fault, { after: 0 })
      const call = ways[way]({ retry: { attempts: 2, baseDelay: 0 } })
      if (retryable) expect((await call).length).toBeGreaterThan(5)
      else expect(await failure(call)).toMatchObject({ attempts: 1 })
    })

    test('reports an empty body', async () => {
      fake.fail('stream-empty')
      expect(await failure(ways[way]())).toMatchObject({ code: 'stream_truncated' })
    })

    test('skips unknown message types', async () => {
      const plain = await ways[way]()
      fake.fail('stream-unknown-event', { after: 2 })
      const events = await ways[way]()
      expect(events.filter((event) => 'type' in event)).toEqual(plain)
    })
  })
})
