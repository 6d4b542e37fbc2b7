import { memoryStore, responseCaching } from 'outcrop/caching'
import { guardrails } from 'outcrop/guardrails'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openClient, openSdk, params, rejectionOf, requestModel } from './support.ts'

let sdk: ReturnType<typeof openSdk>
beforeEach(() => {
  sdk = openSdk()
})
afterEach(() => sdk.close())

const reply = {
  content: [{ type: 'text', text: 'Hello' }],
  usage: {
    input_tokens: 10,
    output_tokens: 20,
    cache_read_input_tokens: 300,
    cache_creation_input_tokens: 4000,
    output_tokens_details: { thinking_tokens: 5 },
  },
} as never

const call = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'aws.bedrock',
  'gen_ai.request.model': requestModel,
  'server.address': 'bedrock-runtime.us-east-1.amazonaws.com',
  'server.port': 443,
}
const answered = { ...call, 'gen_ai.response.model': 'claude-sonnet-4-6' }

/** A clock on which each look takes a second. */
function tickingClock() {
  let now = Date.now()
  return {
    now: () => {
      now += 1000
      return now
    },
    setTimeout: (callback: () => void, milliseconds: number) => setTimeout(callback, milliseconds),
    clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
  }
}

test('a create records its duration and tokens', async () => {
  const { bedrock } = openClient(sdk, { bedrock: { reply } })
  await bedrock.messages.create(params)
  const counted = { ...answered, 'gen_ai.token.modality': 'unknown' }
  expect(await sdk.measured()).toEqual({
    'gen_ai.client.inference.duration': [{ attributes: answered, value: { count: 1, sum: expect.any(Number) } }],
    'gen_ai.client.inference.usage.input_tokens': [{ attributes: counted, value: 4310 }],
    'gen_ai.client.inference.usage.output_tokens': [{ attributes: counted, value: 20 }],
    'gen_ai.client.inference.usage.cache_read.input_tokens': [{ attributes: counted, value: 300 }],
    'gen_ai.client.inference.usage.cache_write.input_tokens': [{ attributes: counted, value: 4000 }],
    'gen_ai.client.inference.usage.reasoning.output_tokens': [{ attributes: counted, value: 5 }],
    'gen_ai.client.inference.operation.input_tokens': [{ attributes: answered, value: { count: 1, sum: 4310 } }],
    'gen_ai.client.inference.operation.output_tokens': [{ attributes: answered, value: { count: 1, sum: 20 } }],
  })
})

test('a stream records the time to the first chunk and between chunks, in seconds', async () => {
  const { bedrock } = openClient(sdk, { client: { clock: tickingClock() }, bedrock: { reply: 'one two three four' } })
  let chunks = 0
  for await (const { type } of bedrock.messages.stream(params)) if (type === 'content_block_delta') chunks++
  expect(chunks).toBeGreaterThan(1)
  const measured = await sdk.measured()
  expect(measured['gen_ai.client.inference.time_to_first_chunk']).toEqual([
    { attributes: answered, value: { count: 1, sum: expect.any(Number) } },
  ])
  expect(measured['gen_ai.client.inference.time_per_output_chunk']).toEqual([
    { attributes: call, value: { count: chunks - 1, sum: chunks - 1 } },
  ])
  const duration = measured['gen_ai.client.inference.duration']?.[0]?.value as { sum: number }
  expect(duration.sum).toBeGreaterThan(chunks)
})

test('a create records no chunks', async () => {
  const { bedrock } = openClient(sdk)
  await bedrock.messages.create(params)
  expect(Object.keys(await sdk.measured()).filter((name) => /chunk/.test(name))).toEqual([])
})

test('a failure is counted by its type, without tokens', async () => {
  const { fake, bedrock } = openClient(sdk)
  fake.fail('throttling', { times: 3 })
  await rejectionOf(bedrock.messages.create(params))
  const measured = await sdk.measured()
  const failed = { ...call, 'error.type': 'ThrottlingException' }
  expect(measured['gen_ai.client.inference.duration']).toMatchObject([{ attributes: failed, value: { count: 1 } }])
  expect(measured['outcrop.client.retries']).toEqual([{ attributes: failed, value: 2 }])
  expect(measured['gen_ai.client.inference.usage.input_tokens']).toMatchObject([{ value: 0 }])
})

test('a stream that is left is not counted as a success', async () => {
  const { bedrock } = openClient(sdk)
  for await (const _ of bedrock.messages.stream(params)) break
  const { attributes } = (await sdk.measured())['gen_ai.client.inference.duration']?.[0] ?? {}
  expect(attributes?.['error.type']).toBe('AbortError')
})

test('an answer from the response cache has no tokens, and says so', async () => {
  const { bedrock } = openClient(sdk, {
    bedrock: { reply },
    client: { middleware: [responseCaching({ store: memoryStore() })] },
  })
  for (const _ of [1, 2, 3]) await bedrock.messages.create({ ...params, temperature: 0 })
  const measured = await sdk.measured()
  expect(
    measured['gen_ai.client.inference.duration']?.map(({ attributes, value }) => [
      attributes['outcrop.cache.status'],
      (value as { count: number }).count,
    ]),
  ).toEqual([
    ['miss', 1],
    ['hit', 2],
  ])
  expect(measured['gen_ai.client.inference.usage.output_tokens']).toMatchObject([{ value: 20 }])
})

test('interventions of guardrails are counted, whether or not they fail the call', async () => {
  const guardrail = { identifier: 'gr1abc2def3g', versions: ['1'], blockedWords: ['forbidden'] }
  const forbidden = { ...params, messages: [{ role: 'user' as const, content: 'forbidden' }] }
  for (const onIntervention of ['return', 'throw'] as const) {
    const { bedrock } = openClient(sdk, {
      bedrock: { guardrails: [guardrail] },
      client: { middleware: [guardrails({ identifier: 'gr1abc2def3g', version: 1, onIntervention })] },
    })
    await bedrock.messages.create(forbidden).catch(() => {})
    await bedrock.messages.create(params)
  }
  expect((await sdk.measured())['outcrop.client.guardrail.interventions']).toEqual([{ attributes: call, value: 2 }])
})

test('countTokens is recorded as another operation', async () => {
  const { bedrock } = openClient(sdk)
  await bedrock.messages.countTokens(params)
  const measured = await sdk.measured()
  expect(Object.keys(measured)).toEqual(['gen_ai.client.operation.duration'])
  expect(measured['gen_ai.client.operation.duration']).toMatchObject([
    { attributes: { 'gen_ai.operation.name': 'count_tokens' }, value: { count: 1 } },
  ])
})

test('the edition 1.41 has its own metrics', async () => {
  const { bedrock } = openClient(sdk, { bedrock: { reply }, options: { conventions: '1.41' } })
  await bedrock.messages.stream(params).finalMessage()
  await bedrock.messages.countTokens(params)
  const measured = await sdk.measured()
  expect(Object.keys(measured).sort()).toEqual([
    'gen_ai.client.operation.duration',
    'gen_ai.client.operation.time_to_first_chunk',
    'gen_ai.client.token.usage',
  ])
  expect(measured['gen_ai.client.token.usage']).toEqual([
    { attributes: { ...answered, 'gen_ai.token.type': 'input' }, value: { count: 1, sum: 4310 } },
    { attributes: { ...answered, 'gen_ai.token.type': 'output' }, value: { count: 1, sum: 20 } },
  ])
})

test('a client creates its instruments once', async () => {
  const made: string[] = []
  const make = (name: string) => {
    made.push(name)
    return { record: () => {}, add: () => {} }
  }
  const meter = { createHistogram: make, createCounter: make }
  const { bedrock } = openClient(sdk, { options: { meter } })
  for (const _ of [1, 2, 3]) await bedrock.messages.create(params)
  expect(made).toEqual([...new Set(made)])
})
