import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { isBedrockError, type JsonObject } from 'outcrop'
import { memoryStore, responseCaching } from 'outcrop/caching'
import { failover } from 'outcrop/failover'
import { guardrails } from 'outcrop/guardrails'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { onlySpan, openClient, openSdk, params, rejectionOf, requestModel } from './support.ts'

let sdk: ReturnType<typeof openSdk>
beforeEach(() => {
  sdk = openSdk()
})
afterEach(() => sdk.close())

const usage = {
  input_tokens: 10,
  output_tokens: 20,
  cache_read_input_tokens: 300,
  cache_creation_input_tokens: 4000,
  output_tokens_details: { thinking_tokens: 5 },
}
const reply = { content: [{ type: 'text', text: 'Hello' }], usage } as never

describe('a create', () => {
  test('is a client span with attributes of its request and response', async () => {
    const { bedrock } = openClient(sdk, { bedrock: { reply } })
    const message = await bedrock.messages.create({
      ...params,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop_sequences: ['END'],
    })
    const span = onlySpan(sdk)
    expect(span.name).toBe(`chat ${requestModel}`)
    expect(span.kind).toBe(SpanKind.CLIENT)
    expect(span.status).toEqual({ code: SpanStatusCode.UNSET })
    expect(span.ended).toBe(true)
    expect(span.attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'aws.bedrock',
      'gen_ai.request.model': requestModel,
      'server.address': 'bedrock-runtime.us-east-1.amazonaws.com',
      'server.port': 443,
      'gen_ai.request.max_tokens': 100,
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.top_p': 0.9,
      'gen_ai.request.top_k': 40,
      'gen_ai.request.stop_sequences': ['END'],
      'cloud.region': 'us-east-1',
      'outcrop.model.source': 'alias',
      'outcrop.model.base': 'anthropic.claude-sonnet-4-6',
      'gen_ai.response.id': message.id,
      'gen_ai.response.model': message.model,
      'gen_ai.response.finish_reasons': ['end_turn'],
      'gen_ai.usage.input_tokens': 4310,
      'gen_ai.usage.output_tokens': 20,
      'gen_ai.usage.cache_read.input_tokens': 300,
      'gen_ai.usage.cache_write.input_tokens': 4000,
      'gen_ai.usage.reasoning.output_tokens': 5,
      'aws.request_id': message.metadata.requestId,
      'http.response.status_code': 200,
      'outcrop.attempts': 1,
    })
  })

  test('has the source of the model: a full ID, an alias, an override', async () => {
    const { bedrock } = openClient(sdk)
    await bedrock.messages.create({ ...params, model: requestModel })
    expect(onlySpan(sdk).attributes['outcrop.model.source']).toBe('explicit')
  })

  test('has the effort and the output type JSON', async () => {
    const { bedrock } = openClient(sdk, { client: { compatibility: false } })
    const format = { type: 'json_schema', schema: {} }
    await bedrock.messages.create({ ...params, output_config: { effort: 'high', format } } as never).catch(() => {})
    expect(onlySpan(sdk).attributes).toMatchObject({
      'gen_ai.request.reasoning.level': 'high',
      'gen_ai.output.type': 'json',
    })
  })

  test('has the names of the edition 1.41', async () => {
    const { bedrock } = openClient(sdk, { bedrock: { reply }, options: { conventions: '1.41' } })
    await bedrock.messages.create(params)
    const { attributes } = onlySpan(sdk)
    expect(attributes['gen_ai.usage.cache_creation.input_tokens']).toBe(4000)
    expect(attributes).not.toHaveProperty(['gen_ai.usage.cache_write.input_tokens'])
  })

  test('has the current names with OTEL_SEMCONV_STABILITY_OPT_IN', async () => {
    const env = { OTEL_SEMCONV_STABILITY_OPT_IN: 'http, gen_ai_latest_experimental' }
    const { bedrock } = openClient(sdk, { bedrock: { reply }, options: { conventions: '1.41' }, client: { env } })
    await bedrock.messages.create(params)
    expect(onlySpan(sdk).attributes['gen_ai.usage.cache_write.input_tokens']).toBe(4000)
  })

  test("has the call's conversation and attributes, and no span with false", async () => {
    const { bedrock } = openClient(sdk)
    await bedrock.messages.create(params, { telemetry: { conversationId: 'c-7', attributes: { 'app.tenant': 'geo' } } })
    expect(onlySpan(sdk).attributes).toMatchObject({ 'gen_ai.conversation.id': 'c-7', 'app.tenant': 'geo' })
    await bedrock.messages.create(params, { telemetry: false })
    expect(sdk.spans()).toHaveLength(1)
  })
})

describe('a stream', () => {
  const streamed = {
    'gen_ai.request.stream': true,
    'gen_ai.response.finish_reasons': ['end_turn'],
    'gen_ai.response.time_to_first_chunk': expect.any(Number),
    'gen_ai.usage.input_tokens': 4310,
    'gen_ai.usage.output_tokens': 20,
    'aws.request_id': expect.any(String),
  }

  test('ends when its reader reaches the end', async () => {
    const { bedrock } = openClient(sdk, { bedrock: { reply } })
    let last = ''
    for await (const { type } of bedrock.messages.stream(params)) {
      last = type
      expect(sdk.spans()).toEqual([])
    }
    expect(last).toBe('message_stop')
    const { attributes, status } = onlySpan(sdk)
    expect(attributes).toMatchObject({ ...streamed, 'gen_ai.response.id': expect.stringMatching(/^msg_/) })
    expect(status.code).toBe(SpanStatusCode.UNSET)
  })

  test('ends with finalMessage, create({ stream: true }), wire: stream, invokeStream and toReadableStream too', async () => {
    const { bedrock } = openClient(sdk, { bedrock: { reply } })
    await bedrock.messages.stream(params).finalMessage()
    for await (const _ of await bedrock.messages.create({ ...params, stream: true }));
    await bedrock.messages.create(params, { wire: 'stream' })
    const body = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 9, messages: params.messages }
    for await (const _ of (await bedrock.invokeStream({ model: 'sonnet', body })).events);
    await new Response(bedrock.messages.stream(params).toReadableStream()).text()
    expect(sdk.spans().map(({ attributes }) => attributes)).toEqual(
      Array.from({ length: 5 }, () => expect.objectContaining(streamed)),
    )
  })

  test('has the thinking tokens of the last message_delta', async () => {
    const { bedrock } = openClient(sdk, {
      bedrock: {
        reply: [
          {
            type: 'message_start',
            message: {
              id: 'msg_1',
              type: 'message',
              role: 'assistant',
              model: 'claude',
              content: [],
              usage: { input_tokens: 1, output_tokens: 1 },
            },
          },
          {
            type: 'message_delta',
            delta: { stop_reason: 'end_turn' },
            usage: { output_tokens: 9, output_tokens_details: { thinking_tokens: 7 } },
          },
          { type: 'message_stop' },
        ],
      },
    })
    await bedrock.messages.stream(params).finalMessage()
    expect(onlySpan(sdk).attributes).toMatchObject({
      'gen_ai.usage.output_tokens': 9,
      'gen_ai.usage.reasoning.output_tokens': 7,
    })
  })

  test.each<[who: string, read: (stream: AsyncIterable<unknown> & { abort(): void }) => Promise<void>]>([
    [
      'its reader leaves',
      async (stream) => {
        for await (const _ of stream) break
      },
    ],
    [
      'it is aborted while it is read',
      async (stream) => {
        await rejectionOf(
          (async () => {
            for await (const _ of stream) stream.abort()
          })(),
        )
      },
    ],
  ])('ends without success or failure when %s', async (_, read) => {
    const { bedrock } = openClient(sdk, { bedrock: { reply } })
    await read(bedrock.messages.stream(params))
    const { attributes, status } = onlySpan(sdk)
    expect(attributes['error.type']).toBe('AbortError')
    expect(attributes['gen_ai.response.finish_reasons']).toEqual(['error'])
    expect(attributes['gen_ai.response.id']).toMatch(/^msg_/)
    expect(status.code).toBe(SpanStatusCode.UNSET)
  })

  test('ends when it is aborted unread', async () => {
    const { bedrock } = openClient(sdk)
    const stream = await bedrock.messages.stream(params).started()
    expect(sdk.spans()).toEqual([])
    stream.abort()
    expect(onlySpan(sdk).attributes['error.type']).toBe('AbortError')
  })

  test('ends when an invokeStream is left', async () => {
    const { bedrock } = openClient(sdk)
    const body = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 9, messages: params.messages }
    for await (const _ of (await bedrock.invokeStream({ model: 'sonnet', body })).events) break
    expect(onlySpan(sdk).attributes['error.type']).toBe('AbortError')
  })

  test('succeeds if its reader leaves at message_stop', async () => {
    const { bedrock } = openClient(sdk)
    for await (const { type } of bedrock.messages.stream(params)) if (type === 'message_stop') break
    expect(onlySpan(sdk).attributes).not.toHaveProperty(['error.type'])
  })

  test.each([
    ['stream-truncated', 'stream_truncated'],
    ['stream-throttling', 'ThrottlingException'],
    ['stream-corrupt', 'stream_corrupt'],
  ] as const)('fails with its error (%s)', async (fault, type) => {
    const { fake, bedrock } = openClient(sdk)
    fake.fail(fault, { after: 3 })
    const error = (await rejectionOf(bedrock.messages.stream(params).finalMessage())) as Error
    const { attributes, status } = onlySpan(sdk)
    expect(attributes['error.type']).toBe(type)
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message: error.message })
  })

  test('fails with an abort whose reason is not an AbortError', async () => {
    const { bedrock } = openClient(sdk)
    const controller = new AbortController()
    const stream = await bedrock.messages.stream(params, { signal: controller.signal }).started()
    controller.abort(new DOMException('Too late', 'TimeoutError'))
    await rejectionOf(stream.finalMessage())
    const { attributes, status } = onlySpan(sdk)
    expect(attributes['error.type']).toBe('TimeoutError')
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message: 'Too late' })
  })
})

describe('attempts', () => {
  test('are events with their error if they are retried', async () => {
    const { fake, bedrock } = openClient(sdk, { client: { retry: { baseDelay: 8 }, random: () => 0.5 } })
    fake.fail('throttling')
    fake.fail('unavailable')
    await bedrock.messages.create(params)
    const { attributes, events, status } = onlySpan(sdk)
    expect(attributes['outcrop.attempts']).toBe(3)
    expect(attributes).not.toHaveProperty(['error.type'])
    expect(status.code).toBe(SpanStatusCode.UNSET)
    expect(events.map(({ name, attributes }) => ({ name, ...attributes }))).toEqual([
      {
        name: 'outcrop.attempt.failed',
        'outcrop.attempt': 1,
        'error.type': 'ThrottlingException',
        'http.response.status_code': 429,
        'aws.request_id': expect.any(String),
        'outcrop.retry.delay': 0.004,
      },
      expect.objectContaining({ 'outcrop.attempt': 2, 'error.type': 'ServiceUnavailableException' }),
    ])
  })

  test("are also reported to the call's onRetry", async () => {
    const { fake, bedrock } = openClient(sdk)
    fake.fail('throttling')
    const heard: number[] = []
    await bedrock.messages.create(params, { onRetry: ({ attempt }) => heard.push(attempt) })
    expect(heard).toEqual([1])
    expect(onlySpan(sdk).events).toHaveLength(1)
  })
})

describe('a failure', () => {
  test("of the service has AWS's type, status and request ID", async () => {
    const { fake, bedrock } = openClient(sdk)
    fake.fail('iam-denied')
    const error = await rejectionOf(bedrock.messages.create(params))
    if (!isBedrockError(error, 'service')) throw error
    const { attributes, status } = onlySpan(sdk)
    expect(attributes).toMatchObject({
      'error.type': 'AccessDeniedException',
      'http.response.status_code': 403,
      'aws.request_id': error.requestId,
      'outcrop.attempts': 1,
      'gen_ai.response.finish_reasons': ['error'],
    })
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message: error.message })
  })

  test("of the network has the error's code", async () => {
    const { fake, bedrock } = openClient(sdk)
    fake.fail('connection-refused', { times: 9 })
    await rejectionOf(bedrock.messages.create(params))
    expect(onlySpan(sdk).attributes['error.type']).toBe('connection')
  })

  test("before anything is sent has the error's code", async () => {
    const { fake, bedrock } = openClient(sdk)
    await rejectionOf(bedrock.invoke({ model: 'sonnet', body: { messages: [], seed: Number.NaN } }))
    expect(fake.calls).toEqual([])
    expect(onlySpan(sdk).attributes['error.type']).toBe('configuration')
  })

  test('is not an abort, which is no success either', async () => {
    const { fake, bedrock } = openClient(sdk)
    fake.fail('stall')
    const controller = new AbortController()
    const call = bedrock.messages.create(params, { signal: controller.signal })
    await expect.poll(() => fake.calls.length).toBe(1)
    controller.abort()
    await rejectionOf(call)
    const { attributes, status } = onlySpan(sdk)
    expect(attributes['error.type']).toBe('AbortError')
    expect(status.code).toBe(SpanStatusCode.UNSET)
  })

  test('contains no secret', async () => {
    const { bedrock, fake } = openClient(sdk, {
      client: {
        fetch: async () => {
          throw new Error('proxy said: Authorization: Bearer abcdefgh12345678')
        },
        retry: false,
      },
    })
    await rejectionOf(bedrock.messages.create(params))
    const told = JSON.stringify([onlySpan(sdk).attributes, onlySpan(sdk).status])
    expect(told).not.toContain('abcdefgh12345678')
    expect(told).not.toContain((fake.identity as { secretAccessKey: string }).secretAccessKey)
  })
})

describe('a guardrail', () => {
  const guardrail = { identifier: 'gr1abc2def3g', versions: ['1'], blockedWords: ['forbidden'] }
  const forbidden = { ...params, messages: [{ role: 'user' as const, content: 'something forbidden' }] }
  const guarded = (onIntervention: 'return' | 'throw') =>
    openClient(sdk, {
      bedrock: { guardrails: [guardrail] },
      client: { middleware: [guardrails({ identifier: 'gr1abc2def3g', version: 1, onIntervention })] },
    })

  test('is recorded with its outcome', async () => {
    await guarded('return').bedrock.messages.create(params)
    expect(onlySpan(sdk).attributes).toMatchObject({
      'aws.bedrock.guardrail.id': 'gr1abc2def3g',
      'outcrop.guardrail.action': 'NONE',
    })
  })

  test('is recorded as intervened, for messages and streams', async () => {
    const { bedrock } = guarded('return')
    await bedrock.messages.create(forbidden)
    await bedrock.messages.stream(forbidden).finalMessage()
    for (const { attributes, status } of sdk.spans()) {
      expect(attributes['outcrop.guardrail.action']).toBe('INTERVENED')
      expect(status.code).toBe(SpanStatusCode.UNSET)
    }
  })

  test('is recorded with tokens if it fails the call', async () => {
    const { bedrock } = guarded('throw')
    await rejectionOf(bedrock.messages.create(forbidden))
    await rejectionOf(bedrock.messages.stream(forbidden).finalMessage())
    for (const { attributes, status } of sdk.spans()) {
      expect(attributes).toMatchObject({
        'error.type': 'guardrail_intervened',
        'outcrop.guardrail.action': 'INTERVENED',
        'gen_ai.usage.input_tokens': expect.any(Number),
      })
      expect(status.code).toBe(SpanStatusCode.ERROR)
    }
    expect(sdk.spans()).toHaveLength(2)
  })

  test('is recorded for a single call, from its option or headers', async () => {
    const { bedrock } = openClient(sdk, { bedrock: { guardrails: [guardrail] } })
    await bedrock.messages.create(params, { guardrail: { identifier: 'gr1abc2def3g', version: 1 } })
    const headers = { 'x-amzn-bedrock-guardrailidentifier': 'gr1abc2def3g', 'x-amzn-bedrock-guardrailversion': '1' }
    await bedrock.messages.create(params, { headers })
    const ids = sdk.spans().map(({ attributes }) => attributes['aws.bedrock.guardrail.id'])
    expect(ids).toEqual(['gr1abc2def3g', 'gr1abc2def3g'])
  })

  test('is not recorded if a call turns it off', async () => {
    await guarded('return').bedrock.messages.create(params, { guardrail: false })
    expect(onlySpan(sdk).attributes).not.toHaveProperty(['aws.bedrock.guardrail.id'])
  })
})

describe('the response cache', () => {
  test('records a miss and a hit, which has no tokens', async () => {
    const { bedrock } = openClient(sdk, {
      bedrock: { reply },
      client: { middleware: [responseCaching({ store: memoryStore() })] },
    })
    for (const _ of [1, 2]) await bedrock.messages.create({ ...params, temperature: 0 })
    for (const _ of [1, 2]) await bedrock.messages.stream({ ...params, temperature: 0 }).finalMessage()
    const [miss, hit, streamedMiss, streamedHit] = sdk.spans().map(({ attributes }) => attributes)
    for (const attributes of [miss, streamedMiss])
      expect(attributes).toMatchObject({ 'outcrop.cache.status': 'miss', 'gen_ai.usage.output_tokens': 20 })
    for (const attributes of [hit, streamedHit]) {
      expect(attributes).toMatchObject({
        'outcrop.cache.status': 'hit',
        'outcrop.cache.age': expect.any(Number),
        'gen_ai.response.id': expect.any(String),
      })
      expect(attributes).not.toHaveProperty(['gen_ai.usage.output_tokens'])
    }
  })

  test('is not missed because of telemetry options or traceparent', async () => {
    const { fake, bedrock } = openClient(sdk, {
      options: { propagate: true },
      client: { middleware: [responseCaching({ store: memoryStore() })] },
    })
    for (const conversationId of ['a', 'b'])
      await bedrock.messages.create({ ...params, temperature: 0 }, { telemetry: { conversationId }, onRetry: () => {} })
    expect(fake.calls).toHaveLength(1)
  })
})

test('adaptations of the request are recorded', async () => {
  const { bedrock } = openClient(sdk)
  const { metadata } = await bedrock.messages.create({ ...params, inference_geo: 'us' })
  expect(metadata.adaptations?.length).toBeGreaterThan(0)
  expect(onlySpan(sdk).attributes['outcrop.adaptations']).toEqual(
    metadata.adaptations?.map(({ action, field, reason }) => `${action} ${field}: ${reason}`),
  )
})

test('the failover target is recorded', async () => {
  const { fake, bedrock } = openClient(sdk, {
    client: { middleware: [failover([{ region: 'us-west-2' }])], retry: false },
  })
  fake.fail('unavailable')
  const { metadata } = await bedrock.messages.create(params)
  expect(onlySpan(sdk).attributes).toMatchObject({
    'outcrop.failover.target': metadata.failover?.target,
    'outcrop.failover.reason': 'failed',
    'cloud.region': 'us-west-2',
  })
})

test('countTokens has its own kind of span', async () => {
  const { bedrock } = openClient(sdk)
  await bedrock.messages.countTokens(params)
  const { name, attributes } = onlySpan(sdk)
  expect(name).toBe(`count_tokens ${requestModel}`)
  expect(attributes['gen_ai.operation.name']).toBe('count_tokens')
  for (const name of ['gen_ai.usage.input_tokens', 'gen_ai.request.max_tokens'])
    expect(attributes).not.toHaveProperty([name])
})

test("other providers' bodies are recorded without unknown fields", async () => {
  const { bedrock } = openClient(sdk, { bedrock: { reply } })
  const body: JsonObject = { inputText: 'Hi' }
  await bedrock.invoke({ model: 'amazon.titan-embed-text-v2:0', body }).catch(() => {})
  await bedrock.invoke({ model: 'amazon.nova-lite-v1:0', body: { prompt: 'Hi' } }).catch(() => {})
  expect(sdk.spans().map(({ name }) => name)).toEqual([
    'embeddings amazon.titan-embed-text-v2:0',
    'generate_content amazon.nova-lite-v1:0',
  ])
})
