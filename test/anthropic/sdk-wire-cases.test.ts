import { getEventListeners } from 'node:events'
import { createAnthropic } from '@ai-sdk/anthropic'
import Anthropic from '@anthropic-ai/sdk'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import { ChatAnthropic } from '@langchain/anthropic'
import type { AIMessageChunk } from '@langchain/core/messages'
import { APICallError, generateText, jsonSchema, streamText, tool } from 'ai'
import Anthropic0 from 'anthropic-sdk-0'
import type { JsonObject } from 'outcrop'
import type { FakeReply } from 'outcrop/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { connect, params, post } from './support.ts'

// The server behavior that the SDKs' own suites check, with other data. Each group names the suite.

const start = (usage: JsonObject = {}): JsonObject => ({
  type: 'message_start',
  message: {
    id: 'msg_slate',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-6',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 31, output_tokens: 1, ...usage },
  },
})
const block = (index: number, content_block: JsonObject, ...deltas: JsonObject[]): JsonObject[] => [
  { type: 'content_block_start', index, content_block },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
]
const text = (index: number, ...texts: string[]): JsonObject[] =>
  block(index, { type: 'text', text: '' }, ...texts.map((text) => ({ type: 'text_delta', text })))
const toolUse = (index: number, ...pieces: string[]): JsonObject[] =>
  block(
    index,
    { type: 'tool_use', id: `toolu_${index}`, name: 'assay', input: {} },
    ...pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
  )
const end = (delta: JsonObject = {}, usage: JsonObject = {}, event: JsonObject = {}): JsonObject[] => [
  {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null, ...delta },
    usage: { output_tokens: 9, ...usage },
    ...event,
  },
  { type: 'message_stop' },
]

const caught = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => undefined,
    (reason: unknown) => reason,
  )

const lastOf = (items: unknown): unknown => (Array.isArray(items) ? items.at(-1) : undefined)

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** The same answers, torn into pieces of so many bytes. */
const torn =
  (fetch: typeof globalThis.fetch, size: number): typeof globalThis.fetch =>
  async (...request) => {
    const response = await fetch(...request)
    const bytes = new Uint8Array(await response.arrayBuffer())
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size))
        controller.close()
      },
    })
    return new Response(body, response)
  }

const chat = (fetch: typeof globalThis.fetch, more: object = {}): ChatAnthropic =>
  new ChatAnthropic({
    ...more,
    model: params.model,
    apiKey: 'unused',
    maxRetries: 0,
    clientOptions: { fetch },
  })
const aiModel = (fetch: typeof globalThis.fetch) => createAnthropic({ apiKey: 'unused', fetch })(params.model)
const aiSettings = { prompt: 'Hi', maxRetries: 0, maxOutputTokens: 1000, onError: () => {} }

/** Functions that read the text of a stream, by SDK. */
const readers: readonly (readonly [string, (fetch: typeof globalThis.fetch) => Promise<string>])[] = [
  ...([Anthropic, Anthropic0 as unknown as typeof Anthropic] as const).map(
    (Sdk, i) =>
      [
        `@anthropic-ai/sdk ${1 - i}.x`,
        (fetch: typeof globalThis.fetch) => new Sdk({ apiKey: 'unused', fetch }).messages.stream(params).finalText(),
      ] as const,
  ),
  ['ai', async (fetch) => streamText({ model: aiModel(fetch), ...aiSettings }).text],
  [
    '@langchain/anthropic',
    async (fetch) => (await collect(await chat(fetch).stream('Hi'))).map((chunk) => chunk.text).join(''),
  ],
]

// anthropic-sdk-typescript: tests/streaming.test.ts, tests/internal/decoders/line.test.ts
describe('framing', () => {
  const awkward = [
    'gneis\n\nschist\r\n\r',
    '\u2028\u2029\u0085\v\f',
    'Шпат, 花崗岩, 🪨',
    'data: no\n\nevent: error\ndata: {"type":"error"}\n\n',
    ': \ufeff\u0000 \\n',
  ]
  const reply = [start(), ...text(0, ...awkward), ...end()] as FakeReply

  test('has one event line, one data line and an empty one per event', async () => {
    const { fetch } = connect({ reply })
    const body = await (await post(fetch, { ...params, stream: true })).text()
    expect(body).not.toContain('\r')
    expect(body.endsWith('\n\n')).toBe(true)
    const events = body.slice(0, -2).split('\n\n')
    for (const event of events) expect(event).toMatch(/^event: [a-z_]+\ndata: \{[^\n]*\}$/)
    expect(events).toHaveLength((reply as JsonObject[]).length)
  })

  test.each(readers)(
    'keeps line breaks, field names and multi-byte text in chunks of any size: %s',
    async (_, read) => {
      const { fetch } = connect({ reply })
      for (const size of [1, 2, 3, 7, 1000]) expect(await read(torn(fetch, size))).toBe(awkward.join(''))
    },
  )

  test.each(readers)('ignores pings and empty deltas: %s', async (_, read) => {
    const ping = { type: 'ping' }
    const [first, ...rest] = text(0, '', 'one ', '', 'vein', '')
    const { fetch } = connect({ reply: [start(), ping, first, ping, ...rest, ping, ...end()] as FakeReply })
    expect(await read(fetch)).toBe('one vein')
  })

  test.each(readers)('accepts an answer without usage, as guardrails return: %s', async (_, read) => {
    const { usage, ...message } = start().message as JsonObject
    const { fetch } = connect({
      reply: [
        { type: 'message_start', message },
        ...text(0, 'Not that.'),
        { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
        { type: 'message_stop' },
      ],
    })
    expect(await read(fetch)).toBe('Not that.')
  })
})

// anthropic-sdk-typescript: tests/streaming.test.ts, tests/index.test.ts; vercel/ai: packages/anthropic/src/anthropic-error.test.ts,
// anthropic-language-model.test.ts
describe('errors by type', () => {
  const types = [
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [402, 'billing_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [409, 'conflict_error'],
    [413, 'request_too_large'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [504, 'timeout_error'],
    [529, 'overloaded_error'],
  ] as const
  const failing = (type: string, ...before: JsonObject[]) =>
    connect({
      reply: [...before, { type: 'error', error: { type, message: 'The shaft is full', details: null } }] as FakeReply,
    })
  const isRetryable = (status: number) => status === 409 || status === 429 || status >= 500

  test.each(types)('%i %s before the first event is a response', async (status, type) => {
    const { fetch } = failing(type)
    const anthropic = new Anthropic({ apiKey: 'unused', fetch, maxRetries: 0 })
    const error = await caught(anthropic.messages.create({ ...params, stream: true }))
    expect(error).toBeInstanceOf(Anthropic.APIError)
    expect(error).toMatchObject({ status, type, requestID: expect.any(String) })
    const ofAi: unknown[] = []
    await streamText({
      ...aiSettings,
      model: aiModel(fetch),
      onError: (event) => void ofAi.push(event.error),
    }).consumeStream()
    expect(APICallError.isInstance(ofAi[0])).toBe(true)
    expect(ofAi[0]).toMatchObject({
      statusCode: status,
      isRetryable: isRetryable(status),
      message: 'The shaft is full',
      data: { type: 'error', error: { type } },
    })
  })

  test.each(types)('%i %s after the first event is an error event that ends the stream', async (_, type) => {
    const { fetch } = failing(type, start(), ...text(0, 'ore').slice(0, 2))
    const anthropic = new Anthropic({ apiKey: 'unused', fetch, maxRetries: 0 })
    const seen: string[] = []
    const stream = anthropic.messages.stream(params).on('text', (piece) => seen.push(piece))
    const error = await caught(stream.finalMessage())
    expect(error).toBeInstanceOf(Anthropic.APIError)
    expect(error).toMatchObject({
      type,
      requestID: expect.any(String),
      error: { type: 'error', error: { type, message: 'The shaft is full' } },
    })
    expect(seen).toEqual(['ore'])
    const parts = await collect(streamText({ model: aiModel(fetch), ...aiSettings }).fullStream)
    expect(parts.map((part) => part.type)).toContain('text-delta')
    expect(parts.find((part) => part.type === 'error')).toMatchObject({ error: { type, message: 'The shaft is full' } })
  })

  test('becomes api_error if Anthropic does not have the type', async () => {
    const { fetch } = failing('cave_in', start())
    const parts = await collect(streamText({ model: aiModel(fetch), ...aiSettings }).fullStream)
    expect(parts.find((part) => part.type === 'error')).toMatchObject({ error: { type: 'api_error' } })
    const { fetch: other } = failing('cave_in')
    const anthropic = new Anthropic({ apiKey: 'unused', fetch: other, maxRetries: 0 })
    expect(await caught(anthropic.messages.create({ ...params, stream: true }))).toMatchObject({ type: 'api_error' })
  })
})

// anthropic-sdk-typescript: tests/index.test.ts, tests/responses.test.ts
describe('URLs, retries and request IDs', () => {
  afterEach(() => void vi.useRealTimers())

  test('accept any base URL, query and kind of key', async () => {
    for (const options of [
      { baseURL: 'https://gate.example/a/b/', defaultQuery: { team: '7' } },
      { baseURL: 'https://gate.example', apiKey: null, authToken: 'unused-token' },
      { defaultHeaders: { 'anthropic-version': null, 'x-team': '7' } },
    ]) {
      const { fetch, fake } = connect({ reply: 'tin' })
      const anthropic = new Anthropic({ apiKey: 'unused', fetch, ...options })
      expect((await anthropic.messages.create(params)).content).toMatchObject([{ text: 'tin' }])
      expect(JSON.stringify(fake.calls)).not.toMatch(/unused|gate\.example|x-team/)
    }
    const { fetch } = connect({ reply: 'tin' })
    const anthropic = createAnthropic({ authToken: 'unused', fetch, baseURL: 'https://gate.example/v1' })
    expect((await generateText({ ...aiSettings, model: anthropic(params.model) })).text).toBe('tin')
  })

  test.each(['retry-after', 'retry-after-ms'])('retry a 429 after %s', async (name) => {
    const { fake, fetch } = connect()
    const anthropic = new Anthropic({ apiKey: 'unused', fetch, maxRetries: 1 })
    fake.fail('throttling', { headers: { [name]: name === 'retry-after' ? '0.001' : '1' } })
    const stream = await anthropic.messages.create({ ...params, stream: true })
    expect(await collect(stream)).not.toEqual([])
    expect(fake.calls).toHaveLength(2)
  })

  test("end the call at Bedrock on the SDK's timeout, and retry with a new one", async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { fake, fetch } = connect({ reply: 'quartz' })
    const anthropic = new Anthropic({ apiKey: 'unused', fetch, maxRetries: 1, timeout: 5_000 })
    fake.fail('stall')
    const call = anthropic.messages.create(params)
    await expect.poll(() => fake.calls.length).toBe(1)
    await vi.advanceTimersByTimeAsync(5_000)
    const afterABreak = async () => {
      await vi.advanceTimersByTimeAsync(1_000)
      return fake.calls.length
    }
    await expect.poll(afterABreak).toBe(2)
    expect((await call).content).toMatchObject([{ text: 'quartz' }])
    expect(fake.calls.map(({ aborted }) => aborted)).toEqual([true, false])
    // The SDK counts its tries in a header, which is not for AWS.
    expect(Object.keys(fake.calls[1]?.headers ?? {}).filter((name) => name.startsWith('x-stainless'))).toEqual([])
  })

  test('put request-id into the response and on the message, but not into its JSON', async () => {
    const { fetch } = connect()
    const anthropic = new Anthropic({ apiKey: 'unused', fetch })
    const { data, response, request_id } = await anthropic.messages.create(params).withResponse()
    expect(request_id).toBe(response.headers.get('request-id'))
    expect(data).toMatchObject({ _request_id: request_id })
    expect(JSON.stringify(data)).not.toContain(request_id)
    const stream = anthropic.messages.stream(params)
    const opened = await stream.withResponse()
    expect(opened.request_id).toMatch(/^0{8}-/)
    expect(stream.request_id).toBe(opened.request_id)
    await stream.done()
  })
})

// anthropic-sdk-typescript: tests/abort-listener-cleanup.test.ts
test('a long-lived signal keeps no reference to its requests', async () => {
  const { fake, fetch } = connect({ reply: 'word '.repeat(100) })
  const anthropic = new Anthropic({ apiKey: 'unused', fetch, maxRetries: 1 })
  const { signal } = new AbortController()
  const stream = () => anthropic.messages.create({ ...params, stream: true }, { signal })
  await anthropic.messages.create(params, { signal })
  fake.fail('input-too-long')
  await caught(anthropic.messages.create(params, { signal }))
  fake.fail('throttling', { headers: { 'retry-after-ms': '1' } })
  await anthropic.messages.create(params, { signal })
  await collect(await stream())
  for await (const _ of await stream()) break
  fake.fail('stream-reset')
  await caught(stream().then(collect<unknown>))
  await expect.poll(() => getEventListeners(signal, 'abort').length).toBe(0)
})

// anthropic-sdk-typescript: tests/api-resources/MessageStream.test.ts, BetaMessageStream.test.ts
describe.each([
  ['1.x', Anthropic],
  ['0.x', Anthropic0 as unknown as typeof Anthropic],
])('messages that @anthropic-ai/sdk %s assembles', (version, Sdk) => {
  const streaming = (reply: JsonObject[]) => {
    const connected = connect({ reply: reply as FakeReply })
    return { ...connected, anthropic: new Sdk({ apiKey: 'unused', fetch: connected.fetch, maxRetries: 0 }) }
  }

  test('abort the stream, here and at Bedrock, when the loop is left', async () => {
    const { fake, fetch } = connect({ reply: 'word '.repeat(500) })
    const stream = new Sdk({ apiKey: 'unused', fetch }).messages.stream(params)
    for await (const event of stream) if (event.type === 'content_block_delta') break
    expect(await caught(stream.done())).toBeInstanceOf(Sdk.APIUserAbortError)
    expect(stream.aborted).toBe(true)
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
  })

  test.each(['connection-refused', 'connection-reset'] as const)(
    'become a 502 for the fault %s, at every method',
    async (fault) => {
      const { fake, anthropic } = streaming([])
      fake.fail(fault, { times: 3 })
      for (const ask of [
        () => anthropic.messages.stream(params).done(),
        () => collect(anthropic.messages.stream(params)),
        () => anthropic.messages.stream(params).withResponse(),
      ]) {
        const error = await caught(ask())
        expect(error).toBeInstanceOf(Sdk.InternalServerError)
        expect(error).toMatchObject({ status: 502, type: 'api_error' })
      }
    },
  )

  test('grow a tool input piece by piece, complete at the end', async () => {
    const { anthropic } = streaming([
      start(),
      ...text(0, 'I will look.'),
      ...toolUse(1, '', '{"vein', '": "Nordgang", "depths": [1', '2, -3.5e2, true], "näme": "\\u00fc\\"', '花"}'),
      ...toolUse(2, '{"vein":"Südgang"}'),
      ...toolUse(3, ''),
      ...end({ stop_reason: 'tool_use' }),
    ])
    const snapshots: unknown[] = []
    const stream = anthropic.messages.stream(params).on('inputJson', (_, snapshot) => snapshots.push(snapshot))
    const message = await stream.finalMessage()
    const first = { vein: 'Nordgang', depths: [12, -350, true], näme: 'ü"花' }
    expect(message.content.flatMap((content) => (content.type === 'tool_use' ? [content.input] : []))).toEqual([
      first,
      { vein: 'Südgang' },
      {},
    ])
    expect(snapshots).toContainEqual({ vein: 'Nordgang', depths: [] })
    expect(snapshots).toContainEqual(first)
    expect(message.stop_reason).toBe('tool_use')
  })

  test('keep a cut tool input as it is; the SDK throws if none of it parses', async () => {
    const cut = streaming([start(), ...toolUse(0, '{"vein":"Nord', 'gang","de'), ...end({ stop_reason: 'max_tokens' })])
    const message = await cut.anthropic.beta.messages.stream(params).finalMessage()
    expect(message).toMatchObject({ stop_reason: 'max_tokens', content: [{ input: { vein: 'Nordgang' } }] })
    // The older one takes what it can make out.
    const broken = streaming([start(), ...toolUse(0, '{"vein":', ' pyrite}'), ...end()])
    const error = await caught(broken.anthropic.beta.messages.stream(params).done())
    if (version === '1.x') expect(error).toBeInstanceOf(Sdk.AnthropicError)
    expect(error).not.toBeInstanceOf(Sdk.APIError)
  })

  const cached = {
    cache_creation_input_tokens: 5,
    cache_read_input_tokens: 6,
    cache_creation: { ephemeral_5m_input_tokens: 5, ephemeral_1h_input_tokens: 0 },
    service_tier: 'standard',
  }

  test('keep the usage of message_start that message_delta does not have', async () => {
    const { anthropic } = streaming([start(cached), ...text(0, 'ore'), ...end()])
    const { usage } = await anthropic.messages.stream(params).finalMessage()
    expect(usage).toMatchObject({ input_tokens: 31, output_tokens: 9, ...cached })
  })

  test('take the usage of message_delta if it is there', async () => {
    const later = {
      input_tokens: 44,
      output_tokens: 70,
      cache_creation_input_tokens: 8,
      cache_read_input_tokens: 9,
      server_tool_use: { web_search_requests: 0, web_fetch_requests: 0 },
      output_tokens_details: { thinking_tokens: 20 },
    }
    const { anthropic } = streaming([start(cached), ...text(0, 'ore'), ...end({}, later)])
    const { usage } = await anthropic.messages.stream(params).finalMessage()
    // The older SDK does not look for the last.
    const { output_tokens_details, ...older } = later
    expect(usage).toMatchObject({ ...cached, ...(version === '1.x' ? later : older) })
  })

  test('keep other fields of message_delta', async () => {
    const delta = {
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', category: 'bio', explanation: 'Not this one.' },
      container: { id: 'container_7', expires_at: '2027-01-01T00:00:00Z' },
    }
    const context_management = {
      applied_edits: [{ type: 'clear_tool_uses_20250919', cleared_input_tokens: 50, cleared_tool_uses: 1 }],
    }
    const { anthropic } = streaming([start(), ...text(0, 'No'), ...end(delta, {}, { context_management })])
    const events = await collect(await anthropic.beta.messages.create({ ...params, stream: true }))
    expect(events.find(({ type }) => type === 'message_delta')).toMatchObject({ delta, context_management })
    const message = await anthropic.beta.messages.stream(params).finalMessage()
    expect(message).toMatchObject({ ...delta, context_management })
  })

  test.each([
    'end_turn',
    'max_tokens',
    'stop_sequence',
    'tool_use',
    'pause_turn',
    'refusal',
    'model_context_window_exceeded',
  ])('have the stop_reason %s, complete and streamed', async (stop_reason) => {
    const stop_sequence = stop_reason === 'stop_sequence' ? '###' : null
    const { fetch } = connect({ reply: { content: [{ type: 'text', text: 'ore' }], stop_reason, stop_sequence } })
    const anthropic = new Sdk({ apiKey: 'unused', fetch })
    for (const call of [anthropic.messages.create(params), anthropic.messages.stream(params).finalMessage()])
      expect(await call).toMatchObject({ stop_reason, stop_sequence })
  })

  test('keep thinking, redacted thinking, citations and unknown blocks, complete and streamed', async () => {
    const citation = {
      type: 'char_location',
      cited_text: 'Gneis.',
      document_index: 0,
      document_title: null,
      start_char_index: 0,
      end_char_index: 6,
    }
    const content = [
      { type: 'thinking', thinking: 'Grüße, 花', signature: 'c2xhdGU=' },
      { type: 'redacted_thinking', data: 'b2Jz/+Y=' },
      { type: 'text', text: 'It is gneis.', citations: [citation] },
      { type: 'seam', depth: 3, of: { ore: ['tin'] } },
    ]
    const { fetch } = connect({ reply: { content } })
    const anthropic = new Sdk({ apiKey: 'unused', fetch })
    const whole = await anthropic.messages.create(params)
    expect(whole.content).toEqual(content)
    expect((await anthropic.messages.stream(params).finalMessage()).content).toEqual(content)
  })
})

// anthropic-sdk-typescript: tests/lib/tools/BetaToolRunner.test.ts
describe('the tool runner', () => {
  const assay = (run: () => string) =>
    betaZodTool({ name: 'assay', description: 'Tests ore', inputSchema: z.object({ vein: z.string() }), run })
  const asked = { content: [{ type: 'tool_use', id: 'toolu_1', name: 'assay', input: { vein: 'Nordgang' } }] }

  test('tells the model about a tool that throws, and one that does not exist', async () => {
    const { fetch, fake } = connect({
      reply: ({ body }) =>
        JSON.stringify(body.messages).includes('tool_result')
          ? 'So be it.'
          : { content: [...asked.content, { type: 'tool_use', id: 'toolu_2', name: 'drill', input: {} }] },
    })
    const runner = new Anthropic({ apiKey: 'unused', fetch }).beta.messages.toolRunner({
      ...params,
      tools: [
        assay(() => {
          throw new Error('no flame')
        }),
      ],
    })
    await runner.runUntilDone()
    expect(lastOf(fake.calls.at(-1)?.body.messages)).toMatchObject({
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_1', is_error: true },
        { type: 'tool_result', tool_use_id: 'toolu_2', is_error: true },
      ],
    })
  })

  test('runs no tool after a refusal', async () => {
    const run = vi.fn(() => 'tin')
    const { fetch, fake } = connect({ reply: { ...asked, stop_reason: 'refusal' } })
    const anthropic = new Anthropic({ apiKey: 'unused', fetch })
    const message = await anthropic.beta.messages.toolRunner({ ...params, tools: [assay(run)] }).runUntilDone()
    expect(message.stop_reason).toBe('refusal')
    expect(run).not.toHaveBeenCalled()
    expect(fake.calls).toHaveLength(1)
  })

  test.each([true, false])('continues after an error, stream: %s', async (stream) => {
    const { fetch, fake } = connect({ reply: 'Done.' })
    const anthropic = new Anthropic({ apiKey: 'unused', fetch, maxRetries: 0 })
    const runner = anthropic.beta.messages.toolRunner({ ...params, stream, tools: [assay(() => 'tin')] })
    fake.fail('input-too-long')
    expect(await caught(runner.runUntilDone())).toMatchObject({ status: 400, type: 'invalid_request_error' })
    expect((await runner.runUntilDone()).content).toMatchObject([{ text: 'Done.' }])
  })
})

// vercel/ai: packages/anthropic/src/anthropic-language-model.test.ts, anthropic-message-lifecycle.test.ts
describe('parts that ai assembles', () => {
  const streamed = (reply: JsonObject[], more: object = {}) => {
    const { fetch } = connect({ reply: reply as FakeReply })
    return streamText({ model: aiModel(fetch), ...aiSettings, ...more })
  }
  const finish = async (result: ReturnType<typeof streamed>) => {
    const parts = await collect(result.fullStream)
    expect(parts.filter(({ type }) => type === 'error')).toEqual([])
    return parts.find((part) => part.type === 'finish-step')
  }
  const tools = {
    assay: tool({ inputSchema: jsonSchema<JsonObject>({ type: 'object', additionalProperties: true }) }),
  }

  test('have the last usage, including caches', async () => {
    const reply = [
      start(),
      ...text(0, 'ore'),
      ...end({}, { cache_creation_input_tokens: 4, cache_read_input_tokens: 3 }),
    ]
    expect(await finish(streamed(reply))).toMatchObject({
      usage: {
        inputTokens: 38,
        inputTokenDetails: { noCacheTokens: 31, cacheReadTokens: 3, cacheWriteTokens: 4 },
        outputTokens: 9,
      },
    })
    const corrected = [start(), ...text(0, 'ore'), ...end({}, { input_tokens: 57 })]
    expect(await finish(streamed(corrected))).toMatchObject({ usage: { inputTokens: 57 } })
  })

  test('have the thinking tokens, complete and streamed', async () => {
    const usage = { input_tokens: 5, output_tokens: 60, output_tokens_details: { thinking_tokens: 45 } }
    const { fetch } = connect({ reply: { content: [{ type: 'text', text: 'ore' }], usage } })
    const expected = { outputTokens: 60, outputTokenDetails: { reasoningTokens: 45, textTokens: 15 } }
    expect((await generateText({ model: aiModel(fetch), ...aiSettings })).usage).toMatchObject(expected)
    const { input_tokens, ...ofOutput } = usage
    expect(await finish(streamed([start(), ...text(0, 'ore'), ...end({}, ofOutput)]))).toMatchObject({
      usage: expected,
    })
  })

  test('have the finish reason', async () => {
    const stop_details = { type: 'refusal', category: 'bio', explanation: 'Not this one.' }
    for (const [delta, finishReason, metadata] of [
      [{ stop_reason: 'stop_sequence', stop_sequence: '###' }, 'stop', { stopSequence: '###' }],
      [{ stop_reason: 'pause_turn' }, 'stop', {}],
      [{ stop_reason: 'max_tokens' }, 'length', {}],
      [{ stop_reason: 'refusal', stop_details }, 'content-filter', { stopDetails: stop_details }],
    ] as const) {
      const step = await finish(streamed([start(), ...text(0, 'ore'), ...end(delta as JsonObject)]))
      expect(step).toMatchObject({
        finishReason,
        rawFinishReason: delta.stop_reason,
        providerMetadata: { anthropic: metadata },
      })
    }
  })

  test('keep redacted reasoning, and a signature without thinking', async () => {
    const result = streamed([
      start(),
      ...block(0, { type: 'redacted_thinking', data: 'b2Jz/+Y=' }),
      ...block(
        1,
        { type: 'text', text: '' },
        { type: 'text_delta', text: 'So.' },
        { type: 'signature_delta', signature: 'c2xhdGU=' },
      ),
      ...end(),
    ])
    expect(await result.text).toBe('So.')
    expect((await result.reasoning)[0]?.providerMetadata).toMatchObject({ anthropic: { redactedData: 'b2Jz/+Y=' } })
  })

  test('assemble tool calls from none, some or all of the input in deltas', async () => {
    const at = (input: JsonObject) => ({ type: 'tool_use', id: 'toolu_0', name: 'assay', input })
    for (const [events, input] of [
      [toolUse(0, ''), {}],
      [toolUse(0), {}],
      [block(0, at({ vein: 'Nordgang' })), { vein: 'Nordgang' }],
      [toolUse(0, '', '{"vein"', ': "a\\"b\\\\c\\n"}'), { vein: 'a"b\\c\n' }],
    ] as const) {
      const result = streamed([start(), ...events, ...end({ stop_reason: 'tool_use' })], { tools })
      expect(await result.toolCalls).toMatchObject([{ toolCallId: 'toolu_0', toolName: 'assay', input }])
      expect(await result.finishReason).toBe('tool-calls')
    }
  })

  test('assemble compaction, whose first delta has no content', async () => {
    const compaction = block(
      0,
      { type: 'compaction', content: null },
      { type: 'compaction_delta', content: null },
      { type: 'compaction_delta', content: 'They dug.' },
    )
    expect(await streamed([start(), ...compaction, ...text(1, ' On.'), ...end()]).text).toBe('They dug. On.')
  })

  test('ignore a second message_start', async () => {
    const result = streamed([start(), start(), ...text(0, 'ore'), ...end()])
    expect(await finish(result)).toMatchObject({ finishReason: 'stop' })
    expect(await result.text).toBe('ore')
  })

  test("include raw chunks and the response's headers", async () => {
    const events = [start(), ...text(0, 'ore'), ...end()]
    const result = streamed(events, { include: { rawChunks: true }, includeRawChunks: true })
    const raw = (await collect(result.fullStream)).flatMap((part) => (part.type === 'raw' ? [part.rawValue] : []))
    expect(raw).toMatchObject(events)
    expect((await result.response).headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'request-id': expect.any(String),
    })
  })
})

// langchainjs: libs/providers/langchain-anthropic/src/utils/tests/errors.test.ts, utils/tests/message_outputs.test.ts,
// tests/chat_models_stream_events.test.ts, tests/chat_models.int.test.ts
describe('results of @langchain/anthropic', () => {
  test.each([
    ['expired-token', 'MODEL_AUTHENTICATION'],
    ['not-found', 'MODEL_NOT_FOUND'],
    ['throttling', 'MODEL_RATE_LIMIT'],
    ['input-too-long', 'CONTEXT_OVERFLOW'],
    ['extra-inputs', undefined],
    ['internal', undefined],
  ] as const)('throw %s with the code %s', async (fault, code) => {
    for (const call of [
      (model: ChatAnthropic) => model.invoke('Hi'),
      (model: ChatAnthropic) => model.stream('Hi').then(collect<AIMessageChunk>),
    ]) {
      const { fake, fetch } = connect()
      fake.fail(fault, { times: 2 })
      const error = await caught(call(chat(fetch)))
      expect(error).toBeInstanceOf(Error)
      expect((error as { lc_error_code?: string }).lc_error_code).toBe(code)
    }
  })

  test('count cached tokens once', async () => {
    const usage = { cache_creation_input_tokens: 50, cache_read_input_tokens: 100 }
    const reply = [
      start({ output_tokens: 0, ...usage }),
      ...text(0, 'ore'),
      ...end({}, { input_tokens: 31, ...usage }),
    ] as FakeReply
    const { fetch } = connect({ reply })
    const [first, ...rest] = await collect(await chat(fetch).stream('Hi'))
    const whole = rest.reduce((message, chunk) => message.concat(chunk), first as AIMessageChunk)
    expect(whole.usage_metadata).toMatchObject({
      input_tokens: 181,
      output_tokens: 9,
      input_token_details: { cache_creation: 50, cache_read: 100 },
    })
    expect(whole.id).toBe('msg_slate')
  })

  test('send thinking back unchanged, also redacted', async () => {
    const content = [
      { type: 'thinking', thinking: 'Grüße, 花', signature: 'c2xhdGU=' },
      { type: 'redacted_thinking', data: 'b2Jz/+Y=' },
      { type: 'text', text: 'So.' },
    ]
    const { fetch, fake } = connect({ reply: { content } })
    const model = chat(fetch, { maxTokens: 2000, thinking: { type: 'enabled', budget_tokens: 1024 } })
    const chunks = await collect(await model.stream('Hi'))
    const streamed = chunks.slice(1).reduce((message, chunk) => message.concat(chunk), chunks[0] as AIMessageChunk)
    for (const message of [await model.invoke('Hi'), streamed]) {
      await model.invoke([{ role: 'user', content: 'Hi' }, message, { role: 'user', content: 'And?' }])
      expect(fake.calls.at(-1)?.body.messages).toMatchObject([{}, { role: 'assistant', content }, {}])
    }
  })

  test('end the call at Bedrock when the loop is left', async () => {
    const { fetch, fake } = connect({ reply: 'word '.repeat(500) })
    for await (const _ of await chat(fetch).stream('Hi')) break
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
  })
})
