import { type BedrockCoreClient, type CoreClientOptions, createBedrockClient } from 'outcrop/core'
import { createFakeBedrock, type FakeBedrock, type FaultName } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

interface Setup {
  readonly fake: FakeBedrock
  readonly bedrock: BedrockCoreClient
  /** The pauses between attempts, in milliseconds. */
  readonly pauses: number[]
}

/** A client whose pauses take no time and are written down. Deadlines are longer than any pause. */
function setUp(options: CoreClientOptions = {}): Setup {
  const fake = createFakeBedrock()
  const pauses: number[] = []
  const clock = {
    now: () => Date.now(),
    setTimeout: (callback: () => void, milliseconds: number) => {
      if (milliseconds >= 300_000) return undefined
      pauses.push(milliseconds)
      return setTimeout(callback, 0)
    },
    clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
  }
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    clock,
    random: () => 0.5,
    ...options,
  })
  return { fake, bedrock, pauses }
}

describe('retried failures', () => {
  test.each<FaultName>([
    'throttling',
    'throttling-tokens',
    'model-not-ready',
    'internal',
    'unavailable',
    'model-timeout',
    'model-error',
    'bad-gateway',
    'empty-500',
    'gateway-timeout',
    'cut-json',
    'connection-reset',
  ])('%s', async (fault) => {
    const { fake, bedrock } = setUp()
    fake.fail(fault, { times: 2 })
    expect((await bedrock.messages.create(params)).metadata.attempts).toBe(3)
    expect(fake.calls).toHaveLength(3)
  })

  test.each<FaultName>([
    'throttling-per-day',
    'service-quota',
    'model-error-client',
    'model-access',
    'iam-denied',
    'use-case-form',
    'not-found',
    'on-demand',
    'input-too-long',
    'extra-inputs',
    'redirect',
    'unknown-operation',
  ])('exclude %s', async (fault) => {
    const { fake, bedrock } = setUp()
    fake.fail(fault, { times: 3 })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ code: 'service', retryable: false })
    expect(fake.calls).toHaveLength(1)
  })

  test('include an exception before the first event, but not after it', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('stream-throttling', { after: 0 })
    await bedrock.messages.stream(params).finalMessage()
    expect(fake.calls).toHaveLength(2)
    fake.reset()
    fake.fail('stream-throttling', { after: 1 })
    await expect(bedrock.messages.stream(params).finalMessage()).rejects.toMatchObject({ code: 'stream_exception' })
    expect(fake.calls).toHaveLength(1)
  })
})

describe('number and delay of retries', () => {
  test('makes three attempts by default, and reports them in the last error', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('throttling', { times: 9 })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ attempts: 3 })
    expect(fake.calls).toHaveLength(3)
  })

  test.each([
    [false as const, 1],
    [{ attempts: 1 }, 1],
    [{ attempts: 5 }, 5],
  ])('follows retry: %j', async (retry, attempts) => {
    const { fake, bedrock } = setUp({ retry })
    fake.fail('internal', { times: 9 })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ attempts })
    expect(fake.calls).toHaveLength(attempts)
  })

  test("lets a call override the client's retry", async () => {
    const { fake, bedrock } = setUp({ retry: { attempts: 5 } })
    fake.fail('internal', { times: 9 })
    await expect(bedrock.messages.create(params, { retry: false })).rejects.toMatchObject({ attempts: 1 })
    await expect(bedrock.messages.create(params, { retry: { attempts: 2 } })).rejects.toMatchObject({ attempts: 2 })
  })

  test('doubles the delays, draws them at random, and caps them', async () => {
    const { fake, bedrock, pauses } = setUp({ retry: { attempts: 6, baseDelay: 100, maxDelay: 500 } })
    fake.fail('internal', { times: 9 })
    await bedrock.messages.create(params).catch(() => {})
    expect(pauses).toEqual([50, 100, 200, 250, 250])
  })

  test('draws with full jitter, from nothing to the ceiling', async () => {
    const draws = [0, 0.999]
    const { fake, bedrock, pauses } = setUp({ retry: { baseDelay: 100 }, random: () => draws.shift() ?? 0 })
    fake.fail('internal', { times: 9 })
    await bedrock.messages.create(params).catch(() => {})
    expect(pauses).toEqual([0, 199.8])
  })

  test.each([
    [{ 'retry-after': '3' }, 3000],
    [{ 'retry-after-ms': '250' }, 250],
    [{ 'retry-after-ms': '250', 'retry-after': '3' }, 250],
  ])('obeys %j', async (headers, pause) => {
    const { fake, bedrock, pauses } = setUp({ random: () => 0 })
    fake.fail('throttling', { headers })
    await bedrock.messages.create(params)
    expect(pauses).toEqual([pause])
  })

  test('obeys a date', async () => {
    const { fake, bedrock, pauses } = setUp({ random: () => 0 })
    fake.fail('throttling', { headers: { 'retry-after': new Date(Date.now() + 5000).toUTCString() } })
    await bedrock.messages.create(params)
    expect(pauses[0]).toBeGreaterThan(3000)
    expect(pauses[0]).toBeLessThanOrEqual(5000)
  })

  test('stops if the wait exceeds maxDelay, and says so in the error', async () => {
    const { fake, bedrock } = setUp({ retry: { maxDelay: 10_000 } })
    fake.fail('throttling', { headers: { 'retry-after': '60' } })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ retryAfter: 60_000, attempts: 1 })
  })

  test('obeys x-should-retry, both ways', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('internal', { headers: { 'x-should-retry': 'false' } })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ attempts: 1 })
    fake.fail('extra-inputs', { headers: { 'x-should-retry': 'true' } })
    expect((await bedrock.messages.create(params)).metadata.attempts).toBe(2)
  })

  test('lets retryIf decide instead', async () => {
    const asked: number[] = []
    const { fake, bedrock } = setUp({
      retry: {
        attempts: 4,
        retryIf: (_, attempt) => {
          asked.push(attempt)
          return attempt < 2
        },
      },
    })
    fake.fail('not-found', { times: 9 })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ attempts: 2 })
    expect(asked).toEqual([1, 2])
  })

  test.each([{ attempts: 0 }, { attempts: 1.5 }, { baseDelay: -1 }, { maxDelay: Number.NaN }])(
    'rejects %j at once',
    (retry) => {
      expect(() => createBedrockClient({ retry })).toThrow(expect.objectContaining({ code: 'configuration' }))
    },
  )
})

describe('a wrong clock', () => {
  const hour = 3_600_000
  const skewed = (drift: number, options: CoreClientOptions = {}): Setup =>
    setUp({
      clock: {
        now: () => Date.now() + drift,
        setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
        clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
      },
      ...options,
    })

  test.each([hour, -hour])(
    'off by %d ms is corrected from the response, replayed once, and remembered; it counts as no attempt',
    async (drift) => {
      const { fake, bedrock } = skewed(drift, { retry: false })
      const { metadata } = await bedrock.messages.create(params)
      expect(fake.calls.map(({ status }) => status)).toEqual([403, 200])
      expect(metadata.attempts).toBe(2)
      await bedrock.messages.create(params)
      await bedrock.withOptions({ headers: { a: 'b' } }).messages.create(params)
      expect(fake.calls.map(({ status }) => status)).toEqual([403, 200, 200, 200])
    },
  )

  test('that is different in each response is believed once', async () => {
    let calls = 0
    const lying: typeof fetch = async (_, init) => {
      const signed = new Headers(init?.headers).get('x-amz-date') ?? ''
      const at = Date.parse(signed.replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5'))
      return Response.json(
        { message: 'Signature expired' },
        {
          // So that a client that goes on for ever comes to an end here.
          status: ++calls < 5 ? 403 : 400,
          headers: {
            'x-amzn-errortype': calls < 5 ? 'InvalidSignatureException' : 'ValidationException',
            date: new Date(at + hour).toUTCString(),
          },
        },
      )
    }
    const { bedrock } = setUp({ fetch: lying, retry: false })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ type: 'InvalidSignatureException' })
    expect(calls).toBe(2)
  })

  test('is not corrected for signatures that are wrong for another reason', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('signature-mismatch', { times: 5 })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ code: 'service', status: 403 })
    expect(fake.calls).toHaveLength(1)
  })

  test('and expired credentials are each corrected once', async () => {
    let count = 0
    const { fake, bedrock } = skewed(hour, {
      retry: false,
      credentials: async () => ({ accessKeyId: `AKIDEXAMPLE${count++}`, secretAccessKey: 'secret-example' }),
    })
    fake.identities.push(
      { accessKeyId: 'AKIDEXAMPLE0', secretAccessKey: 'secret-example' },
      { accessKeyId: 'AKIDEXAMPLE1', secretAccessKey: 'secret-example' },
    )
    fake.fail('expired-token')
    await bedrock.messages.create(params)
    expect(fake.calls.map(({ status }) => status)).toEqual([403, 403, 200])
  })
})
