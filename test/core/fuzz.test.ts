// Any response of a server, even damaged or hostile, becomes the message that was sent, or an error of this package.
import { EventStreamCodec } from '@smithy/eventstream-codec'
import fc from 'fast-check'
import { type BedrockClient, createBedrockClient, isBedrockError, type Message } from 'outcrop'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

// Each run tries other inputs. To repeat one: FUZZ_SEED=… npx vitest run test/core/fuzz.test.ts
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
console.info(`streams and error bodies: fuzz seed ${seed}`)

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 16,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

const rejections: unknown[] = []
const onRejection = (reason: unknown): void => void rejections.push(reason)
beforeAll(() => void process.on('unhandledRejection', onRejection))
afterAll(async () => {
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', onRejection)
  expect(rejections).toEqual([])
  expect(Object.keys(Object.prototype)).toEqual([])
})

/** A client whose every request is answered in the same way. */
function clientOf(respond: () => Response): BedrockClient {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-of-the-example' }
  return createBedrockClient({ region: 'us-east-1', credentials, retry: false, fetch: async () => respond() })
}

function streamOf(bytes: Uint8Array, cuts: readonly number[]): Response {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const chunks = edges.slice(1).map((edge, i) => bytes.slice(edges[i], edge))
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks.shift()
      if (chunk) controller.enqueue(chunk)
      else controller.close()
    },
  })
  return new Response(body, { headers: { 'content-type': 'application/vnd.amazon.eventstream' } })
}

/** The message, or the error, which has to be one of this package. */
async function outcomeOf(work: () => Promise<unknown>): Promise<{ value?: unknown; error?: Error }> {
  try {
    return { value: await work() }
  } catch (error) {
    if (!isBedrockError(error)) throw error
    return { error }
  }
}

const codec = new EventStreamCodec(
  (bytes) => new TextDecoder().decode(bytes as Uint8Array),
  (text) => new TextEncoder().encode(text),
)
function frame(kind: 'event' | 'exception', type: string, payload: string): Uint8Array {
  const headers = { ':message-type': kind, [`:${kind}-type`]: type, ':content-type': 'application/json' }
  return codec.encode({
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { type: 'string', value }])),
    body: new TextEncoder().encode(payload),
  })
}
const chunk = (event: unknown): Uint8Array =>
  frame('event', 'chunk', JSON.stringify({ bytes: Buffer.from(JSON.stringify(event)).toString('base64'), p: 'abcd' }))

const wholeFrames = [
  {
    type: 'message_start',
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 3, output_tokens: 1 },
    },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Grüße ' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'aus 東京' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 't', name: 'weather', input: {} } },
  { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"city":"Tokyo"}' } },
  { type: 'content_block_stop', index: 1 },
  { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 9 } },
  { type: 'message_stop' },
].map(chunk)
const whole = new Uint8Array(Buffer.concat(wholeFrames))
const content = [
  { type: 'text', text: 'Grüße aus 東京' },
  { type: 'tool_use', id: 't', name: 'weather', input: { city: 'Tokyo' } },
]

const cuts = fc.array(fc.nat(whole.length), { maxLength: 12 })
const streamed = (bytes: Uint8Array, at: readonly number[]): Promise<{ value?: unknown; error?: Error }> =>
  outcomeOf(() =>
    clientOf(() => streamOf(bytes, at))
      .messages.stream(params)
      .finalMessage(),
  )

describe('stream bytes', () => {
  test('decode to the message, in chunks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => {
        expect(((await streamed(whole, at)).value as Message).content).toEqual(content)
      }),
      { seed, numRuns: 100 },
    )
  })

  test('never decode to a message if cut short', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), cuts, async (length, at) => {
        const { error } = await streamed(whole.slice(0, length), at)
        expect(error).toMatchObject({ code: expect.stringMatching(/^stream_/) })
      }),
      { seed, numRuns: 300 },
    )
  })

  test('never decode to a message with up to three flipped bits', async () => {
    const flip = fc.tuple(fc.nat(whole.length - 1), fc.nat(7))
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(flip, { minLength: 1, maxLength: 3, selector: String }),
        cuts,
        async (bits, at) => {
          const bytes = whole.slice()
          for (const [index, bit] of bits) bytes[index] = (bytes[index] as number) ^ (1 << bit)
          expect((await streamed(bytes, at)).error).toMatchObject({ code: expect.stringMatching(/^stream_/) })
        },
      ),
      { seed, numRuns: 300 },
    )
  })

  test('decode to a message or an error in time, with pieces missing, repeated, moved or invented', async () => {
    const range = fc
      .tuple(fc.nat(whole.length), fc.nat(whole.length))
      .map(([a, b]) => whole.slice(Math.min(a, b), Math.max(a, b)))
    const piece = fc.oneof(range, fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...wholeFrames))
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), cuts, async (pieces, at) => {
        await streamed(new Uint8Array(Buffer.concat(pieces)), at)
      }),
      { seed, numRuns: 500 },
    )
  })
})

// Names that have a meaning somewhere, and values that are out of place.
const names = fc.constantFrom(
  'type',
  'index',
  'delta',
  'text',
  'message',
  'content',
  'usage',
  'content_block',
  'error',
  '__proto__',
  'constructor',
  'toString',
  'stop_reason',
  'partial_json',
  'input',
  'citations',
  'signature',
  'length',
)
const types = fc.constantFrom(
  'message_start',
  'message_delta',
  'message_stop',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'ping',
  'error',
  'text',
  'tool_use',
  'text_delta',
  'input_json_delta',
  'thinking_delta',
  'signature_delta',
  'citations_delta',
  'a_new_one',
)
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    fc.oneof(types, fc.string({ unit: 'binary', maxLength: 30 })).map((text) => JSON.stringify(text)),
    fc.constantFrom('null', 'true', '0', '1', '-1', '1e8', '1e308', '4294967296', '""', '"\\ud800"', '[]', '{}'),
    fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items}]`),
    // Text, because an object literal cannot have its own `__proto__`.
    fc
      .array(fc.tuple(names, tie('json')), { maxLength: 5 })
      .map((entries) => `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${value}`)}}`),
  ),
}))

/** Text that is too long to be printed when a property fails. */
interface Repeated {
  readonly times: number
  readonly parts: readonly [before: string, after: string]
}
const repeated = (times: fc.Arbitrary<number>, parts: fc.Arbitrary<string[]>): fc.Arbitrary<Repeated> =>
  fc.record({ times, parts }) as unknown as fc.Arbitrary<Repeated>

function bodyOf(body: string | Uint8Array | Repeated): string | Uint8Array<ArrayBuffer> {
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array) return new Uint8Array(body)
  const [before, after] = body.parts
  return `${before.repeat(body.times)}1${after.repeat(body.times)}`
}

describe('events in whole frames', () => {
  const typed = fc
    .tuple(types, fc.array(fc.tuple(names, json), { maxLength: 5 }))
    .map(
      ([type, entries]) =>
        `{"type":${JSON.stringify(type)}${entries.map(([name, value]) => `,${JSON.stringify(name)}:${value}`).join('')}}`,
    )
  const event = fc.oneof(typed, json).map((text) => chunk(JSON.parse(text)))
  const raw = fc.oneof(json, fc.string({ maxLength: 40 })).map((payload) => frame('event', 'chunk', payload))
  const exception = fc
    .tuple(fc.oneof(types, fc.constantFrom('throttlingException', 'modelStreamErrorException', 'toString')), json)
    .map(([name, payload]) => frame('exception', name, payload))
  const deep = fc.nat(5_000).map((depth) => {
    const content = `${'{"text":'.repeat(depth)}1${'}'.repeat(depth)}`
    return frame(
      'event',
      'chunk',
      `{"bytes":"${btoa(`{"type":"content_block_start","index":0,"content_block":${content}}`)}"}`,
    )
  })
  const known = fc.constantFrom(...wholeFrames)

  test('of any content and order become a message or an error, and change no prototype', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 4, arbitrary: known }, { weight: 4, arbitrary: event }, raw, exception, deep), {
          maxLength: 12,
        }),
        fc.boolean(),
        async (frames, isBegun) => {
          const bytes = new Uint8Array(Buffer.concat(isBegun ? wholeFrames.slice(0, 2).concat(frames) : frames))
          const stream = clientOf(() => streamOf(bytes, [])).messages.stream(params)
          await outcomeOf(async () => {
            for await (const received of stream) expect(received).toBeTypeOf('object')
          })
          await outcomeOf(() => stream.finalMessage())
          await outcomeOf(() => stream.finalText())
          expect(stream.snapshot === undefined || typeof stream.snapshot === 'object').toBe(true)
          expect(Object.keys(Object.prototype)).toEqual([])
          expect([({} as Record<string, unknown>).type, [].length]).toEqual([undefined, 0])
        },
      ),
      { seed, numRuns: 1_000 },
    )
  })
})

describe('responses that are not streams', () => {
  const wording = fc.constantFrom(
    'Too many tokens, please wait before trying again.',
    'The provided model identifier is invalid.',
    'messages.0.content: Extra inputs are not permitted',
    'The security token included in the request is expired',
    'User: arn:aws:iam::123456789012:user/x is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:',
    'Signature expired: 20261120T000000Z is now earlier than 20261120T000500Z',
    'invalid beta flag',
    'secret-of-the-example',
  )
  const text = fc.oneof(
    wording,
    fc.tuple(wording, fc.string({ unit: 'binary', maxLength: 300 }), wording).map((parts) => parts.join('')),
  )
  const body = fc.oneof(
    text.map((message) => JSON.stringify({ message })),
    text.map((message) => JSON.stringify({ type: 'error', error: { type: 'invalid_request_error', message } })),
    text.map((message) => `<html><head><title>${message}</title></head><body>${message}</body></html>`),
    text,
    json,
    fc.uint8Array({ maxLength: 400 }),
    repeated(
      fc.nat(3_000),
      wording.map((words) => [words, '']),
    ),
    repeated(fc.nat(20_000), fc.constantFrom(['[', ''], ['{"message":', '}'], ['{"a":[', ']}'], ['<div>', '</div>'])),
  )
  const value = fc.oneof(
    fc.constantFrom(
      'application/json',
      'text/html',
      'application/vnd.amazon.eventstream',
      'ThrottlingException',
      '-1',
      'NaN',
      'ExpiredTokenException:http://x/',
      'Wed, 21 Oct 2015 07:28:00 GMT',
      '99999999999999999999',
      'true',
      '#,:',
    ),
    fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 60 }),
  )
  const headers = fc.dictionary(
    fc.constantFrom(
      'content-type',
      'x-amzn-errortype',
      'x-amzn-requestid',
      'retry-after',
      'x-amz-retry-after',
      'date',
      'x-should-retry',
      'x-amzn-bedrock-input-token-count',
    ),
    value,
  )
  const way = fc.constantFrom<(client: BedrockClient) => Promise<unknown>>(
    (client) => client.messages.create(params),
    (client) => client.messages.stream(params).finalMessage(),
    (client) => client.messages.countTokens(params),
    (client) => client.invoke({ model: params.model, body: {} }),
  )

  test('any error status, headers and body become a printable error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 300, max: 599 }),
        headers,
        body,
        way,
        async (status, fields, payload, call) => {
          let requests = 0
          const client = clientOf(() => {
            requests++
            return new Response(status === 304 ? null : bodyOf(payload), { status, headers: fields })
          })
          const { error } = await outcomeOf(() => call(client))
          expect(error).toMatchObject({ message: expect.any(String) })
          expect(error?.message.length).toBeLessThan(10_000)
          expect(`${error?.message} ${error?.stack}`).not.toContain('secret-of-the-example')
          expect(requests).toBeLessThan(5)
        },
      ),
      { seed, numRuns: 1_000 },
    )
  })

  test('an error body of 9,000 levels becomes a normal error', async () => {
    const body = bodyOf({ times: 9_000, parts: ['{"a":', '}'] })
    const { error } = await outcomeOf(() => clientOf(() => new Response(body, { status: 400 })).messages.create(params))
    expect(error).toMatchObject({ code: 'service', status: 400, message: expect.stringMatching(/^HTTP 400/) })
  })

  test('any success headers and body become a result or an error', async () => {
    await fc.assert(
      fc.asyncProperty(headers, body, way, async (fields, payload, call) => {
        await outcomeOf(() => call(clientOf(() => new Response(bodyOf(payload), { headers: fields }))))
      }),
      { seed, numRuns: 500 },
    )
  })
})
