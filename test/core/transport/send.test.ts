import { type BedrockCoreClient, type CoreClientOptions, createBedrockClient, type Middleware } from 'outcrop/core'
import { createFakeBedrock, type FakeBedrock, type FaultName } from 'outcrop/testing'
import { describe, expect, test, vi } from 'vitest'
import { isConnectionReset } from '#platform'

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

/** A clock on which a time of 1234 ms is over at once, and deadlines of minutes never end. */
const hasty = {
  now: () => Date.now(),
  setTimeout: (callback: () => void, milliseconds: number) =>
    milliseconds >= 300_000 ? undefined : setTimeout(callback, 0),
  clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
}

function setUp(options: CoreClientOptions = {}): { fake: FakeBedrock; bedrock: BedrockCoreClient } {
  const fake = createFakeBedrock()
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    clock: hasty,
    random: () => 0,
    ...options,
  })
  return { fake, bedrock }
}

const call = (bedrock: BedrockCoreClient, isStream = false): Promise<unknown> =>
  isStream ? bedrock.messages.stream(params).finalMessage() : bedrock.messages.create(params)

describe('a timeout', () => {
  const always = { attempts: 3, retryIf: () => true }

  test.each<[string, object, number]>([
    ['of the response ends one attempt, which retryIf may repeat', { response: 1234 }, 2],
    ['of the whole call ends it, even if retryIf returns true', { total: 1234 }, 0],
  ])('%s', async (_, timeout, retries) => {
    const { fake, bedrock } = setUp({ retry: always, timeout })
    fake.fail('stall', { times: 3 })
    const onRetry = vi.fn()
    const [phase] = Object.keys(timeout)
    await expect(bedrock.messages.create(params, { onRetry })).rejects.toMatchObject({ code: 'timeout', phase })
    expect(onRetry).toHaveBeenCalledTimes(retries)
  })

  test.each<[string, FaultName, boolean, string]>([
    ['response', 'stall', false, 'Stream long answers, or raise timeout.response if that is too short.'],
    ['idle', 'stream-stall', true, 'Raise timeout.idle if that is too short.'],
    ['total', 'stall', false, 'Raise timeout.total if that is too short.'],
  ])('of phase %s names the option to raise', async (phase, fault, isStream, hint) => {
    const { fake, bedrock } = setUp({ retry: false, timeout: { [phase]: 1234 } })
    fake.fail(fault)
    await expect(call(bedrock, isStream)).rejects.toMatchObject({ phase, hint })
  })
})

test('names the host in an error of the network', async () => {
  const { fake, bedrock } = setUp({ retry: false })
  fake.fail('connection-refused')
  const host = `bedrock-runtime.${fake.region}.amazonaws.com`
  await expect(call(bedrock)).rejects.toThrow(`Could not reach ${host}`)
})

describe('credentials that Bedrock refused', () => {
  test('are replaced once, and the new ones are used without asking again', async () => {
    const credentials = vi.fn(async ({ forceRefresh = false } = {}) =>
      forceRefresh ? fake.identity : { ...fake.identity, accessKeyId: 'AKIDEXAMPLEOLD' },
    )
    const { fake, bedrock } = setUp({ credentials, retry: false })
    await call(bedrock)
    expect(credentials.mock.calls.map(([request]) => request?.forceRefresh ?? false)).toEqual([false, true])
  })

  test('are not kept after the attempt that asked for them', async () => {
    const identity = (n: number) => ({ accessKeyId: `AKIDEXAMPLE${n}`, secretAccessKey: 'secret-example' })
    // Expired, so that the client does not keep them either.
    const credentials = vi.fn(async () => ({ ...identity(credentials.mock.calls.length), expiration: new Date(0) }))
    const { fake, bedrock } = setUp({ credentials: credentials as never })
    fake.identities.push(identity(1), identity(2), identity(3))
    fake.fail('expired-token')
    fake.fail('internal')
    await call(bedrock)
    expect(fake.calls.map(({ headers }) => /AKIDEXAMPLE\d/.exec(headers.authorization ?? '')?.[0])).toEqual([
      'AKIDEXAMPLE1',
      'AKIDEXAMPLE2',
      'AKIDEXAMPLE3',
    ])
  })

  test('are not sent again if the provider has no others', async () => {
    const { fake, bedrock } = setUp({ credentials: async () => ({ ...fake.identity }), retry: false })
    fake.fail('expired-token', { times: 5 })
    await expect(call(bedrock)).rejects.toMatchObject({ type: 'ExpiredTokenException' })
    expect(fake.calls).toHaveLength(1)
  })

  test('are replaced only once per call, even if the provider has new ones each time', async () => {
    let asked = 0
    const { fake, bedrock } = setUp({
      credentials: async () => ({ ...fake.identity, accessKeyId: `AKIDEXAMPLE${asked++}` }),
      retry: false,
    })
    await expect(call(bedrock)).rejects.toMatchObject({ status: 403 })
    expect(fake.calls).toHaveLength(2)
  })

  const expired = { __type: 'ExpiredTokenException' }
  test.each<[string, number, object, number]>([
    ['a gateway answers 401, in any words', 401, {}, 2],
    ['they have expired', 403, expired, 2],
    ['a permission is missing', 403, {}, 1],
    ['the service fails with the same type', 500, expired, 1],
  ])('are replaced or not: %s', async (_, status, body, requests) => {
    let asked = 0
    const fetch = vi.fn(async () => Response.json({ message: 'Go away', ...body }, { status }))
    const { bedrock } = setUp({
      credentials: async () => ({ accessKeyId: `AKIDEXAMPLE${asked++}`, secretAccessKey: 'secret-example' }),
      fetch,
      retry: false,
    })
    await expect(call(bedrock)).rejects.toMatchObject({ status })
    expect(fetch).toHaveBeenCalledTimes(requests)
    expect(asked).toBe(requests)
  })

  test('are not replaced for a gateway that signs', async () => {
    const { fake, bedrock } = setUp({ credentials: 'none', retry: false })
    fake.fail('expired-token', { times: 5 })
    await expect(call(bedrock)).rejects.toMatchObject({ type: 'ExpiredTokenException' })
    expect(fake.calls).toHaveLength(1)
  })
})

test('rejects an authorization header together with credentials', async () => {
  const headers = { Authorization: 'Bearer of-a-gateway' }
  const { fake, bedrock } = setUp({ headers })
  await expect(call(bedrock)).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('Both an authorization header and credentials'),
  })
  expect(fake.calls).toHaveLength(0)
})

describe('one signal for several calls', () => {
  const reason = new Error('the user has left')

  test('still ends the remaining calls after one is done', async () => {
    const { fake, bedrock } = setUp()
    const controller = new AbortController()
    const { signal } = controller
    fake.fail('stream-stall', { after: 2 })
    const open = bedrock.messages.stream(params, { signal })
    await open.started()
    await bedrock.messages.create(params, { signal })
    controller.abort(reason)
    await expect(open.finalMessage()).rejects.toBe(reason)
  })

  test('that is already aborted ends a wait for credentials at once', async () => {
    const ask: Middleware = async (_request, _next, { identity }) => {
      await identity()
      return expect.fail('it has an identity')
    }
    const { bedrock } = setUp({ credentials: () => new Promise<never>(() => {}), middleware: [ask] })
    const signal = AbortSignal.abort(reason)
    await expect(bedrock.messages.create(params, { signal })).rejects.toBe(reason)
  })
})

describe('an abort', () => {
  const reason = new Error('the user has left')

  test("reaches the fetch option's signal, with the reason", async () => {
    const controller = new AbortController()
    const signals: AbortSignal[] = []
    const { bedrock } = setUp({
      fetch: (_, init) => {
        signals.push(init?.signal as AbortSignal)
        controller.abort(reason)
        return new Promise(() => {})
      },
    })
    await expect(bedrock.messages.create(params, { signal: controller.signal })).rejects.toBe(reason)
    expect(signals.map((signal) => signal.reason)).toEqual([reason])
  })

  test('by a timeout ends the signal of its attempt, not of the next', async () => {
    const signals: AbortSignal[] = []
    const { bedrock, fake } = setUp({
      retry: { retryIf: () => true },
      timeout: { response: 1234 },
      // The first response never comes; for the second, the timer does not run.
      clock: {
        ...hasty,
        setTimeout: (callback, ms) => (signals.length < 2 ? hasty.setTimeout(callback, ms) : undefined),
      },
      fetch: (input, init) => {
        signals.push(init?.signal as AbortSignal)
        return signals.length === 1 ? new Promise(() => {}) : fake.fetch(input, init)
      },
    })
    const { metadata } = await bedrock.messages.create(params)
    expect(metadata.attempts).toBe(2)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    expect(signals[0]?.reason).toMatchObject({ code: 'timeout', phase: 'response' })
  })

  test('while the request is being signed sends nothing', async () => {
    const controller = new AbortController()
    const fetch = vi.fn()
    let hasAnswered = false
    const { bedrock } = setUp({
      fetch,
      credentials: async () => {
        hasAnswered = true
        return { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example' }
      },
      clock: {
        ...hasty,
        now: () => {
          if (hasAnswered) controller.abort(reason)
          return Date.now()
        },
      },
    })
    await expect(bedrock.messages.create(params, { signal: controller.signal })).rejects.toBe(reason)
    expect(fetch).not.toHaveBeenCalled()
  })

  test('in onRetry ends the call at once', async () => {
    const controller = new AbortController()
    const { bedrock, fake } = setUp({ clock: { ...hasty, setTimeout: () => undefined } })
    fake.fail('internal')
    const onRetry = (): void => controller.abort(reason)
    await expect(bedrock.messages.create(params, { signal: controller.signal, onRetry })).rejects.toBe(reason)
    expect(fake.calls).toHaveLength(1)
  })
})

describe('retries', () => {
  test('wait as long as maxDelay, and no longer', async () => {
    for (const [wait, requests] of [
      ['10', 2],
      ['11', 1],
    ] as const) {
      const { fake, bedrock } = setUp({ retry: { maxDelay: 10_000 } })
      fake.fail('throttling', { headers: { 'retry-after': wait } })
      await call(bedrock).catch(() => {})
      expect(fake.calls).toHaveLength(requests)
    }
  })

  test('may follow at once', async () => {
    const { fake, bedrock } = setUp({ retry: { baseDelay: 0, maxDelay: 0 } })
    fake.fail('internal')
    await call(bedrock)
    expect(fake.calls).toHaveLength(2)
  })

  test('never repeat a call that failed before it was sent', async () => {
    const retryIf = vi.fn(() => true)
    const { bedrock } = setUp({ retry: { retryIf }, headers: { authorization: 'Bearer of-a-gateway' } })
    await expect(call(bedrock)).rejects.toMatchObject({ code: 'configuration' })
    expect(retryIf).not.toHaveBeenCalled()
  })

  test('get one more attempt if the first found a dead connection', async () => {
    // Browsers and Workers do not tell why a connection failed.
    const isTold = isConnectionReset({ cause: { code: 'ECONNRESET' } })
    for (const [fault, isStream, requests] of [
      ['connection-reset', false, isTold ? 4 : 3],
      ['connection-refused', false, 3],
      ['stream-reset', true, 3],
    ] as const) {
      const { fake, bedrock } = setUp()
      fake.fail(fault, { times: 9, after: 0 })
      await expect(call(bedrock, isStream)).rejects.toThrow()
      expect([fault, fake.calls.length]).toEqual([fault, requests])
    }
  })

  test('reject a retryIf that is not a function', () => {
    expect(() => setUp({ retry: { retryIf: true as never } })).toThrow('retry.retryIf must be a function')
  })

  test('use a budget that each success refills by one', async () => {
    const { fake, bedrock } = setUp({ retryBudget: 14 })
    const requests = async (): Promise<number> => {
      fake.fail('internal', { times: 9 })
      await call(bedrock).catch(() => {})
      const { length } = fake.calls
      fake.reset()
      return length
    }
    expect(await requests()).toBe(2)
    for (let i = 0; i < 13; i++) await call(bedrock)
    fake.reset()
    expect(await requests()).toBe(1)
    await call(bedrock)
    fake.reset()
    expect(await requests()).toBe(2)
  })
})

test('logs a wrong clock once, with its offset, for concurrent calls', async () => {
  const awsTime = Date.UTC(2026, 10, 26, 12)
  const date = new Date(awsTime).toUTCString()
  const fetch: typeof globalThis.fetch = async (_, init) =>
    new Headers(init?.headers).get('x-amz-date') === '20261126T120000Z'
      ? Response.json({ type: 'message', content: [] }, { headers: { date } })
      : Response.json({ message: 'Signature expired' }, { status: 403, headers: { date } })
  const warn = vi.fn()
  const { bedrock } = setUp({
    fetch,
    clock: { ...hasty, now: () => awsTime + 600_000 },
    logger: { debug() {}, info() {}, warn, error() {} },
    retry: false,
  })
  await Promise.all([call(bedrock), call(bedrock)])
  await call(bedrock)
  expect(warn.mock.calls).toEqual([["The local clock is off by -600 s; requests are signed with AWS's time"]])
})
