import {
  type BedrockResponse,
  createBedrockClient,
  type JsonObject,
  type MessageStream,
  type StreamError,
} from 'outcrop/core'
import { createFakeBedrock } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 1000,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}
const usage = { input_tokens: 12, output_tokens: 1 }
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [],
  stop_reason: null,
  usage,
}
const start = { type: 'message_start', message }
const begin = (index: number | undefined, content_block: object): object => ({
  type: 'content_block_start',
  index,
  content_block,
})
const delta = (index: number | undefined, delta: object): object => ({ type: 'content_block_delta', index, delta })
const text = (index: number | undefined, text: string): object => delta(index, { type: 'text_delta', text })
const json = (index: number | undefined, partial_json: string): object =>
  delta(index, { type: 'input_json_delta', partial_json })
const stop = (index: number | undefined): object => ({ type: 'content_block_stop', index })
const end = (stop_reason = 'end_turn'): object[] => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 40 } },
  { type: 'message_stop' },
]
const textBlock = { type: 'text', text: '' }
const toolBlock = { type: 'tool_use', id: 't1', name: 'weather', input: {} }

/** A stream of these events, as a middleware or a gateway might give them. */
function streamOf(events: Iterable<object>): MessageStream & { readonly isClosed: () => boolean } {
  let isClosed = false
  const bedrock = createBedrockClient({
    region: 'us-east-1',
    credentials: 'none',
    middleware: [
      async (_request, _next, { model }): Promise<BedrockResponse> => ({
        type: 'stream',
        metadata: { requestId: 'r', status: 200, headers: {}, attempts: 1, model, usage: {}, latency: 1 },
        events: (async function* () {
          try {
            // As from the wire: `__proto__` is a name like any other in JSON.
            for (const event of events) yield JSON.parse(JSON.stringify(event)) as JsonObject
          } finally {
            isClosed = true
          }
        })(),
      }),
    ],
  })
  return Object.assign(bedrock.messages.stream(params), { isClosed: () => isClosed })
}

const finalOf = async (events: Iterable<object>): Promise<JsonObject> =>
  (await streamOf(events).finalMessage()) as unknown as JsonObject

/** An object with an own member of this name, whatever the name. */
const withMember = (name: string, value: unknown, rest: object = {}): object =>
  JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)},${JSON.stringify(rest).slice(1)}`.replace(/,}$/, '}'))

describe('names such as __proto__', () => {
  test.each(['__proto__', 'constructor'])('stay ordinary fields: %s', async (name) => {
    const bad = { polluted: true }
    const found = await finalOf([
      { ...start, message: withMember(name, bad, message) },
      begin(0, withMember(name, bad, textBlock)),
      delta(0, withMember(name, bad, { type: 'text_delta', text: 'Hello' })),
      delta(0, withMember(name, bad, { type: 'new_delta', colour: 'red' })),
      stop(0),
      withMember(name, bad, { type: 'something_new' }),
      {
        type: 'message_delta',
        delta: withMember(name, bad, { stop_reason: 'end_turn' }),
        usage: withMember(name, bad),
      },
      { type: 'message_stop' },
    ])
    const [block] = found.content as JsonObject[]
    for (const object of [found, block, found.usage] as object[]) {
      expect(Object.hasOwn(object, name)).toBe(false)
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype)
      expect(object.constructor).toBe(Object)
      expect('polluted' in object).toBe(false)
    }
    expect(block).toEqual({ type: 'text', text: 'Hello', colour: 'red' })
    expect('polluted' in {}).toBe(false)
  })
})

describe('fields that are already known', () => {
  test.each<[string, unknown]>([
    ['id', 'msg_2'],
    ['type', 'persona'],
    ['role', 'user'],
    ['model', 'other'],
    ['content', []],
    ['usage', 'none'],
    ['stop_reason', 'refusal'],
    ['stop_sequence', 'x'],
  ])('keep their value: %s', async (name, value) => {
    const found = await finalOf([
      start,
      begin(0, textBlock),
      text(0, 'Hello'),
      stop(0),
      ...end(),
      { type: 'something_new', [name]: value },
      { type: 'message_stop', [name === 'type' ? 'kind' : name]: value },
    ])
    expect(found).toMatchObject({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content: [{ type: 'text', text: 'Hello' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 12, output_tokens: 40 },
    })
  })

  test.each(['id', 'type', 'role', 'model', 'content', 'usage'])(
    'keep their value in a message_delta: %s',
    async (name) => {
      const found = await finalOf([
        start,
        { type: 'message_delta', delta: { stop_reason: 'end_turn', [name]: 'x', container: { id: 'c' } } },
        { type: 'message_stop' },
      ])
      expect(found[name]).toEqual(message[name as keyof typeof message])
      expect(found.container).toEqual({ id: 'c' })
    },
  )

  test('keep the name and ID of a tool in a delta', async () => {
    const found = await finalOf([
      start,
      begin(0, toolBlock),
      delta(0, { type: 'new_delta', id: 'x', name: 'x', input: { x: 1 }, note: 'new' }),
      stop(0),
      ...end('tool_use'),
    ])
    expect(found.content).toEqual([{ ...toolBlock, note: 'new' }])
  })

  test('keep their value if a delta has null or another type', async () => {
    const found = await finalOf([
      start,
      begin(0, textBlock),
      text(0, 'Hello'),
      delta(0, { type: 'text_delta', text: null }),
      stop(0),
      ...end(),
    ])
    expect(found.content).toEqual([{ type: 'text', text: 'Hello' }])
  })
})

test('begins a message only at message_start', async () => {
  const found = await finalOf([
    { type: 'ping' },
    { type: 'something_new', message: { id: 'msg_0', content: [textBlock] } },
    start,
    { type: 'something_new', message: { id: 'msg_2', content: [textBlock] } },
    ...end(),
  ])
  expect(found).toMatchObject({ id: 'msg_1', content: [] })
})

test.each<[string, object[]]>([
  ['a keep-alive event with a field of its own before the message', [{ type: 'ping', note: 1 }, start]],
  ['a block, a delta and a stop before the message', [begin(0, textBlock), text(0, 'lost'), stop(0), ...end(), start]],
  ['a message_start without a message', [{ type: 'message_start' }, { type: 'message_start', message: null }, start]],
  ['a message without content', [{ ...start, message: { ...message, content: null } }]],
  ['a content_block_start without a block', [start, { type: 'content_block_start', index: 0, content_block: null }]],
  ['a delta without a delta', [start, begin(0, textBlock), stop(0), { type: 'content_block_delta', index: 7 }]],
  ['a message_delta that is text', [start, { type: 'message_delta', delta: 'abc' }]],
  ['usage that is no object', [start, { type: 'message_delta', usage: 'abc' }, { type: 'ping', usage: null }]],
])('survives %s', async (_, events) => {
  const { content, ...rest } = await finalOf([...events, begin(1, textBlock), text(1, 'A'), ...end('max_tokens')])
  expect((content as object[]).at(-1)).toEqual({ type: 'text', text: 'A' })
  expect(rest).toMatchObject({ stop_reason: 'max_tokens', usage: { input_tokens: 12, output_tokens: 40 } })
  expect(rest).not.toHaveProperty('0')
  expect(Object.keys(rest.usage as object)).toHaveLength(2)
})

test('adds no usage to a message that has none', async () => {
  const { usage: _, ...bare } = message
  const events = [
    { ...start, message: bare },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
  ]
  expect(await finalOf([...events, { type: 'message_stop' }])).not.toHaveProperty('usage')
})

test.each<[string, object[]]>([
  ['nothing at all', []],
  ['only keep-alive events', [{ type: 'ping' }, {}]],
])('has no message if the stream has %s', async (_, events) => {
  await expect(finalOf(events)).rejects.toMatchObject({ code: 'stream_truncated', requestId: 'r' })
})

test("overwrites a block's field that is neither a string nor a list", async () => {
  const { content } = await finalOf([
    start,
    begin(0, { type: 'hologram' }),
    delta(0, { type: 'hologram_delta', size: 1, note: null }),
    delta(0, { type: 'hologram_delta', size: 2 }),
    ...end(),
  ])
  expect(content).toEqual([{ type: 'hologram', size: 2, note: null }])
})

test('keeps the usage if message_delta has null', async () => {
  const of = async (...deltas: unknown[]): Promise<unknown> =>
    (
      await finalOf([
        start,
        ...deltas.map((usage) => ({ type: 'message_delta', delta: {}, usage })),
        end()[1] as object,
      ])
    ).usage
  expect(await of(null)).toEqual(usage)
  expect(await of({ input_tokens: null, output_tokens: null })).toEqual(usage)
  expect(await of({ input_tokens: null, output_tokens: 7 }, { output_tokens: 9 })).toEqual({
    input_tokens: 12,
    output_tokens: 9,
  })
})

describe('block indexes', () => {
  test.each<[string, object[]]>([
    ['far too large', [begin(1e8, textBlock)]],
    ['negative', [begin(-1, textBlock)]],
    ['a fraction', [begin(0.5, textBlock)]],
    ['a string', [{ type: 'content_block_start', index: '0', content_block: textBlock }]],
    ['of a missing block', [begin(0, textBlock), text(1, 'x')]],
    ['of a block that has not begun', [text(0, 'x')]],
    ['missing before the first block', [text(undefined, 'x')]],
    ['huge in a delta', [begin(0, textBlock), text(1e8, 'x')]],
  ])('are corrupt if %s', async (_, events) => {
    const stream = streamOf([start, ...events, ...end()])
    const error = (await stream.finalMessage().catch((error) => error)) as StreamError
    expect(error).toMatchObject({ code: 'stream_corrupt', partial: { id: 'msg_1' } })
    expect((error.partial?.content ?? []).length).toBeLessThan(2)
    await expect.poll(stream.isClosed).toBe(true)
  })

  test.each<[string, object[]]>([
    ['in order', [begin(0, textBlock), text(0, 'A'), stop(0), begin(1, textBlock), text(1, 'B'), stop(1)]],
    ['with several open blocks', [begin(0, textBlock), begin(1, textBlock), text(1, 'B'), text(0, 'A')]],
    ['with a gap that a gateway left', [begin(1, textBlock), text(1, 'A'), begin(4, textBlock), text(4, 'B')]],
    ['used twice', [begin(0, textBlock), text(0, 'A'), stop(0), begin(0, textBlock), text(0, 'B'), stop(0)]],
    ['missing', [begin(undefined, textBlock), text(undefined, 'A'), begin(undefined, textBlock), text(undefined, 'B')]],
    ['of a stop without a block', [begin(0, textBlock), text(0, 'A'), stop(7), begin(1, textBlock), text(1, 'B')]],
  ])('lose no content, and leave no gap: %s', async (_, events) => {
    const { content } = await finalOf([start, ...events, ...end()])
    expect(content).toEqual([
      { type: 'text', text: 'A' },
      { type: 'text', text: 'B' },
    ])
  })

  test('missing at the end of a block, end the last one; a given index ends its own', async () => {
    const tool = (id: string): object => ({ ...toolBlock, id })
    const inputsAfter = async (...stops: object[]): Promise<unknown[]> => {
      const stream = streamOf([start, begin(0, tool('a')), json(0, '{}'), begin(1, tool('b')), json(1, '{}'), ...stops])
      for await (const _ of stream);
      return ((stream.snapshot?.content ?? []) as { input: unknown }[]).map(({ input }) => input)
    }
    expect(await inputsAfter(stop(undefined))).toEqual(['{}', {}])
    expect(await inputsAfter(stop(0))).toEqual([{}, '{}'])
    expect(await inputsAfter(stop(1))).toEqual(['{}', {}])
  })

  test('continue after blocks in message_start', async () => {
    const begun = { ...message, content: [{ type: 'text', text: 'A' }] }
    const { content } = await finalOf([
      { ...start, message: begun },
      text(0, 'a'),
      begin(1, textBlock),
      text(1, 'B'),
      ...end(),
    ])
    expect(content).toEqual([
      { type: 'text', text: 'Aa' },
      { type: 'text', text: 'B' },
    ])
  })

  test('a second message in one stream is corrupt', async () => {
    await expect(finalOf([start, begin(0, textBlock), start, ...end()])).rejects.toMatchObject({
      code: 'stream_corrupt',
    })
  })
})

describe('an event of type error', () => {
  test.each<[string, object, string]>([
    ['a string', { error: 'overloaded' }, 'overloaded'],
    ['an object', { error: { type: 'overloaded_error', message: 'Overloaded' } }, 'Overloaded'],
    ['nothing', {}, 'The stream ended with an error'],
  ])("ends a middleware's stream, with %s", async (_, event, said) => {
    await expect(finalOf([start, { type: 'error', ...event }, ...end()])).rejects.toMatchObject({
      code: 'stream_exception',
      message: said,
      partial: { id: 'msg_1' },
    })
  })

  test("ends Bedrock's stream, with a string", async () => {
    const fake = createFakeBedrock({ reply: [start, { type: 'error', error: 'overloaded' }, ...end()] as never })
    const bedrock = createBedrockClient({
      region: fake.region,
      credentials: fake.identity,
      fetch: fake.fetch,
      retry: false,
    })
    await expect(bedrock.messages.stream(params).finalMessage()).rejects.toMatchObject({
      code: 'stream_exception',
      message: 'overloaded',
    })
  })
})

describe('the input of a tool call', () => {
  const inputOf = (message: unknown): unknown =>
    (message as { content: { input: unknown }[] } | undefined)?.content[0]?.input

  test('is a string until it is complete, and then an object', async () => {
    const stream = streamOf([
      start,
      begin(0, toolBlock),
      json(0, '{"city":'),
      json(0, '"Ulm"}'),
      stop(0),
      ...end('tool_use'),
    ])
    const inputs: unknown[] = []
    for await (const _ of stream) inputs.push(inputOf(stream.snapshot))
    expect(inputs).toEqual([undefined, '', '{"city":', '{"city":"Ulm"}', ...Array(3).fill({ city: 'Ulm' })])
  })

  test.each<[string, object[], unknown]>([
    ['cut by max_tokens', [json(0, '{"a": [1, 2'), stop(0), ...end('max_tokens')], '{"a": [1, 2'],
    ['cut, without the end of its block', [json(0, '{"a": [1, 2'), ...end('max_tokens')], '{"a": [1, 2'],
    ['complete, without the end of its block', [json(0, '{"a": 1}'), ...end('tool_use')], { a: 1 }],
    ['without parameters', [json(0, ''), stop(0), ...end('tool_use')], {}],
    ['that never arrived', [stop(0), ...end('tool_use')], {}],
    ['that is JSON, but not an object', [json(0, '"Ulm"'), stop(0), ...end('tool_use')], '"Ulm"'],
    ['with a piece that is not a string', [json(0, '{'), json(0, null as never), json(0, '}'), stop(0), ...end()], {}],
  ])('%s', async (_, events, input) => {
    expect(inputOf(await finalOf([start, begin(0, toolBlock), ...events]))).toEqual(input)
  })

  test('stays as it is if it came with the block', async () => {
    const block = { ...toolBlock, input: { city: 'Ulm' } }
    expect(inputOf(await finalOf([start, begin(0, block), stop(0), ...end('tool_use')]))).toEqual({ city: 'Ulm' })
  })

  test.each([undefined, { city: '' }])('is that of its pieces, if its block began with %j', async (input) => {
    const pieces = [json(0, '{"city":'), json(0, '"Ulm"}'), stop(0)]
    const found = await finalOf([start, begin(0, { ...toolBlock, input }), ...pieces, ...end('tool_use')])
    expect(inputOf(found)).toEqual({ city: 'Ulm' })
  })

  test.each<[string, object[], string]>([
    ['within its input', [json(0, '{"city":"U')], '{"city":"U'],
    ['before its input', [], ''],
  ])('is not an empty call in a stream cut %s', async (_, events, input) => {
    const fake = createFakeBedrock({ reply: [start, begin(0, toolBlock), ...events, ...end()] as never })
    fake.fail('stream-truncated', { after: 2 + events.length })
    const bedrock = createBedrockClient({
      region: fake.region,
      credentials: fake.identity,
      fetch: fake.fetch,
      retry: false,
    })
    const stream = bedrock.messages.stream(params)
    const error = (await stream.finalMessage().catch((error) => error)) as StreamError
    expect(error.code).toBe('stream_truncated')
    expect(inputOf(error.partial)).toBe(input)
    expect(inputOf(stream.snapshot)).toBe(input)
  })
})

describe('linear time', () => {
  test('citations are appended, not copied', async () => {
    const citation = (i: number): object => delta(0, { type: 'citations_delta', citation: { index: i } })
    const stream = streamOf([start, begin(0, { ...textBlock, citations: null }), ...[0, 1, 2].map(citation), ...end()])
    const lists = new Set<unknown>()
    for await (const event of stream) {
      const list = (stream.snapshot?.content[0] as { citations?: unknown[] } | undefined)?.citations
      if (event.type === 'content_block_delta') lists.add(list)
    }
    expect(lists.size).toBe(1)
    expect([...lists][0]).toEqual([{ index: 0 }, { index: 1 }, { index: 2 }])
  })

  test('lists of unknown blocks are appended, without changing the event', async () => {
    const seen: unknown[] = []
    const stream = streamOf([
      start,
      begin(0, { type: 'hologram', layers: [1] }),
      delta(0, { type: 'hologram_delta', layers: [2], planes: [1] }),
      delta(0, { type: 'hologram_delta', layers: [3], planes: [2] }),
      ...end(),
    ])
    for await (const event of stream) seen.push(event)
    expect((await stream.finalMessage()).content).toEqual([{ type: 'hologram', layers: [1, 2, 3], planes: [1, 2] }])
    expect(seen[1]).toMatchObject({ content_block: { layers: [1] } })
    expect(seen[2]).toMatchObject({ delta: { planes: [1] } })
  })

  test('a tool input of a hundred thousand pieces', async () => {
    const pieces = Array.from({ length: 100_000 }, () => json(0, '1,'))
    const events = [start, begin(0, toolBlock), json(0, '{"a":['), ...pieces, json(0, '1]}'), stop(0), ...end()]
    const [block] = (await finalOf(events)).content as { input: { a: number[] } }[]
    expect(block?.input.a).toHaveLength(100_001)
  })
})

test('a later event does not undo an intervention of a guardrail', async () => {
  const says = (action: string): object => ({ 'amazon-bedrock-guardrailAction': action })
  const of = async (first: string, last: string): Promise<unknown> =>
    (await finalOf([{ ...start, ...says(first) }, begin(0, textBlock), { type: 'message_stop', ...says(last) }]))[
      'amazon-bedrock-guardrailAction'
    ]
  expect(await of('INTERVENED', 'NONE')).toBe('INTERVENED')
  expect(await of('NONE', 'INTERVENED')).toBe('INTERVENED')
  expect(await of('NONE', 'NONE')).toBe('NONE')
})

test('leaving at message_stop closes the events, and reads no further', async () => {
  const stream = streamOf([start, begin(0, textBlock), ...end(), { type: 'ping' }, { type: 'ping' }])
  for await (const { type } of stream) if (type === 'message_stop') break
  expect(stream.isClosed()).toBe(true)
  expect((await stream.finalMessage()).stop_reason).toBe('end_turn')
})
