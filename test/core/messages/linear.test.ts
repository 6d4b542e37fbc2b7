import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { type BedrockCoreClient, createBedrockClient, type MessageStream } from 'outcrop/core'
import { describe, expect, test } from 'vitest'

// The cost of an answer grows with its length. Tests count the work instead of measuring time: bytes copied, elements moved,
// texts parsed, reads and timers.

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()),
  (text) => Buffer.from(text),
)
const string = (value: string): { type: 'string'; value: string } => ({ type: 'string', value })
const frame = (event: object): Uint8Array =>
  codec.encode({
    headers: {
      ':event-type': string('chunk'),
      ':content-type': string('application/json'),
      ':message-type': string('event'),
    },
    body: Buffer.from(JSON.stringify({ bytes: Buffer.from(JSON.stringify(event)).toString('base64') })),
  })

const piece = 'a long answer, word by word, of fifty characters: '
const kinds = {
  text: [{ type: 'text', text: '' }, () => ({ type: 'text_delta', text: piece })],
  'tool JSON': [
    { type: 'tool_use', id: 't1', name: 'write', input: {} },
    (i: number, count: number) => ({
      type: 'input_json_delta',
      partial_json: i === 0 ? '{"text":"' : i === count - 1 ? '"}' : piece,
    }),
  ],
  citations: [
    { type: 'text', text: '', citations: [] },
    (i: number) => ({
      type: 'citations_delta',
      citation: { type: 'char_location', cited_text: piece, document_index: i },
    }),
  ],
} as const

/** The bytes of a message of so many deltas. */
function streamOf(kind: keyof typeof kinds, count: number): Buffer {
  const [content_block, deltaOf] = kinds[kind]
  const message = { id: 'm', type: 'message', role: 'assistant', model: 'claude', content: [], usage: {} }
  const deltas = Array.from({ length: count }, (_, i) => ({
    type: 'content_block_delta',
    index: 0,
    delta: deltaOf(i, count),
  }))
  return Buffer.concat(
    [
      { type: 'message_start', message },
      { type: 'content_block_start', index: 0, content_block },
      ...deltas,
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: count } },
      { type: 'message_stop' },
    ].map(frame),
  )
}

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

/** The work of a client. */
interface Work {
  reads: number
  timers: number
  copied: number
  /** Of arrays that were shifted, in all. */
  shifted: number
  /** Characters of JSON that were parsed. */
  parsed: number
}

function clientOf(bytes: Uint8Array, cut: number, contentType = 'application/vnd.amazon.eventstream') {
  const work: Work = { reads: 0, timers: 0, copied: 0, shifted: 0, parsed: 0 }
  const bedrock = createBedrockClient({
    region: 'us-east-1',
    credentials: 'none',
    clock: {
      now: () => Date.now(),
      setTimeout: () => {
        work.timers++
        return undefined
      },
      clearTimeout: () => {},
    },
    fetch: async () => {
      let at = 0
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            if (at >= bytes.length) return controller.close()
            work.reads++
            controller.enqueue(bytes.subarray(at, at + cut))
            at += cut
          },
        },
        { highWaterMark: 0 },
      )
      return new Response(body, { headers: { 'content-type': contentType } })
    },
  })
  return { bedrock, work }
}

/** Counts the work of what goes on until it settles. By hand: a spy would keep every argument. */
async function counted<T>(work: Work, run: () => Promise<T>): Promise<T> {
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array
  const { set } = typedArray
  const { shift } = Array.prototype
  const { parse } = JSON
  typedArray.set = function (this: Uint8Array, source, offset) {
    work.copied += source.length
    set.call(this, source, offset)
  }
  Array.prototype.shift = function (this: unknown[]) {
    work.shifted += this.length
    return shift.call(this)
  }
  JSON.parse = (text, reviver) => {
    work.parsed += text.length
    return parse(text, reviver)
  }
  try {
    return await run()
  } finally {
    Object.assign(typedArray, { set })
    Object.assign(Array.prototype, { shift })
    Object.assign(JSON, { parse })
  }
}

async function workOf(
  kind: keyof typeof kinds,
  deltas: number,
  cut: number,
  run: (stream: MessageStream) => Promise<unknown> = (stream) => stream.finalMessage(),
  count = 1,
): Promise<Work & { readonly bytes: number }> {
  const bytes = streamOf(kind, deltas)
  const { bedrock, work } = clientOf(bytes, cut)
  await counted(work, () => Promise.all(Array.from({ length: count }, () => run(bedrock.messages.stream(params)))))
  return { ...work, bytes: bytes.length }
}

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('%s', (kind) => {
  test('an answer of ten times the length takes ten times the work', async () => {
    const small = await workOf(kind, 1_000, 1_024)
    const large = await workOf(kind, 10_000, 1_024)
    expect(large.bytes / small.bytes).toBeGreaterThan(9)
    for (const name of ['reads', 'timers', 'copied', 'shifted', 'parsed'] as const)
      expect(large[name], name).toBeLessThanOrEqual(small[name] * 11 + 1_000)
  })
})

test.each([7, 100, 1_024, 65_536])(
  'chunks of %d bytes take one read and one timer each, and each byte is copied once',
  async (cut) => {
    const work = await workOf('text', 500, cut)
    const cuts = Math.ceil(work.bytes / cut)
    expect(work.reads).toBe(cuts)
    expect(work.timers).toBeLessThanOrEqual(cuts + 5)
    // And the beginnings of frames, of which the length is read, once more.
    expect(work.copied).toBeLessThanOrEqual(work.bytes * 1.1)
  },
)

test.each([1, 10, 100])('%d concurrent streams take as much work as sequential ones', async (count) => {
  const one = await workOf('text', 200, 1_024)
  const all = await workOf('text', 200, 1_024, undefined, count)
  for (const name of ['reads', 'timers', 'copied', 'parsed'] as const) expect(all[name], name).toBe(one[name] * count)
  expect(all.shifted).toBeLessThanOrEqual((one.shifted + 100) * count)
})

test('a list of citations is appended to, not copied', async () => {
  const { bedrock } = clientOf(streamOf('citations', 100), 65_536)
  const stream = bedrock.messages.stream(params)
  const lists = new Set<unknown>()
  for await (const { type } of stream) {
    const block = stream.snapshot?.content[0]
    if (type === 'content_block_delta' && block?.type === 'text') lists.add(block.citations)
  }
  expect(lists.size).toBe(1)
  expect([...lists][0]).toHaveLength(100)
})

test('an iterator catches up in linear time after finalMessage()', async () => {
  const behind = async (stream: MessageStream): Promise<void> => {
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    await stream.finalMessage()
    let events = 1
    while (!(await iterator.next()).done) events++
    expect(events).toBeGreaterThan(1_000)
  }
  const small = await workOf('text', 1_000, 65_536, behind)
  const large = await workOf('text', 10_000, 65_536, behind)
  expect(large.shifted).toBeLessThanOrEqual(small.shifted * 11 + 1_000)
})

test('a complete response is copied once and parsed once', async () => {
  const body = Buffer.from(
    JSON.stringify({ id: 'm', type: 'message', content: [{ type: 'text', text: 'x'.repeat(1_000_000) }] }),
  )
  const { bedrock, work } = clientOf(body, 1_000, 'application/json')
  await counted(work, () => bedrock.messages.create(params))
  expect(work.reads).toBe(Math.ceil(body.length / 1_000))
  expect(work.copied).toBeLessThanOrEqual(body.length)
  expect(work.parsed).toBe(body.length)
})

describe('memory', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const used = (): number => {
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }

  /** The memory held after half of an answer and after all of it, less that at the start. */
  async function growth(start: (bedrock: BedrockCoreClient) => AsyncIterable<unknown>): Promise<[number, number]> {
    const deltas = 40_000
    const { bedrock } = clientOf(streamOf('text', deltas), 16_384)
    let base = 0
    let half = 0
    let events = 0
    for await (const _ of start(bedrock)) {
      events++
      if (events === 100) base = used()
      if (events === deltas / 2) half = used()
      if (events === deltas) return [half - base, used() - base]
    }
    throw new Error('too few events')
  }

  test('releases events that nothing refers to', async () => {
    const body = { anthropic_version: 'bedrock-2023-05-31', ...params, model: undefined }
    const [half, all] = await growth((bedrock) => ({
      async *[Symbol.asyncIterator]() {
        yield* (await bedrock.invokeStream({ model: params.model, body })).events
      },
    }))
    expect(half).toBeLessThan(500_000)
    expect(all).toBeLessThan(500_000)
  })

  test('keeps only the text of a message', async () => {
    const [, all] = await growth((bedrock) => bedrock.messages.stream(params))
    // Joining the pieces takes at most as much again.
    expect(all).toBeLessThan(40_000 * piece.length * 2.5)
  })
})
