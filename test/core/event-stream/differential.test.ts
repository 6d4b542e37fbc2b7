import { crc32 } from 'node:zlib'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import fc from 'fast-check'
import {
  createEventStreamDecoder,
  decodeEventStream,
  encodeEventStreamMessage,
  type EventStreamMessage,
} from 'outcrop/event-stream'
import { describe, expect, test } from 'vitest'

const codec = new EventStreamCodec(
  (bytes) => new TextDecoder().decode(bytes as Uint8Array),
  (text) => new TextEncoder().encode(text),
)

const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const header = fc.oneof(
  fc.boolean().map((value) => ({ type: 'boolean' as const, value })),
  fc.integer({ min: -128, max: 127 }).map((value) => ({ type: 'byte' as const, value })),
  fc.integer({ min: -32_768, max: 32_767 }).map((value) => ({ type: 'short' as const, value })),
  fc.integer().map((value) => ({ type: 'integer' as const, value })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({ type: 'long' as const, value })),
  fc.uint8Array({ maxLength: 60 }).map((value) => ({ type: 'binary' as const, value })),
  text.map((value) => ({ type: 'string' as const, value })),
  fc.date({ noInvalidDate: true }).map((value) => ({ type: 'timestamp' as const, value })),
  fc.uuid().map((value) => ({ type: 'uuid' as const, value })),
)
const name = fc.string({ unit: fc.constantFrom(...'abcdefg:-'), minLength: 1, maxLength: 20 })
const message = fc.record({
  headers: fc.dictionary(name, header, { maxKeys: 6 }),
  payload: fc.uint8Array({ maxLength: 400 }),
})

/** Converts values for smithy's codec, which has its own class for a long. */
function toSmithy({ headers, payload }: EventStreamMessage): { headers: never; body: Uint8Array } {
  const converted = Object.fromEntries(
    Object.entries(headers).map(([key, { type, value }]) => [
      key,
      type === 'long' ? { type, value: { bytes: bigEndian(value), valueOf: () => Number(value) } } : { type, value },
    ]),
  )
  return { headers: converted as never, body: payload }
}

function bigEndian(value: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigInt64(0, value)
  return new Uint8Array(view.buffer)
}

const plain = ({ headers, payload }: EventStreamMessage): unknown => ({
  headers: Object.fromEntries(
    Object.entries(headers).map(([key, { type, value }]) => [
      key,
      { type, value: value instanceof Uint8Array ? [...value] : value },
    ]),
  ),
  payload: [...payload],
})

describe('compared with @smithy/eventstream-codec', () => {
  test('decodes 1,000 of its messages, in chunks of any size', () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(1, 7, 16, 1_000_000),
        (messages, size) => {
          const bytes = Buffer.concat(messages.map((each) => codec.encode(toSmithy(each))))
          const decoder = createEventStreamDecoder()
          const decoded: EventStreamMessage[] = []
          for (let i = 0; i < bytes.length; i += size)
            decoded.push(...decoder.push(new Uint8Array(bytes.subarray(i, i + size))))
          decoder.end()
          expect(decoded.map(plain)).toEqual(messages.map(plain))
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('encodes 1,000 messages to the same bytes', () => {
    fc.assert(
      fc.property(message, (each) => {
        expect(Buffer.from(encodeEventStreamMessage(each)).equals(Buffer.from(codec.encode(toSmithy(each))))).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('mutated frames', () => {
  // Its own limits, so that a length that was changed would show as memory that was set aside.
  const limits = { maxMessageSize: 100_000, maxHeadersSize: 10_000 }

  test('5,000 mutations decode to messages or throw a StreamError', () => {
    let faults = 0
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 3 }),
        fc.array(
          fc.record({
            at: fc.nat(),
            change: fc.oneof(
              fc.record({ set: fc.integer({ min: 0, max: 255 }) }),
              fc.record({ cut: fc.nat({ max: 20 }) }),
              fc.record({ insert: fc.uint8Array({ maxLength: 20 }) }),
            ),
          }),
          { maxLength: 3 },
        ),
        fc.constantFrom(1, 7, 1_000_000),
        (messages, mutations, size) => {
          let bytes: Buffer = Buffer.concat(messages.map(encodeEventStreamMessage))
          for (const { at, change } of mutations) {
            const i = at % (bytes.length + 1)
            if ('set' in change) bytes[i] = change.set
            else if ('cut' in change) bytes = Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + change.cut)])
            else bytes = Buffer.concat([bytes.subarray(0, i), change.insert, bytes.subarray(i)])
          }
          const decoder = createEventStreamDecoder(limits)
          const decoded: EventStreamMessage[] = []
          try {
            for (let i = 0; i < bytes.length; i += size)
              decoded.push(...decoder.push(new Uint8Array(bytes.subarray(i, i + size))))
            decoder.end()
          } catch (error) {
            faults++
            expect(error).toMatchObject({
              name: 'StreamError',
              code: expect.stringMatching(/^stream_(corrupt|truncated)$/),
            })
            // And it stays so.
            expect(() => decoder.push(new Uint8Array(1))).toThrow(error as Error)
          }
          for (const { payload } of decoded) expect(payload.length).toBeLessThanOrEqual(limits.maxMessageSize)
        },
      ),
      { numRuns: 5_000 },
    )
    expect(faults).toBeGreaterThan(500)
  })

  test('refuses a length above the limit before it allocates memory', () => {
    const bytes = encodeEventStreamMessage({ headers: {}, payload: new Uint8Array(100) })
    const decoder = createEventStreamDecoder({ maxMessageSize: 50 })
    expect(() => decoder.push(bytes)).toThrow(/larger than the limit of 50/)
    const headers = { a: { type: 'string' as const, value: 'x'.repeat(100) } }
    expect(() =>
      createEventStreamDecoder({ maxHeadersSize: 50 }).push(
        encodeEventStreamMessage({ headers, payload: new Uint8Array() }),
      ),
    ).toThrow(/headers of 10\d bytes/)
  })

  test('accepts messages and headers of exactly the limits', () => {
    const headers = { a: { type: 'string' as const, value: 'x'.repeat(95) } }
    const bytes = encodeEventStreamMessage({ headers, payload: new Uint8Array(100) })
    const decoder = createEventStreamDecoder({ maxMessageSize: bytes.length, maxHeadersSize: 100 })
    expect(decoder.push(bytes)).toHaveLength(1)
  })

  test.each([
    [0, 0],
    [15, 0],
    [16, 1],
    [115, 100],
  ])('refuses the length %d with %d bytes of headers, which no message can have', (length, headersLength) => {
    const prelude = Buffer.alloc(12)
    prelude.writeUInt32BE(length, 0)
    prelude.writeUInt32BE(headersLength, 4)
    prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8)
    const bytes = Buffer.concat([prelude, Buffer.alloc(200)])
    expect(() => createEventStreamDecoder().push(bytes)).toThrow(`a message has the impossible length ${length}`)
  })

  test('decodes headers of the same length as those before', () => {
    const values = ['one', 'two', 'two', 'six', 'one']
    const frames = values.map((value) =>
      encodeEventStreamMessage({ headers: { a: { type: 'string', value } }, payload: new Uint8Array() }),
    )
    const messages = createEventStreamDecoder().push(Buffer.concat(frames))
    expect(messages.map(({ headers }) => headers.a?.value)).toEqual(values)
  })
})

describe('decodeEventStream', () => {
  const frame = encodeEventStreamMessage({
    headers: { ':event-type': { type: 'string', value: 'chunk' } },
    payload: new Uint8Array([1, 2, 3]),
  })
  const stream = (chunks: Uint8Array[], onCancel: () => void = () => {}): ReadableStream<Uint8Array> =>
    new ReadableStream({
      pull(controller) {
        const chunk = chunks.shift()
        if (chunk) controller.enqueue(chunk)
        else controller.close()
      },
      cancel: onCancel,
    })

  test('yields whole messages before a fault', async () => {
    const damaged = frame.slice()
    damaged[damaged.length - 1] = (damaged.at(-1) as number) ^ 1
    const got: EventStreamMessage[] = []
    await expect(async () => {
      for await (const each of decodeEventStream(stream([Buffer.concat([frame, frame, damaged])]))) got.push(each)
    }).rejects.toMatchObject({ code: 'stream_corrupt' })
    expect(got).toHaveLength(2)
  })

  // @smithy/eventstream-codec passes over a stream that ends after one to three bytes of a message.
  test.each([1, 2, 3, 11])('reports %d stray bytes at the end as a truncated message', async (count) => {
    await expect(async () => {
      for await (const _ of decodeEventStream(stream([frame, frame.slice(0, count)])));
    }).rejects.toMatchObject({ code: 'stream_truncated' })
  })

  test('cancels the source when the loop is left', async () => {
    let isCancelled = false
    for await (const _ of decodeEventStream(
      stream([frame, frame], () => {
        isCancelled = true
      }),
    ))
      break
    expect(isCancelled).toBe(true)
  })
})
