import Anthropic from '@anthropic-ai/sdk'
import { createBedrockClient, type MessageStream } from 'outcrop/core'
import { createFakeBedrock, type FakeReply } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 1000,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}
const usage = { input_tokens: 12, cache_read_input_tokens: 3, output_tokens: 1 }
const start = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  },
}
const block = (index: number, content_block: object, ...deltas: object[]): object[] => [
  { type: 'content_block_start', index, content_block },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
]
const end = (stop_reason = 'end_turn'): object[] => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 40 } },
  { type: 'message_stop' },
]

function streamOf(events: object[]): MessageStream {
  const fake = createFakeBedrock({ reply: events as FakeReply })
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    retry: false,
  })
  return bedrock.messages.stream(params)
}

const conversations: [name: string, events: object[]][] = [
  [
    'text',
    [
      start,
      ...block(
        0,
        { type: 'text', text: '' },
        { type: 'text_delta', text: 'Grüße ' },
        { type: 'text_delta', text: 'aus 東京' },
      ),
      ...end(),
    ],
  ],
  [
    'thinking with its signature, redacted thinking, text',
    [
      start,
      ...block(
        0,
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'Let me ' },
        { type: 'thinking_delta', thinking: 'see.' },
        { type: 'signature_delta', signature: 'c2ln' },
      ),
      ...block(1, { type: 'redacted_thinking', data: 'b3BhcXVl' }),
      ...block(2, { type: 'text', text: '' }, { type: 'text_delta', text: 'So.' }),
      ...end(),
    ],
  ],
  [
    'two tools at once',
    [
      start,
      ...block(
        0,
        { type: 'tool_use', id: 't1', name: 'weather', input: {} },
        { type: 'input_json_delta', partial_json: '' },
        { type: 'input_json_delta', partial_json: '{"city":"Tü' },
        { type: 'input_json_delta', partial_json: 'bingen"}' },
      ),
      ...block(1, { type: 'tool_use', id: 't2', name: 'now', input: {} }),
      ...end('tool_use'),
    ],
  ],
  [
    'citations',
    [
      start,
      ...block(
        0,
        { type: 'text', text: '', citations: [] },
        { type: 'text_delta', text: 'As written.' },
        {
          type: 'citations_delta',
          citation: {
            type: 'char_location',
            cited_text: 'a',
            document_index: 0,
            document_title: null,
            start_char_index: 0,
            end_char_index: 1,
            file_id: null,
          },
        },
      ),
      ...end(),
    ],
  ],
  [
    'a server tool and its result',
    [
      start,
      ...block(
        0,
        { type: 'server_tool_use', id: 's1', name: 'tool_search_tool_regex', input: {} },
        { type: 'input_json_delta', partial_json: '{"query":"x"}' },
      ),
      ...block(1, {
        type: 'tool_search_tool_result',
        tool_use_id: 's1',
        content: { type: 'tool_search_tool_search_result', tool_references: [] },
      }),
      ...end(),
    ],
  ],
]

describe('the final message of a stream', () => {
  // The Anthropic SDK's own accumulator, over the same events as server-sent ones.
  test.each(conversations)('equals that of the Anthropic SDK for the same events: %s', async (_, events) => {
    const body = events
      .map((event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`)
      .join('')
    const anthropic = new Anthropic({
      apiKey: 'example',
      fetch: async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    })
    const theirs = await anthropic.messages.stream({ ...params, model: 'claude' }).finalMessage()
    const ours = await streamOf(events).finalMessage()
    expect(JSON.parse(JSON.stringify(ours))).toMatchObject(
      JSON.parse(
        JSON.stringify({ content: theirs.content, role: theirs.role, id: theirs.id, stop_reason: theirs.stop_reason }),
      ),
    )
    expect(ours.usage.output_tokens).toBe(40)
    expect(ours.usage.input_tokens).toBe(theirs.usage.input_tokens)
  })

  test('keeps unknown blocks and deltas', async () => {
    const events = [
      start,
      ...block(
        0,
        { type: 'hologram', shape: 'cube', layers: [1] },
        { type: 'hologram_delta', shape: '-ish', layers: [2], colour: 'red' },
      ),
      { type: 'something_new', index: 0, of: 'no concern' },
      ...end(),
    ]
    const { content } = await streamOf(events).finalMessage()
    expect(content).toEqual([{ type: 'hologram', shape: 'cube-ish', layers: [1, 2], colour: 'red' }])
  })

  test('has the partial text of a tool input that max_tokens cut', async () => {
    const events = [
      start,
      ...block(
        0,
        { type: 'tool_use', id: 't', name: 'x', input: {} },
        { type: 'input_json_delta', partial_json: '{"a": [1, 2' },
      ),
      ...end('max_tokens'),
    ]
    expect((await streamOf(events).finalMessage()).content[0]).toMatchObject({ input: '{"a": [1, 2' })
  })

  test('equals that of messages.create', async () => {
    const fake = createFakeBedrock()
    const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })
    const whole = await bedrock.messages.create(params)
    const streamed = await bedrock.messages.stream(params).finalMessage()
    const said = ({ content, role, stop_reason, usage: { input_tokens, output_tokens } }: typeof whole): object => ({
      content,
      role,
      stop_reason,
      input_tokens,
      output_tokens,
    })
    expect(said(streamed)).toEqual(said(whole))
    expect(Object.keys(whole)).not.toContain('metadata')
    expect(whole.metadata.requestId).toBeTruthy()
  })
})

describe('MessageStream', () => {
  const events = conversations[0]?.[1] as object[]
  const counting = () => {
    const fake = createFakeBedrock({ reply: events as FakeReply })
    return {
      fake,
      bedrock: createBedrockClient({
        region: fake.region,
        credentials: fake.identity,
        fetch: fake.fetch,
        retry: false,
      }),
    }
  }

  test('calls once, however it is read and however often', async () => {
    const { fake, bedrock } = counting()
    const stream = bedrock.messages.stream(params)
    const [message, text, metadata] = await Promise.all([stream.finalMessage(), stream.finalText(), stream.metadata])
    expect(text).toBe('Grüße aus 東京')
    expect(message.metadata).toBe(metadata)
    expect(await stream.finalMessage()).toBe(message)
    expect(fake.calls).toHaveLength(1)
  })

  test('iterates and resolves finalMessage(), in either order', async () => {
    for (const first of ['iterate', 'final'] as const) {
      const stream = streamOf(events)
      const final = first === 'final' ? stream.finalMessage() : undefined
      const types: string[] = []
      for await (const { type } of stream) types.push(type)
      expect(types).toHaveLength(events.length)
      expect((await (final ?? stream.finalMessage())).stop_reason).toBe('end_turn')
    }
  })

  test('rejects a second iterator', async () => {
    const stream = streamOf(events)
    for await (const _ of stream);
    expect(() => stream[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'configuration' }))
  })

  test('textStream yields only the text', async () => {
    const pieces: string[] = []
    for await (const text of streamOf(events).textStream) pieces.push(text)
    expect(pieces).toEqual(['Grüße ', 'aus 東京'])
  })

  test('toReadableStream yields lines of JSON', async () => {
    const text = await new Response(streamOf(events).toReadableStream()).text()
    const lines = text.trim().split('\n')
    expect(lines).toHaveLength(events.length)
    expect(JSON.parse(lines[0] as string)).toMatchObject({ type: 'message_start' })
  })

  test('create({ stream: true }) resolves once the response has begun', async () => {
    const { bedrock } = counting()
    const stream = await bedrock.messages.create({ ...params, stream: true })
    expect(await stream.finalText()).toBe('Grüße aus 東京')
    const bad = counting()
    bad.fake.fail('not-found')
    await expect(bad.bedrock.messages.create({ ...params, stream: true })).rejects.toMatchObject({ code: 'service' })
  })

  test('abort() rejects with an AbortError, and keeps the snapshot', async () => {
    const stream = streamOf(events)
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    stream.abort()
    await expect(stream.finalMessage()).rejects.toMatchObject({ name: 'AbortError' })
    await expect(iterator.next()).rejects.toMatchObject({ name: 'AbortError' })
    expect(stream.snapshot).toMatchObject({ id: 'msg_1' })
    stream.abort()
  })

  describe('whose events arrive in one chunk', () => {
    const inOneChunk = (): MessageStream => {
      const { fake } = counting()
      const bedrock = createBedrockClient({
        region: fake.region,
        credentials: fake.identity,
        fetch: async (input, init) => {
          const response = await fake.fetch(input, init)
          return new Response(await response.arrayBuffer(), response)
        },
      })
      return bedrock.messages.stream(params)
    }

    test('yields no buffered event after abort()', async () => {
      const stream = inOneChunk()
      const iterator = stream[Symbol.asyncIterator]()
      await iterator.next()
      expect(await iterator.next()).toMatchObject({ done: false, value: { type: 'content_block_start' } })
      stream.abort()
      await expect(iterator.next()).rejects.toMatchObject({ name: 'AbortError' })
      expect(stream.snapshot?.content).toEqual([{ type: 'text', text: '' }])
    })

    test('yields all its text', async () => {
      const pieces: string[] = []
      for await (const text of inOneChunk().textStream) pieces.push(text)
      expect(pieces).toEqual(['Grüße ', 'aus 東京'])
    })

    test('yields every event after finalMessage() to an iterator from before it', async () => {
      const stream = inOneChunk()
      const iterator = stream[Symbol.asyncIterator]()
      await stream.finalMessage()
      const types: string[] = []
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) types.push(next.value.type)
      expect(types).toEqual(events.map((event) => (event as { type: string }).type))
      expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
    })
  })

  test('has the whole message if the loop is left at message_stop', async () => {
    const stream = streamOf(events)
    for await (const { type } of stream) if (type === 'message_stop') break
    expect((await stream.finalMessage()).stop_reason).toBe('end_turn')
    expect((await stream.metadata).usage).toMatchObject({ outputTokens: 40 })
  })

  test.each(['message_start', 'content_block_delta', 'message_delta'])(
    'has no whole message if the loop is left at %s',
    async (last) => {
      const stream = streamOf(events)
      for await (const { type } of stream) if (type === last) break
      await expect(stream.finalMessage()).rejects.toMatchObject({ name: 'AbortError' })
      await expect(stream.metadata).rejects.toMatchObject({ name: 'AbortError' })
      expect(stream.snapshot).toMatchObject({ id: 'msg_1' })
    },
  )

  test.each([null, ''])('keeps its usage if message_delta has %j', async (none) => {
    const [message_stop] = events.slice(-1) as [object]
    const late = { type: 'message_delta', delta: {}, usage: { input_tokens: none, output_tokens: 40 } }
    const { usage } = await streamOf([...events.slice(0, -2), late, message_stop]).metadata
    expect(usage).toMatchObject({ inputTokens: 12, outputTokens: 40, cacheReadInputTokens: 3 })
  })

  test('causes no unhandled rejection if nothing is read', async () => {
    const crashes: unknown[] = []
    const listener = (reason: unknown): void => void crashes.push(reason)
    process.on('unhandledRejection', listener)
    const { fake, bedrock } = counting()
    for (const fault of ['not-found', 'stream-truncated', 'connection-reset'] as const) {
      fake.fail(fault)
      const stream = bedrock.messages.stream(params)
      stream.finalText().catch(() => {})
      void stream.metadata
      await (async () => {
        for await (const _ of stream) break
      })().catch(() => {})
      const other = bedrock.messages.stream(params)
      other.abort()
    }
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', listener)
    expect(crashes).toEqual([])
  })
})
