import { crc32 } from 'node:zlib'
import {
  createEventStreamDecoder,
  encodeEventStreamMessage,
  type EventStreamHeaders,
  type EventStreamHeaderValue,
} from 'outcrop/event-stream'
import { describe, expect, test } from 'vitest'

// The header block of a message, byte by byte: https://smithy.io/2.0/aws/amazon-eventstream.html

/** A message around a header block that no encoder would write. */
function messageWith(block: readonly number[]): Uint8Array {
  const message = new Uint8Array(16 + block.length)
  const view = new DataView(message.buffer)
  view.setUint32(0, message.length)
  view.setUint32(4, block.length)
  view.setUint32(8, crc32(message.subarray(0, 8)))
  message.set(block, 12)
  view.setUint32(message.length - 4, crc32(message.subarray(0, -4)))
  return message
}

const decoded = (block: readonly number[]) => createEventStreamDecoder().push(messageWith(block))[0]?.headers
const [a, b] = [0x61, 0x62]

describe('a header block from elsewhere', () => {
  test.each([
    ['a name of no bytes', [0, 0], /no name/],
    ['a name twice', [1, a, 0, 1, a, 1], /twice/],
    ['a type that is not in the specification', [1, a, 10], /type 10/],
    ['a type far from it', [1, a, 255], /type 255/],
    ['a name that runs out of the block', [2, a], /overruns/],
    ['a value that runs out of the block', [1, a, 4, 0, 0, 1], /overruns/],
    ['a length that runs out of the block', [1, a, 7, 0], /overruns/],
    ['a name that is not UTF-8', [1, 0xff, 0], /UTF-8/],
    ['a text that is not UTF-8', [1, a, 7, 0, 1, 0xff], /UTF-8/],
  ])('with %s is damage', (_, block, message) => {
    expect(() => decoded(block)).toThrow(expect.objectContaining({ code: 'stream_corrupt' }))
    expect(() => decoded(block)).toThrow(message)
  })

  test.each<[string, number[], EventStreamHeaders]>([
    ['both truths', [1, a, 0, 1, b, 1], { a: { type: 'boolean', value: true }, b: { type: 'boolean', value: false } }],
    ['a negative byte', [1, a, 2, 0xff], { a: { type: 'byte', value: -1 } }],
    ['a short', [1, a, 3, 0x01, 0x02], { a: { type: 'short', value: 258 } }],
    ['a text of 258 bytes', [1, a, 7, 1, 2, ...Array(258).fill(b)], { a: { type: 'string', value: 'b'.repeat(258) } }],
    ['no text', [1, a, 7, 0, 0], { a: { type: 'string', value: '' } }],
    [
      'a uuid',
      [1, a, 9, ...Array.from({ length: 16 }, (_, index) => index)],
      { a: { type: 'uuid', value: '00010203-0405-0607-0809-0a0b0c0d0e0f' } },
    ],
  ])('with %s is read', (_, block, headers) => {
    expect({ ...decoded(block) }).toEqual(headers)
  })

  test('once damaged, a stream stays damaged', () => {
    const decoder = createEventStreamDecoder()
    expect(() => decoder.push(messageWith([0, 0]))).toThrow(/no name/)
    expect(() => decoder.push(messageWith([]))).toThrow(/no name/)
    expect(() => decoder.end()).toThrow(/no name/)
  })
})

describe('headers to encode', () => {
  const encode = (value: EventStreamHeaderValue, name = 'a') =>
    encodeEventStreamMessage({ headers: { [name]: value }, payload: new Uint8Array() })

  test.each([
    ['byte', -128, 127],
    ['short', -32_768, 32_767],
    ['integer', -2_147_483_648, 2_147_483_647],
  ] as const)('a %s goes from %d to %d, and is an integer', (type, least, most) => {
    for (const value of [least, most]) {
      const [message] = createEventStreamDecoder().push(encode({ type, value }))
      expect(message?.headers.a).toEqual({ type, value })
    }
    for (const value of [least - 1, most + 1, 0.5, Number.NaN]) {
      expect(() => encode({ type, value })).toThrow(expect.objectContaining({ code: 'configuration' }))
    }
  })

  test('a long has 64 bits', () => {
    const most = 2n ** 63n - 1n
    const [message] = createEventStreamDecoder().push(encode({ type: 'long', value: most }))
    expect(message?.headers.a).toEqual({ type: 'long', value: most })
    expect(() => encode({ type: 'long', value: most + 1n })).toThrow(/long/)
  })

  test.each(['', '0'.repeat(31), '0'.repeat(33), `g${'0'.repeat(31)}`, `${'0'.repeat(32)}\n`])(
    '%j is no uuid',
    (value) => {
      expect(() => encode({ type: 'uuid', value })).toThrow(/uuid/)
    },
  )

  test('a name has 1 to 255 bytes, a text at most 65,535', () => {
    const value = { type: 'string', value: 'b'.repeat(65_535) } as const
    expect(() => encode(value, 'a'.repeat(255))).not.toThrow()
    expect(() => encode(value, '')).toThrow(/name/)
    expect(() => encode(value, 'a'.repeat(256))).toThrow(/name/)
    expect(() => encode({ ...value, value: 'b'.repeat(65_536) })).toThrow(/65535/)
  })
})
