import { isBedrockError, type Message } from 'outcrop'
import { anthropicFetch } from 'outcrop/anthropic'
import type { BudgetSnapshot, LimitsOptions } from 'outcrop/limits'
import type { FakeBedrockOptions } from 'outcrop/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { base, params, quota, type Scene, settled, setUp } from './support.ts'

// 100 tokens out, at 5 each, and 50 in: 550 of the quota.
const reply = { content: [{ type: 'text', text: 'Hi' }], usage: { input_tokens: 50, output_tokens: 100 } }

const budgetOf = ({ limiter }: Scene): BudgetSnapshot => limiter.snapshot().budgets[0] as BudgetSnapshot
const statuses = ({ fake }: Scene): number[] => fake.calls.map(({ status }) => status)

/** Moves time on until all calls are over. */
async function finish<T>({ clock }: Scene, calls: readonly Promise<T>[]): Promise<PromiseSettledResult<T>[]> {
  let isOver = false
  const all = Promise.allSettled(calls).finally(() => {
    isOver = true
  })
  for (let i = 0; i < 300 && !isOver; i++) {
    await settled()
    clock.advance(500)
  }
  return all
}

describe('without a quota', () => {
  test('everything passes until Bedrock refuses a call', async () => {
    const scene = setUp({}, { reply })
    await Promise.all(Array.from({ length: 50 }, () => scene.bedrock.messages.create(params)))
    expect(scene.limiter.snapshot()).toEqual({
      store: 'memory',
      instances: 1,
      budgets: [
        {
          account: expect.any(String),
          region: 'us-east-1',
          bucket: 'cross-region',
          model: base,
          quota: undefined,
          learned: undefined,
          used: 50 * 550,
          held: 0,
          open: 0,
          requests: 50,
          queued: 0,
          admitted: 50,
          delayed: 0,
          refused: 0,
          throttled: 0,
        },
      ],
    })
  })

  test('a refusal sets the limit to 0.7 of what passed, and it recovers slowly', async () => {
    const scene = setUp({}, { reply })
    const { bedrock, fake, clock } = scene
    await Promise.all(Array.from({ length: 100 }, () => bedrock.messages.create(params)))
    clock.advance(1)
    fake.fail('throttling-tokens')
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ status: 429 })
    const learned = (): number => budgetOf(scene).learned as number
    const first = learned()
    // The refused call's reservation counts as well.
    expect(first).toBeGreaterThan(0.7 * 55_000)
    expect(first).toBeLessThan(0.7 * 57_000)
    expect(budgetOf(scene).throttled).toBe(1)
    // A call that is refused here tells how things stand as well.
    const look = () => bedrock.messages.create(params, { limits: { maxWait: 0 } }).catch(() => {})
    clock.advance(30_000)
    await look()
    expect(learned()).toBeGreaterThan(first * 1.2)
    clock.advance(30_000)
    await look()
    // Within a minute it is where it was refused, and no further.
    expect(learned()).toBeCloseTo(first / 0.7, -2)
  })

  test('counts a throttle even if a retry succeeds', async () => {
    const scene = setUp({}, { reply })
    const onRetry = vi.fn()
    scene.fake.fail('throttling-tokens')
    const [outcome] = await finish(scene, [
      scene.bedrock.messages.create(params, { retry: { attempts: 2, baseDelay: 1 }, onRetry }),
    ])
    expect(outcome?.status).toBe('fulfilled')
    expect(onRetry).toHaveBeenCalledTimes(1)
    expect(budgetOf(scene)).toMatchObject({ throttled: 1, learned: expect.any(Number), open: 0 })
  })

  test('learns a limit of requests from too many requests, without changing the tokens', async () => {
    const scene = setUp({}, { reply })
    scene.fake.fail('throttling')
    await scene.bedrock.messages.create(params).catch(() => {})
    expect(budgetOf(scene)).toMatchObject({ throttled: 1, learned: undefined })
  })

  test.each(['unavailable', 'stream-throttling'] as const)('%s counts as a throttle', async (fault) => {
    const scene = setUp({}, { reply })
    scene.fake.fail(fault, { after: 2 })
    await scene.bedrock.messages
      .stream(params)
      .finalMessage()
      .catch(() => {})
    expect(budgetOf(scene)).toMatchObject({ throttled: 1, learned: expect.any(Number), open: 0, held: 0 })
  })

  test("sends nothing during Bedrock's retry-after", async () => {
    const scene = setUp({ maxWait: 0 }, { reply })
    scene.fake.fail('throttling-tokens', { headers: { 'retry-after': '7' } })
    await scene.bedrock.messages.create(params).catch(() => {})
    await expect(scene.bedrock.messages.create(params)).rejects.toMatchObject({ name: 'QuotaError', retryAfter: 7_000 })
    scene.clock.advance(7_000)
    await scene.bedrock.messages.create(params)
  })

  test('stops all models beyond the daily quota, until another try is due', async () => {
    const scene = setUp({}, { reply, tokensPerDay: 2_000 })
    const haiku = { ...params, model: 'us.anthropic.claude-haiku-4-5-20251001-v1:0' }
    await scene.bedrock.messages.create(params)
    await scene.bedrock.messages.create(params)
    await expect(scene.bedrock.messages.create(params)).rejects.toThrow('Too many tokens per day')
    const sent = scene.fake.calls.length
    const error = await scene.bedrock.messages.create(haiku).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ limit: 'day', retryAfter: 300_000 })
    expect((error as Error).message).toBe('The account has used up its daily tokens in us-east-1')
    expect(scene.fake.calls).toHaveLength(sent)
    scene.clock.advance(300_000)
    await scene.bedrock.messages.create(haiku).catch(() => {})
    expect(scene.fake.calls).toHaveLength(sent + 1)
  })
})

describe('with a quota', () => {
  const busy = (options: LimitsOptions, fakeOptions: FakeBedrockOptions = {}) =>
    setUp(options, { reply, quotas: [{ model: base, tokensPerMinute: 20_000 }], ...fakeOptions })

  test('Bedrock refuses almost nothing, and much without limits', async () => {
    // About as many tokens as the fake counts.
    const long = { ...params, messages: [{ role: 'user' as const, content: 'word '.repeat(42) }] }
    const ask = (scene: Scene) =>
      finish(
        scene,
        Array.from({ length: 60 }, () => scene.bedrock.messages.create(long)),
      )
    const without = busy({})
    await ask(without)
    expect(statuses(without).filter((status) => status === 429).length).toBeGreaterThan(10)
    const scene = busy({ quotas: quota(20_000), maxWait: 600_000 })
    const outcomes = await ask(scene)
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(57)
    // Once it finds out that this Bedrock counts reservations beside what was used.
    expect(statuses(scene).filter((status) => status === 429).length).toBeLessThan(3)
  })

  test('a call waits for its turn, and has its wait in metadata', async () => {
    const scene = busy({ quotas: quota(20_000) })
    const outcomes = await finish(
      scene,
      Array.from({ length: 12 }, () => scene.bedrock.messages.create(params)),
    )
    const waits = outcomes.map((outcome) => (outcome as PromiseFulfilledResult<Message>).value.metadata.limits)
    expect(waits[0]).toEqual({ waited: 0, reserved: expect.any(Number) })
    expect(waits[11]?.waited).toBeGreaterThan(0)
    expect(budgetOf(scene)).toMatchObject({ admitted: 12, queued: 0, open: 0 })
  })

  test('refuses a quota of 0 at once, and sends nothing', async () => {
    const scene = setUp({ quotas: quota(0) })
    const error = await scene.bedrock.messages.create(params).catch((thrown: unknown) => thrown)
    expect(isBedrockError(error, 'quota_exceeded') && error.retryable).toBe(false)
    expect(error).toMatchObject({ name: 'QuotaError', limit: 'tokens' })
    expect(error).not.toHaveProperty('retryAfter')
    expect(scene.fake.calls).toEqual([])
  })

  test('refuses a call that is larger than the quota, and says so', async () => {
    const scene = setUp({ quotas: quota(20_000) })
    await expect(scene.bedrock.messages.create({ ...params, max_tokens: 32_000 })).rejects.toMatchObject({
      message: expect.stringMatching(/^This call reserves 32\d\d\d tokens of the quota, but .* has 20000 per minute$/),
      hint: expect.stringContaining('Lower max_tokens'),
      retryable: false,
    })
  })

  test('refuses a call that would wait too long at once, with the wait', async () => {
    const scene = busy({ quotas: quota(20_000), maxWait: 1_000 })
    const calls = Array.from({ length: 30 }, () => scene.bedrock.messages.create(params))
    const errors = (await finish(scene, calls)).filter((outcome) => outcome.status === 'rejected')
    expect(errors.length).toBeGreaterThan(10)
    for (const { reason } of errors) {
      expect(reason).toMatchObject({ name: 'QuotaError', retryable: true })
      expect(reason.retryAfter).toBeGreaterThan(1_000)
    }
    expect(statuses(scene)).not.toContain(429)
    expect(budgetOf(scene).refused).toBe(errors.length)
  })

  test('refuses calls when the queue is full', async () => {
    const scene = busy({ quotas: quota(20_000), maxQueue: 2 })
    const outcomes = await finish(
      scene,
      Array.from({ length: 20 }, () => scene.bedrock.messages.create(params)),
    )
    const limits = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.limit] : []))
    expect(limits).toContain('queue')
  })

  test('a higher priority goes first', async () => {
    const scene = busy({ quotas: quota(20_000), concurrency: 1 })
    const order: number[] = []
    const ask = async (priority: number): Promise<void> => {
      await scene.bedrock.messages.create(params, { limits: { priority } })
      order.push(priority)
    }
    const stream = scene.bedrock.messages.stream(params)
    await stream[Symbol.asyncIterator]().next()
    const calls = [ask(1), ask(3), ask(2)]
    await settled()
    expect(budgetOf(scene)).toMatchObject({ open: 1, queued: 3 })
    await stream.finalMessage().catch(() => {})
    stream.abort()
    await finish(scene, calls)
    expect(order).toEqual([3, 2, 1])
  })

  test('an aborted call leaves the queue', async () => {
    const scene = busy({ quotas: quota(20_000), concurrency: 1 })
    const stream = scene.bedrock.messages.stream(params)
    await stream[Symbol.asyncIterator]().next()
    const controller = new AbortController()
    const waiting = scene.bedrock.messages.create(params, { signal: controller.signal })
    const next = scene.bedrock.messages.create(params)
    await settled()
    controller.abort(new Error('changed my mind'))
    await expect(waiting).rejects.toThrow('changed my mind')
    stream.abort()
    await finish(scene, [next])
    await expect(next).resolves.toBeDefined()
    expect(scene.clock.timers.size).toBe(0)
  })

  test("the wait counts toward the call's own timeout", async () => {
    const scene = busy({ quotas: quota(20_000), concurrency: 1 })
    const stream = scene.bedrock.messages.stream(params)
    await stream[Symbol.asyncIterator]().next()
    const [outcome] = await finish(scene, [scene.bedrock.messages.create(params, { timeout: { total: 3_000 } })])
    expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'QuotaError' } })
    stream.abort()
  })

  test('profile kinds, Regions and models have separate budgets; a base ID behind an ARN is the model', async () => {
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc'
    const scene = setUp({ quotas: quota(20_000) }, { reply, models: { applicationProfiles: { [arn]: base } } })
    const bedrock = scene.bedrock.withOptions({ models: { profiles: { [arn]: base } } })
    for (const model of [params.model, `global.${base}`, arn]) await bedrock.messages.create({ ...params, model })
    const snapshot = scene.limiter.snapshot().budgets.map(({ bucket, quota, used }) => [bucket, quota, used])
    expect(snapshot).toEqual([
      ['cross-region', 20_000, 1_100],
      ['global', undefined, 550],
    ])
  })

  test("output counts by the model's burndown, and cache reads are free", async () => {
    const usage = {
      input_tokens: 10,
      output_tokens: 2,
      cache_read_input_tokens: 5_000,
      cache_creation_input_tokens: 100,
    }
    const scene = setUp({}, { reply: { ...reply, usage } })
    await scene.bedrock.messages.create({ ...params, model: 'us.anthropic.claude-opus-4-8' })
    expect(budgetOf(scene).used).toBe(10 + 100 + 2 * 15)
  })
})

describe('a reservation is settled', () => {
  const streaming = () => setUp({ quotas: quota(100_000) }, { reply: 'word '.repeat(200) })
  const nothingHeld = { open: 0, held: 0 }

  test('when a stream is left, with its output so far', async () => {
    const scene = streaming()
    for await (const event of scene.bedrock.messages.stream(params)) if (event.type === 'content_block_delta') break
    expect(budgetOf(scene)).toMatchObject(nothingHeld)
    expect(budgetOf(scene).used).toBeGreaterThan(0)
    expect(budgetOf(scene).used).toBeLessThan(500)
  })

  test('when an unread stream is aborted', async () => {
    const scene = streaming()
    const controller = new AbortController()
    const { events } = await scene.bedrock.invokeStream(
      {
        model: params.model,
        body: { anthropic_version: 'bedrock-2023-05-31', max_tokens: 10, messages: params.messages },
      },
      { signal: controller.signal },
    )
    expect(budgetOf(scene).open).toBe(1)
    controller.abort()
    await settled()
    expect(budgetOf(scene)).toMatchObject(nothingHeld)
    expect(events).toBeDefined()
  })

  test.each(['stream-truncated', 'stream-reset', 'stream-internal', 'stream-corrupt'] as const)(
    'when a stream breaks: %s',
    async (fault) => {
      const scene = streaming()
      scene.fake.fail(fault, { after: 5 })
      await expect(scene.bedrock.messages.stream(params).finalMessage()).rejects.toThrow()
      expect(budgetOf(scene)).toMatchObject(nothingHeld)
      expect(budgetOf(scene).used).toBeGreaterThan(0)
    },
  )

  test.each(['extra-inputs', 'model-access', 'internal', 'connection-refused'] as const)(
    'when a call fails, without a charge: %s',
    async (fault) => {
      const scene = streaming()
      scene.fake.fail(fault)
      await expect(scene.bedrock.messages.create(params)).rejects.toThrow()
      expect(budgetOf(scene)).toMatchObject({ ...nothingHeld, used: 0, learned: undefined })
    },
  )

  test('when a call is aborted, with its input', async () => {
    const scene = streaming()
    scene.fake.fail('stall')
    const controller = new AbortController()
    const call = scene.bedrock.messages.create(params, { signal: controller.signal })
    await settled()
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    expect(budgetOf(scene)).toMatchObject(nothingHeld)
    expect(budgetOf(scene).used).toBeGreaterThan(0)
  })
})

test('limits: false and countTokens are not counted', async () => {
  const scene = setUp({ quotas: quota(0) }, { reply })
  await scene.bedrock.messages.create(params, { limits: false })
  expect(scene.limiter.snapshot().budgets).toEqual([])
})

test('expects of a prefix what it used before', async () => {
  const usage = { input_tokens: 1, output_tokens: 4, cache_read_input_tokens: 2_000 }
  const scene = setUp({ quotas: quota(60_000) }, { reply: { ...reply, usage } })
  const long = { ...params, system: 'x'.repeat(8_000) }
  const first = await scene.bedrock.messages.create(long)
  const second = await scene.bedrock.messages.create(long)
  expect(first.metadata.limits?.reserved).toBeGreaterThan(3_000)
  // The prompt cache has its input: max_tokens alone is set aside.
  expect(second.metadata.limits?.reserved).toBeLessThan(1_050)
})

test.each<[object, RegExp]>([
  [{ share: 0 }, /share/],
  [{ maxWait: Number.NaN }, /maxWait/],
  [{ burst: 60_001 }, /burst/],
  [{ store: {} }, /reserve and settle/],
  [{ quotas: { quotas: [] } }, /must be a list/],
  [{ quotas: [{ model: base, bucket: 'us' }] }, /bucket/],
  [{ quotas: [{ model: base, bucket: 'global', tokensPerMinute: -1 }] }, /tokensPerMinute/],
  [{ account: 'a/b' }, /account/],
])('rejects impossible options: %j', (options, message) => {
  expect(() => setUp(options as LimitsOptions)).toThrow(expect.objectContaining({ code: 'configuration' }))
  expect(() => setUp(options as LimitsOptions)).toThrow(message)
})

test('rejects impossible options of a call', async () => {
  const scene = setUp()
  const limits = { priority: '1' as never }
  await expect(scene.bedrock.messages.create(params, { limits })).rejects.toThrow('limits.priority')
})

describe('on Cloudflare Workers, where no request may wait for another', () => {
  afterEach(() => vi.unstubAllGlobals())

  test('a call checks by itself whether it is its turn', async () => {
    vi.stubGlobal('WebSocketPair', class {})
    const scene = setUp({ concurrency: 1 }, { reply })
    const stream = scene.bedrock.messages.stream(params)
    await stream[Symbol.asyncIterator]().next()
    const waiting = scene.bedrock.messages.create(params)
    await settled()
    stream.abort()
    await settled()
    expect(budgetOf(scene).queued).toBe(1)
    scene.clock.advance(200)
    await expect(waiting).resolves.toBeDefined()
  })

  test('a call whose request has ended does not delay later ones', async () => {
    vi.stubGlobal('WebSocketPair', class {})
    const scene = setUp({ concurrency: 1 }, { reply })
    const stream = scene.bedrock.messages.stream(params)
    await stream[Symbol.asyncIterator]().next()
    void scene.bedrock.messages.create(params).catch(() => {})
    await settled()
    // Its timers are gone with the request.
    scene.clock.timers.clear()
    stream.abort()
    const [outcome] = await finish(scene, [scene.bedrock.messages.create(params)])
    expect(outcome?.status).toBe('fulfilled')
  })
})

describe('visibility for operators', () => {
  test('warns once about a call without max_tokens, which reserves the longest answer', async () => {
    const { bedrock, warnings } = setUp({}, { reply })
    const { max_tokens: _, ...unset } = params
    const body = { ...unset, model: undefined, anthropic_version: 'bedrock-2023-05-31' }
    for (let i = 0; i < 2; i++) await bedrock.invoke({ model: params.model, body }).catch(() => {})
    await bedrock.messages.create(params)
    expect(warnings.filter((warning) => warning.includes('max_tokens'))).toEqual([
      expect.stringMatching(/sets no max_tokens, so it reserves 6\d{4} tokens/),
    ])
  })

  test("answers 429 with the wait on Anthropic's API", async () => {
    const scene = setUp({ quotas: quota(1_200), maxWait: 0, burst: 60_000 }, { reply })
    const post = async (): Promise<Response> =>
      anthropicFetch(scene.bedrock)('http://localhost/v1/messages', {
        method: 'POST',
        body: JSON.stringify({ ...params, model: 'claude-sonnet-4-6' }),
      })
    const responses = await Promise.all([post(), post()])
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 429])
    const refused = responses.find(({ status }) => status === 429)
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused?.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } })
  })
})
