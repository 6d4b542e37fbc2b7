import { createBedrockClient as createDefaultClient, type CallOptions, type Message } from 'outcrop'
import { type BedrockCoreClient, createBedrockClient } from 'outcrop/core'
import { createFakeBedrock, type FakeReply, type FakeReplyFunction } from 'outcrop/testing'
import { beforeEach, describe, expect, test } from 'vitest'

// A whole message over a stream: `create` with `wire: 'stream'`.

const guardrail = { identifier: 'gr1', versions: ['1'], blockedWords: ['dynamite'], message: 'No.' }
let reply: FakeReply = 'Fine.'
const fake = createFakeBedrock({ guardrails: [guardrail], reply: () => reply as Exclude<FakeReply, FakeReplyFunction> })
beforeEach(() => {
  fake.reset()
  reply = 'Fine.'
})

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'How are you?' }],
}
const base = { region: fake.region, credentials: fake.identity, fetch: fake.fetch }
const bedrock = createBedrockClient(base)
const wire = { wire: 'stream' } as const

/** The same call both ways. */
async function both(
  client: Pick<BedrockCoreClient, 'messages'>,
  input: typeof params = params,
  options: CallOptions = {},
): Promise<[whole: Message, streamed: Message]> {
  return [await client.messages.create(input, options), await client.messages.create(input, { ...options, ...wire })]
}

const replies: [string, FakeReply][] = [
  ['text', 'Outcrops are where bedrock meets the surface. Grüße aus 東京.'],
  [
    'thinking, text with citations and a tool',
    {
      content: [
        { type: 'thinking', thinking: 'Let me see.', signature: 'c2lnbmF0dXJl' },
        {
          type: 'text',
          text: 'It is granite.',
          citations: [{ type: 'char_location', cited_text: 'granite', document_index: 0, document_title: null }],
        },
        { type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Oslo', days: [1, 2, { three: 3 }] } },
        { type: 'tool_use', id: 't2', name: 'now', input: {} },
      ],
      usage: { input_tokens: 7, cache_read_input_tokens: 3, cache_creation_input_tokens: 2, output_tokens: 40 },
    },
  ],
  ['nothing', { content: [] }],
]
test.each(replies)('returns the message of InvokeModel: %s', async (_, given) => {
  reply = given
  const [whole, streamed] = await both(bedrock)
  expect(streamed).toEqual(whole)
  expect(JSON.stringify(streamed)).not.toContain('metadata')
  expect(fake.calls.map(({ operation }) => operation)).toEqual(['InvokeModel', 'InvokeModelWithResponseStream'])
})

test('returns the same metadata, and how the message was received', async () => {
  const [{ metadata: whole }, { metadata: streamed }] = await both(bedrock)
  expect(streamed).toMatchObject({
    wire: 'stream',
    requestId: expect.stringMatching(/^0{8}-/),
    status: whole.status,
    attempts: whole.attempts,
    model: whole.model,
    usage: whole.usage,
    latency: expect.any(Number),
    firstByteLatency: expect.any(Number),
  })
  expect('wire' in whole).toBe(false)
})

test('reports the adaptations of the default client', async () => {
  const client = createDefaultClient(base)
  const [whole, streamed] = await both(client, {
    ...params,
    model: 'us.anthropic.claude-opus-4-8',
    temperature: 0.5,
  } as typeof params)
  expect(whole.metadata.adaptations?.length).toBeGreaterThan(0)
  expect(streamed.metadata.adaptations).toEqual(whole.metadata.adaptations)
})

test.each([
  ['passes', 'How are you?'],
  ['intervenes', 'Where is the dynamite?'],
])('reports a guardrail that %s', async (_, content) => {
  const client = createDefaultClient(base)
  const guarded = { guardrail: { identifier: 'gr1', version: 1, trace: 'enabled' as const } }
  const input = { ...params, messages: [{ role: 'user' as const, content }] }
  const [whole, streamed] = await both(client, input, guarded)
  expect(streamed.content).toEqual(whole.content)
  expect(streamed.metadata.guardrail).toEqual(whole.metadata.guardrail)
  expect(whole.metadata.guardrail?.action).toBe(content.includes('dynamite') ? 'INTERVENED' : 'NONE')
})

describe('errors', () => {
  test('are retried before the first event', async () => {
    fake.fail('throttling')
    fake.fail('stream-internal', { after: 0 })
    const client = createBedrockClient({ ...base, retry: { attempts: 3, baseDelay: 0 } })
    const message = await client.messages.create(params, wire)
    expect(message.metadata).toMatchObject({ attempts: 3, wire: 'stream' })
  })

  test('are not retried after the first event, and have the partial message', async () => {
    fake.fail('stream-internal', { after: 4 })
    await expect(bedrock.messages.create(params, wire)).rejects.toMatchObject({
      code: 'stream_exception',
      type: 'InternalServerException',
      partial: { type: 'message', role: 'assistant' },
    })
    expect(fake.calls).toHaveLength(1)
  })

  test("come from a guardrail with onIntervention: 'throw'", async () => {
    const guarded = { guardrail: { identifier: 'gr1', version: 1, onIntervention: 'throw' as const } }
    const input = { ...params, messages: [{ role: 'user' as const, content: 'Where is the dynamite?' }] }
    await expect(createDefaultClient(base).messages.create(input, { ...guarded, ...wire })).rejects.toMatchObject({
      code: 'guardrail_intervened',
      response: { type: 'message' },
    })
  })

  test("are the signal's own reason", async () => {
    const reason = new Error('enough')
    const call = bedrock.messages.create(params, { ...wire, signal: AbortSignal.abort(reason) })
    await expect(call).rejects.toBe(reason)
  })
})

test('middleware sees a stream, and never the option', async () => {
  const seen: unknown[] = []
  const client = createBedrockClient({
    ...base,
    middleware: [
      (request, next) => {
        seen.push(request.operation, request.options.wire)
        return next(request)
      },
    ],
  })
  await client.messages.create(params, wire)
  expect(seen).toEqual(['InvokeModelWithResponseStream', undefined])
})

const body = { anthropic_version: 'bedrock-2023-05-31', ...params, model: undefined }
test.each([
  ['an unknown value', () => bedrock.messages.create(params, { wire: 'sse' as never })],
  ['create with stream: true', () => bedrock.messages.create({ ...params, stream: true }, wire)],
  ['stream', () => bedrock.messages.stream(params, wire).finalMessage()],
  ['countTokens', () => bedrock.messages.countTokens(params, wire)],
  ['invoke', () => bedrock.invoke({ model: params.model, body }, wire)],
  ['invokeStream', () => bedrock.invokeStream({ model: params.model, body }, wire)],
])('rejects the option where it would have no effect: %s', async (_, call) => {
  await expect(call()).rejects.toMatchObject({ code: 'configuration', message: expect.stringContaining('wire') })
  expect(fake.calls).toEqual([])
})
