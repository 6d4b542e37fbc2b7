import { createBedrockClient } from 'outcrop'
import { memoryStore, promptCaching, responseCaching } from 'outcrop/caching'
import { guardrails } from 'outcrop/guardrails'
import { createFakeBedrock } from 'outcrop/testing'
import { costOf, type UsageRecord, usageTracking } from 'outcrop/usage'
import { describe, expect, test } from 'vitest'

const params = { model: 'sonnet', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] }

function setUp(onUsage: (record: UsageRecord) => void = () => {}) {
  const fake = createFakeBedrock()
  const errors: string[] = []
  const logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (message: string) => void errors.push(message),
  }
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    retry: false,
    logger,
    middleware: [usageTracking(onUsage)],
  })
  return { fake, bedrock, errors }
}

describe('usageTracking', () => {
  test('reports each call when it is over', async () => {
    const records: UsageRecord[] = []
    const { bedrock } = setUp((record) => records.push(record))
    const { metadata } = await bedrock.messages.create(params)
    expect(records).toEqual([
      {
        operation: 'InvokeModel',
        model: metadata.model,
        region: 'us-east-1',
        profile: 'us.anthropic.claude-sonnet-4-6',
        usage: metadata.usage,
        latency: expect.any(Number),
        firstByteLatency: undefined,
        requestId: metadata.requestId,
        complete: true,
      },
    ])
    await bedrock.messages.stream(params).finalMessage()
    expect(records[1]).toMatchObject({
      operation: 'InvokeModelWithResponseStream',
      complete: true,
      firstByteLatency: expect.any(Number),
    })
    expect(records[1]?.usage.outputTokens).toBeGreaterThan(0)
  })

  test('reports a stream that was left, and one that failed', async () => {
    const records: UsageRecord[] = []
    const { fake, bedrock } = setUp((record) => records.push(record))
    for await (const _ of bedrock.messages.stream(params)) break
    fake.fail('stream-truncated')
    await bedrock.messages
      .stream(params)
      .finalMessage()
      .catch(() => {})
    expect(records.map(({ complete }) => complete)).toEqual([false, false])
    expect(records[0]?.usage.inputTokens).toBeGreaterThan(0)
  })

  test('reports a stream that was aborted unread', async () => {
    const records: UsageRecord[] = []
    const { bedrock } = setUp((record) => records.push(record))
    const controller = new AbortController()
    const { model, ...body } = params
    const versioned = { anthropic_version: 'bedrock-2023-05-31', ...body }
    await bedrock.invokeStream({ model, body: versioned }, { signal: controller.signal })
    expect(records).toEqual([])
    controller.abort()
    expect(records).toMatchObject([{ complete: false, latency: expect.any(Number) }])
    const stream = await bedrock.messages.create({ ...params, stream: true })
    stream.abort()
    await expect.poll(() => records.length).toBe(2)
    expect(records[1]).toMatchObject({ complete: false, operation: 'InvokeModelWithResponseStream' })
  })

  test('reports a hit of the response cache', async () => {
    const records: UsageRecord[] = []
    const { bedrock } = setUp((record) => records.push(record))
    const middleware = [usageTracking((record) => records.push(record)), responseCaching({ store: memoryStore() })]
    const cached = bedrock.withOptions({ middleware })
    for (let i = 0; i < 2; i++) await cached.messages.create(params, { cache: true })
    expect(records.map(({ cache }) => cache?.status)).toEqual(['miss', 'hit'])
    expect(records[1]?.usage).toEqual(records[0]?.usage)
  })

  test('reports a latency for a stream that was left', async () => {
    const records: UsageRecord[] = []
    const { bedrock } = setUp((record) => records.push(record))
    for await (const _ of bedrock.messages.stream(params)) break
    expect(records).toMatchObject([{ latency: expect.any(Number), firstByteLatency: expect.any(Number) }])
  })

  test('does not fail a call if its callback throws', async () => {
    const { bedrock, errors } = setUp(() => {
      throw new Error('the meter is full')
    })
    await bedrock.messages.create(params)
    expect(errors).toHaveLength(1)
  })

  test('reports the same tokens wherever Bedrock puts them, with compaction summed', async () => {
    const usage = {
      input_tokens: 5,
      output_tokens: 7,
      iterations: [
        { type: 'compaction', input_tokens: 100, output_tokens: 20 },
        { type: 'message', input_tokens: 5, output_tokens: 7 },
      ],
    }
    const fake = createFakeBedrock({ reply: { content: [{ type: 'text', text: 'x' }], usage } as never })
    const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })
    expect((await bedrock.messages.create(params)).metadata.usage).toMatchObject({ inputTokens: 105, outputTokens: 27 })
  })
})

test('middleware functions have names, for stack traces', () => {
  const names = [
    usageTracking(() => {}),
    promptCaching(),
    responseCaching({ store: memoryStore() }),
    guardrails({ identifier: 'gr1', version: 1 }),
  ].map(({ name }) => name)
  expect(names).toEqual(['usageTracking', 'promptCaching', 'responseCaching', 'guardrails'])
})

test('costOf adds the prices', () => {
  const usage = {
    inputTokens: 1_000_000,
    outputTokens: 100_000,
    cacheReadInputTokens: 2_000_000,
    cacheWriteInputTokens: 400_000,
  }
  expect(costOf(usage, { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 })).toBeCloseTo(3 + 1.5 + 0.6 + 1.5)
  expect(costOf({ inputTokens: 1000 }, { input: 3, output: 15 })).toBeCloseTo(0.003)
})

describe('per-call options', () => {
  test('become signed headers', async () => {
    const { fake, bedrock } = setUp()
    await bedrock.messages.create(params, {
      requestMetadata: { team: 'blau-grün' },
      serviceTier: 'flex',
      latency: 'optimized',
    })
    const { headers } = fake.calls[0] as (typeof fake.calls)[number]
    expect(headers).toMatchObject({
      'x-amzn-bedrock-service-tier': 'flex',
      'x-amzn-bedrock-performanceconfig-latency': 'optimized',
    })
    expect(JSON.parse(headers['x-amzn-bedrock-request-metadata'] as string)).toEqual({ team: 'blau-grün' })
    expect(headers.authorization).toContain('x-amzn-bedrock-request-metadata')
    expect(fake.calls[0]?.signature.valid).toBe(true)
  })

  test.each([
    { requestMetadata: { a: 'x'.repeat(9000) } },
    { serviceTier: 'gold' as never },
    { latency: 'low' as never },
  ])('reject %j before anything is sent', async (options) => {
    const { fake, bedrock } = setUp()
    await expect(bedrock.messages.create(params, options)).rejects.toMatchObject({ code: 'configuration' })
    expect(fake.calls).toHaveLength(0)
  })
})
