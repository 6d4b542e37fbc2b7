import { createBedrockClient, isBedrockError, TimeoutError } from 'outcrop'
import { createBedrockClient as createCoreClient } from 'outcrop/core'
import { memoryStore, responseCaching } from 'outcrop/caching'
import { failover } from 'outcrop/failover'
import { guardrails } from 'outcrop/guardrails'
import { limits } from 'outcrop/limits'
import { createFakeBedrock, type FaultName } from 'outcrop/testing'
import { type UsageRecord, usageTracking } from 'outcrop/usage'
import { describe, expect, test } from 'vitest'
import { minutes, params, route, setUp, sonnet } from './support.ts'

const globalSonnet = 'global.anthropic.claude-sonnet-4-6'
const failed = async (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('it did not fail'),
    (error) => error,
  )

describe('destinations of a call', () => {
  test('a successful call stays at its target, and says so', async () => {
    const { withTargets, callsAt } = setUp()
    const { metadata } = await withTargets([{ region: 'us-west-2' }]).messages.create(params)
    expect(metadata.failover).toEqual({ target: 'primary', reason: 'preferred', tried: [] })
    expect([callsAt('us-east-1'), callsAt('us-west-2')]).toEqual([[sonnet], []])
  })

  test('another profile: the same model and body through its global profile', async () => {
    const { withTargets, at, callsAt } = setUp()
    const bedrock = withTargets([{ model: globalSonnet, residency: 'anywhere' }])
    at('us-east-1').fail('throttling', { times: 2 })
    const { metadata } = await bedrock.messages.create(params)
    expect(metadata.failover).toEqual({
      target: globalSonnet,
      reason: 'failed',
      tried: [
        {
          target: 'primary',
          cause: 'throttled',
          status: 429,
          attempts: 2,
          message: expect.stringContaining('Too many'),
        },
      ],
    })
    expect(metadata.model).toMatchObject({ id: globalSonnet, region: 'us-east-1' })
    expect(callsAt('us-east-1')).toEqual([sonnet, sonnet, globalSonnet])
    const [first, , last] = at('us-east-1').calls
    expect(last?.body).toEqual(first?.body)
  })

  test("another Region: signed for it, through the model's profile there", async () => {
    const { withTargets, at, callsAt } = setUp()
    const bedrock = withTargets([{ region: 'us-west-2' }, { region: 'eu-west-1', residency: 'eu' }])
    at('us-east-1').fail('unavailable', { times: 2 })
    at('us-west-2').fail('unavailable', { times: 2 })
    const { metadata } = await bedrock.messages.create(params)
    expect(route(metadata)).toBe('primary (unavailable) > us-west-2 (unavailable) > eu-west-1 (failed)')
    expect(callsAt('us-west-2')).toEqual([sonnet, sonnet])
    expect(callsAt('eu-west-1')).toEqual(['eu.anthropic.claude-sonnet-4-6'])
    expect(at('eu-west-1').calls[0]).toMatchObject({ region: 'eu-west-1', signature: { valid: true } })
  })

  test('another model: resolved by the client, with an adapted body', async () => {
    const { withTargets, at } = setUp()
    at('us-east-1').fail('throttling', { model: 'opus-5', times: 2 })
    const { metadata } = await withTargets(['haiku']).messages.create({
      ...params,
      model: 'claude-opus-5',
      output_config: { effort: 'high' },
    } as never)
    expect(metadata.model.family).toBe('haiku')
    expect(route(metadata)).toBe('primary (throttled) > haiku (failed)')
    expect(metadata.adaptations).toContainEqual(expect.objectContaining({ field: 'output_config.effort' }))
    expect(at('us-east-1').calls.at(-1)?.body).not.toHaveProperty('output_config')
  })

  test("another account: the other client sends the body and the call's headers, but not this client's headers", async () => {
    for (const isStream of [false, true]) {
      const { base, at } = setUp({ headers: { 'x-gateway-key': 'key-of-the-gateway', 'anthropic-workspace': 'w1' } })
      const other = createFakeBedrock({
        identities: [{ accessKeyId: 'AKIDOTHER', secretAccessKey: 'secret-of-other' }],
      })
      const client = createBedrockClient({
        region: 'us-east-1',
        credentials: other.identity,
        fetch: other.fetch,
        env: {},
        headers: { 'x-of-the-other': '1' },
      })
      const bedrock = base.withOptions({ middleware: [failover([{ client, account: 'two' }])] })
      at('us-east-1').fail('throttling', { times: 2 })
      const options = { headers: { 'x-of-the-call': '1' } }
      const { metadata } = isStream
        ? await bedrock.messages.stream(params, options).finalMessage()
        : await bedrock.messages.create(params, options)
      expect(route(metadata)).toBe('primary (throttled) > target 1 (failed)')
      const [call] = other.calls
      expect(call).toMatchObject({ identity: 'AKIDOTHER', model: sonnet, body: at('us-east-1').calls[0]?.body })
      expect(call?.headers).toMatchObject({ 'x-of-the-call': '1', 'x-of-the-other': '1', 'anthropic-workspace': 'w1' })
      expect(call?.headers).not.toHaveProperty('x-gateway-key')
    }
  })

  test('invoke, invokeStream and countTokens move to Regions and clients too', async () => {
    const { base, at } = setUp()
    const west = base.withOptions({ region: 'us-west-2' })
    for (const target of [{ region: 'us-west-2' }, { client: west, name: 'west' }]) {
      const bedrock = base.withOptions({ middleware: [failover([target])] })
      const request = {
        model: 'sonnet',
        body: { anthropic_version: 'bedrock-2023-05-31', ...params, model: undefined },
      }
      at('us-east-1').fail('unavailable', { times: 6 })
      expect((await bedrock.invoke(request)).metadata.failover?.reason).toBe('failed')
      const { events, metadata } = await bedrock.invokeStream(request)
      const seen = []
      for await (const event of events) seen.push(event.type)
      expect(seen.at(-1)).toBe('message_stop')
      expect(metadata.failover?.target).toBe(target.name ?? 'us-west-2')
      expect((await bedrock.messages.countTokens(params)).input_tokens).toBeGreaterThan(0)
      expect(at('us-west-2').calls.map(({ operation }) => operation)).toEqual([
        'InvokeModel',
        'InvokeModelWithResponseStream',
        'CountTokens',
      ])
      at('us-east-1').reset()
      at('us-west-2').reset()
    }
  })

  test('a client of outcrop/core takes full model IDs', async () => {
    const { base, at } = setUp()
    const other = createFakeBedrock()
    const client = createCoreClient({ region: 'us-west-2', credentials: other.identity, fetch: other.fetch, env: {} })
    at('us-east-1').fail('throttling', { times: 2 })
    const bedrock = base.withOptions({ middleware: [failover([{ client }])] })
    expect((await bedrock.messages.create(params)).metadata.failover?.target).toBe('target 1')
    expect(other.calls[0]?.region).toBe('us-west-2')
  })

  test('another client with a name that it calls in another Region', async () => {
    const { base, at, callsAt } = setUp()
    const client = base.withOptions({ models: { smallModelRegion: 'us-west-2' } })
    at('us-east-1').fail('throttling', { times: 2 })
    const bedrock = base.withOptions({ middleware: [failover([{ client, model: 'small' }])] })
    const { metadata } = await bedrock.messages.create(params)
    expect(metadata.model).toMatchObject({ family: 'haiku', region: 'us-west-2' })
    expect(callsAt('us-west-2')).toHaveLength(1)
  })

  test('the call itself may be anywhere in the list', async () => {
    const { withTargets } = setUp()
    const { metadata } = await withTargets([{ region: 'us-west-2' }, {}]).messages.create(params)
    expect(metadata.failover).toEqual({ target: 'us-west-2', reason: 'preferred', tried: [] })
  })

  test('a target equal to an earlier one is skipped', async () => {
    const { withTargets, at, callsAt } = setUp()
    at('us-east-1').fail('throttling', { times: 9 })
    const error = await failed(withTargets(['sonnet', { region: 'us-east-1' }]).messages.create(params))
    expect(error).toMatchObject({ status: 429, attempts: 3 })
    expect(callsAt('us-east-1')).toEqual([sonnet, sonnet, sonnet])
  })
})

describe('middleware before failover', () => {
  test('usageTracking reports the model and Region that answered', async () => {
    const records: UsageRecord[] = []
    const { base, at } = setUp()
    at('us-east-1').fail('unavailable', { times: 2, model: 'sonnet' })
    at('us-west-2').fail('unavailable', { times: 2, model: 'sonnet' })
    const targets = [{ region: 'us-west-2' }, { region: 'us-west-2', model: 'haiku' }]
    const middleware = [usageTracking((record) => records.push(record)), failover(targets)]
    await base.withOptions({ middleware }).messages.create(params)
    expect(records).toMatchObject([{ model: { family: 'haiku' }, region: 'us-west-2', complete: true }])
    expect(records[0]?.profile).toBe(records[0]?.model.id)
  })

  test('responseCaching stores the answers of other Regions, but not of other models', async () => {
    const { base, at } = setUp()
    for (const [target, status] of [
      [{ region: 'us-west-2' }, 'hit'],
      ['haiku', 'miss'],
    ] as const) {
      const middleware = [responseCaching({ store: memoryStore() }), failover([target])]
      const bedrock = base.withOptions({ middleware })
      at('us-east-1').fail('unavailable', { times: 2, model: 'sonnet' })
      await bedrock.messages.create({ ...params, temperature: 0 })
      const { metadata } = await bedrock.messages.create({ ...params, temperature: 0 })
      expect(metadata.cache?.status).toBe(status)
    }
  })
})

describe('when a call moves', () => {
  const leaving: [FaultName, string][] = [
    ['throttling', 'throttled'],
    ['throttling-tokens', 'throttled'],
    ['model-not-ready', 'throttled'],
    ['unavailable', 'unavailable'],
    ['bad-gateway', 'unavailable'],
    ['gateway-timeout', 'unavailable'],
    ['connection-reset', 'connection'],
    ['connection-refused', 'connection'],
    ['cut-json', 'connection'],
  ]
  test.each(leaving)('moves after %s: %s', async (fault, cause) => {
    const { withTargets, at } = setUp()
    at('us-east-1').fail(fault, { times: 9 })
    const { metadata } = await withTargets([{ region: 'us-west-2' }]).messages.create(params)
    expect(route(metadata)).toBe(`primary (${cause}) > us-west-2 (failed)`)
  })

  test('moves after a 529', async () => {
    const { withTargets, at } = setUp()
    at('us-east-1').fail('stream-anthropic-error', { times: 9, after: 0 })
    const stream = withTargets([{ region: 'us-west-2' }]).messages.stream(params)
    await stream.finalMessage()
    expect(route(await stream.metadata)).toBe('primary (overloaded) > us-west-2 (failed)')
  })

  test('moves if no connection is made in time', async () => {
    const { base, at } = setUp()
    const late = base.withOptions({
      middleware: [
        failover([{ region: 'us-west-2' }]),
        (request, next, { region }) => {
          if (region === 'us-west-2') return next(request)
          throw new TimeoutError('No connection was made within 5 ms', { phase: 'connect', retryable: true })
        },
      ],
    })
    const { metadata } = await late.messages.create(params)
    expect(route(metadata)).toBe('primary (connection) > us-west-2 (failed)')
    expect(at('us-east-1').calls).toEqual([])
  })

  const staying: FaultName[] = [
    'service-quota',
    'iam-denied',
    'scp-denied',
    'model-access',
    'invalid-token',
    'input-too-long',
    'not-found',
    'internal',
    'model-timeout',
    'model-error',
    'throttling-per-day',
  ]
  test.each(staying)('stays after %s', async (fault) => {
    const { withTargets, at, callsAt } = setUp()
    at('us-east-1').fail(fault, { times: 9 })
    const error = await failed(withTargets(['haiku']).messages.create(params))
    expect(isBedrockError(error, 'service')).toBe(true)
    expect(error).not.toHaveProperty('tried')
    expect(new Set(callsAt('us-east-1'))).toEqual(new Set([sonnet]))
  })

  test("stays after a guardrail's intervention", async () => {
    const guarded = setUp({ fakes: { guardrails: [{ identifier: 'gr1', versions: ['1'], blockedWords: ['Hi'] }] } })
    const block = guardrails({ identifier: 'gr1', version: 1, onIntervention: 'throw' })
    for (const middleware of [
      [block, failover([{ region: 'us-west-2' }])],
      [failover([{ region: 'us-west-2' }]), block],
    ]) {
      const error = await failed(guarded.base.withOptions({ middleware }).messages.create(params))
      expect(error).toMatchObject({ code: 'guardrail_intervened' })
    }
    expect(guarded.callsAt('us-west-2')).toEqual([])
  })

  test('moves beyond the daily quota only to another Region or account', async () => {
    const { base, withTargets, at, callsAt } = setUp()
    const daily = () => at('us-east-1').fail('throttling-per-day', { times: 9 })
    daily()
    const inner = withTargets(['haiku', { model: globalSonnet, residency: 'anywhere' }, { region: 'us-west-2' }])
    expect(route((await inner.messages.create(params)).metadata)).toBe('primary (daily-quota) > us-west-2 (failed)')
    expect(callsAt('us-east-1')).toEqual([sonnet])

    at('us-east-1').reset()
    daily()
    const other = base.withOptions({ middleware: [] })
    const accounts = base.withOptions({
      middleware: [
        failover([{ client: other, name: 'same', account: 'a' }, { name: 'own' }, { client: other, name: 'b' }]),
      ],
    })
    const error = await failed(accounts.messages.create(params))
    expect(error).toMatchObject({ status: 429, tried: [{ target: 'same' }, { target: 'own' }] })
  })

  test('moves a stream after an exception before the first event', async () => {
    const { withTargets, at } = setUp()
    for (const fault of ['stream-throttling', 'stream-unavailable', 'stream-truncated', 'stream-empty'] as const) {
      at('us-east-1').fail(fault, { times: 2, after: 0 })
      const stream = withTargets([{ region: 'us-west-2' }]).messages.stream(params)
      expect(await stream.finalText()).not.toBe('')
      expect((await stream.metadata).failover?.target).toBe('us-west-2')
    }
  })

  test('stays after the first event', async () => {
    const { withTargets, at, callsAt } = setUp()
    for (const fault of [
      'stream-throttling',
      'stream-unavailable',
      'stream-reset',
      'stream-anthropic-error',
    ] as const) {
      at('us-east-1').fail(fault, { times: 9, after: 1 })
      const stream = withTargets([{ region: 'us-west-2' }]).messages.stream(params)
      const error = await failed(stream.finalMessage())
      expect(isBedrockError(error)).toBe(true)
      at('us-east-1').reset()
    }
    expect(callsAt('us-west-2')).toEqual([])
  })

  test("stays after the caller's abort and the total timeout", async () => {
    const { withTargets, at, callsAt } = setUp()
    const controller = new AbortController()
    const bedrock = withTargets([{ region: 'us-west-2' }])
    at('us-east-1').fail('stall')
    const call = failed(bedrock.messages.create(params, { signal: controller.signal }))
    controller.abort(new Error('enough'))
    expect((await call).message).toBe('enough')

    at('us-east-1').fail('stall')
    const late = await failed(bedrock.messages.create(params, { timeout: { total: 5 } }))
    expect(late).toMatchObject({ code: 'timeout', phase: 'total' })
    expect(callsAt('us-west-2')).toEqual([])
  })

  test('passes on the rest of the total timeout', async () => {
    const { base, time, at } = setUp({ timeout: { total: 10_000 } })
    const left: (number | undefined)[] = []
    const bedrock = base.withOptions({
      middleware: [
        failover([{ region: 'us-west-2' }, { region: 'us-east-2' }]),
        (request, next, { timeout }) => {
          left.push(timeout.total)
          time.now += 4000
          return next(request)
        },
      ],
    })
    at('us-east-1').fail('unavailable', { times: 9 })
    at('us-west-2').fail('unavailable', { times: 9 })
    await bedrock.messages.create(params)
    expect(left).toEqual([10_000, 6000, 2000])
    time.now += minutes(10)
    left.length = 0
    const slow = base.withOptions({
      timeout: { total: 3000 },
      middleware: [
        failover([{ region: 'us-west-2' }]),
        (request, next) => {
          time.now += 4000
          return next(request)
        },
      ],
    })
    expect(await failed(slow.messages.create(params))).toMatchObject({ status: 503 })
  })

  test('moves without sending if limits after it refuses', async () => {
    const { base, callsAt } = setUp()
    const quotas = [{ model: 'anthropic.claude-sonnet-4-6', bucket: 'cross-region', tokensPerMinute: 0 } as const]
    const targets = [{ model: globalSonnet, residency: 'anywhere' }]
    const bedrock = base.withOptions({ middleware: [failover(targets), limits({ quotas })] })
    const { metadata } = await bedrock.messages.create(params)
    expect(route(metadata)).toBe(`primary (throttled) > ${globalSonnet} (failed)`)
    expect(callsAt('us-east-1')).toEqual([globalSonnet])
  })

  test('asks leaveIf instead of the rule, except for the daily quota', async () => {
    const { withTargets, at } = setUp()
    const bedrock = withTargets(['haiku'], { leaveIf: ({ status = 0 }) => status >= 500 })
    at('us-east-1').fail('throttling', { times: 3 })
    expect(await failed(bedrock.messages.create(params))).toMatchObject({ status: 429 })
    at('us-east-1').reset()
    at('us-east-1').fail('internal', { times: 2 })
    expect(route((await bedrock.messages.create(params)).metadata)).toBe('primary (other) > haiku (failed)')
  })

  test('throws the last error when all targets fail, with the earlier ones', async () => {
    const { withTargets, at } = setUp()
    at('us-east-1').fail('throttling', { times: 9 })
    at('us-west-2').fail('unavailable', { times: 9 })
    const error = await failed(withTargets([{ region: 'us-west-2' }]).messages.create(params))
    expect(error).toMatchObject({
      status: 503,
      attempts: 3,
      tried: [{ target: 'primary', cause: 'throttled', attempts: 2 }],
    })
    expect(JSON.parse(JSON.stringify(error)).tried).toHaveLength(1)
  })

  test('throws an error of the target at once, with the earlier ones', async () => {
    const { withTargets, at, callsAt } = setUp()
    at('us-east-1').fail('throttling', { times: 9 })
    at('us-west-2').fail('iam-denied', { times: 9 })
    const bedrock = withTargets([{ region: 'us-west-2' }, { region: 'us-east-2' }])
    expect(await failed(bedrock.messages.create(params))).toMatchObject({ status: 403, tried: [{ target: 'primary' }] })
    expect(callsAt('us-east-2')).toEqual([])
  })
})

describe('retries', () => {
  test('makes two attempts at each target but the last, which follows the client', async () => {
    const { withTargets, at, callsAt } = setUp()
    for (const region of ['us-east-1', 'us-west-2', 'us-east-2']) at(region).fail('unavailable', { times: 9 })
    await failed(withTargets([{ region: 'us-west-2' }, { region: 'us-east-2' }]).messages.create(params))
    expect(['us-east-1', 'us-west-2', 'us-east-2'].map((region) => callsAt(region).length)).toEqual([2, 2, 3])
  })

  test('makes as many attempts as `attempts` says; failures for which no call moves are retried as usual', async () => {
    const { withTargets, at, callsAt } = setUp({ retry: { baseDelay: 0, attempts: 4 } })
    at('us-east-1').fail('unavailable', { times: 9 })
    await withTargets([{ region: 'us-west-2' }], { attempts: 1 }).messages.create(params)
    expect(callsAt('us-east-1')).toHaveLength(1)
    at('us-east-1').reset()
    at('us-east-1').fail('internal', { times: 9 })
    await failed(withTargets([{ region: 'us-west-2' }], { attempts: 1 }).messages.create(params))
    expect(callsAt('us-east-1')).toHaveLength(4)
  })

  test('makes one attempt if neither a retry nor another target helps', async () => {
    const { withTargets, at, callsAt } = setUp()
    at('us-east-1').fail('not-found', { times: 9 })
    expect(await failed(withTargets([{ region: 'us-west-2' }]).messages.create(params))).toMatchObject({ status: 404 })
    expect([callsAt('us-east-1').length, callsAt('us-west-2').length]).toEqual([1, 0])
  })

  test("asks the caller's own retryIf", async () => {
    const { withTargets, at, callsAt } = setUp()
    at('us-east-1').fail('unavailable', { times: 9 })
    const retry = { attempts: 5, retryIf: () => false }
    await withTargets([{ region: 'us-west-2' }]).messages.create(params, { retry })
    expect(callsAt('us-east-1')).toHaveLength(1)
  })

  test('makes no retries if the client or the call has none', async () => {
    for (const [options, callOptions] of [
      [{ retry: false as const }, {}],
      [{}, { retry: false as const }],
    ] as const) {
      const { withTargets, at, callsAt } = setUp(options)
      at('us-east-1').fail('unavailable', { times: 9 })
      await withTargets([{ region: 'us-west-2' }]).messages.create(params, callOptions)
      expect(callsAt('us-east-1')).toHaveLength(1)
    }
  })

  test("follows a target's own retry", async () => {
    const { withTargets, at, callsAt } = setUp()
    at('us-east-1').fail('unavailable', { times: 9 })
    at('us-west-2').fail('unavailable', { times: 9 })
    const targets = [{ retry: false as const }, { region: 'us-west-2', retry: { attempts: 4 } }]
    await failed(withTargets(targets).messages.create(params))
    expect([callsAt('us-east-1').length, callsAt('us-west-2').length]).toEqual([1, 4])
  })
})

describe('guardrails', () => {
  const fakes = { guardrails: [{ identifier: 'gr1', versions: ['1'], blockedWords: ['secret'] }] }

  test('apply to another client, however they were set on the call', async () => {
    for (const [middleware, callOptions, headers] of [
      [[guardrails({ identifier: 'gr1', version: 1 })], {}, {}],
      [[], { guardrail: { identifier: 'gr1', version: 1 } }, {}],
      [[], {}, { 'x-amzn-bedrock-guardrailidentifier': 'gr1', 'x-amzn-bedrock-guardrailversion': '1' }],
    ] as const) {
      const { base, at } = setUp({ fakes, headers })
      const other = createFakeBedrock(fakes)
      const client = createCoreClient({ region: 'us-east-1', credentials: other.identity, fetch: other.fetch, env: {} })
      at('us-east-1').fail('throttling', { times: 2 })
      const bedrock = base.withOptions({ middleware: [...middleware, failover([{ client }])] })
      await bedrock.messages.create(params, callOptions)
      expect(other.calls[0]?.headers).toMatchObject({ 'x-amzn-bedrock-guardrailidentifier': 'gr1' })
    }
  })

  test('after failover are rejected before anything is sent', async () => {
    const { base, callsAt } = setUp({ fakes })
    const client = base.withOptions({ region: 'us-west-2' })
    const middleware = [failover([{ client }]), guardrails({ identifier: 'gr1', version: 1 })]
    const error = await failed(base.withOptions({ middleware }).messages.create(params))
    expect(error).toMatchObject({ code: 'configuration', hint: expect.stringContaining('before failover') })
    expect(callsAt('us-east-1')).toEqual([])
  })

  test("of a Region are set in the target's options", async () => {
    const { base, at } = setUp({ fakes })
    at('us-east-1').fail('throttling', { times: 2 })
    const west = {
      region: 'us-west-2',
      options: { guardrail: { identifier: 'gr2', version: 3 }, headers: { 'x-a': '1' } },
    }
    const bedrock = base.withOptions({ middleware: [failover([west])] })
    await failed(bedrock.messages.create(params, { guardrail: { identifier: 'gr1', version: 1 } }))
    expect(at('us-west-2').calls[0]?.headers).toMatchObject({
      'x-amzn-bedrock-guardrailidentifier': 'gr2',
      'x-amzn-bedrock-guardrailversion': '3',
      'x-a': '1',
    })
  })
})
