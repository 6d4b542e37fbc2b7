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

describe('headers to decode', () => {
  test.each([
    ['an empty name', [0, 0], /no name/],
    ['a duplicate name', [1, a, 0, 1, a, 1], /twice/],
    ['a type that the specification lacks', [1, a, 10], /type 10/],
    ['a type far beyond the specification', [1, a, 255], /type 255/],
    ['a name that exceeds the block', [2, a], /overruns/],
    ['a value that exceeds the block', [1, a, 4, 0, 0, 1], /overruns/],
    ['a length that exceeds the block', [1, a, 7, 0], /overruns/],
    ['a name that is not UTF-8', [1, 0xff, 0], /UTF-8/],
    ['a string that is not UTF-8', [1, a, 7, 0, 1, 0xff], /UTF-8/],
  ])('rejects %s as damage', (_, block, message) => {
    expect(() => decoded(block)).toThrow(expect.objectContaining({ code: 'stream_corrupt' }))
    expect(() => decoded(block)).toThrow(message)
  })

  test.each<[string, number[], EventStreamHeaders]>([
    [
      'true and false',
      [1, a, 0, 1, b, 1],
      { a: { type: 'boolean', value: true }, b: { type: 'boolean', value: false } },
    ],
    ['a negative byte', [1, a, 2, 0xff], { a: { type: 'byte', value: -1 } }],
    ['a short integer', [1, a, 3, 0x01, 0x02], { a: { type: 'short', value: 258 } }],
    [
      'a string of 258 bytes',
      [1, a, 7, 1, 2, ...Array(258).fill(b)],
      { a: { type: 'string', value: 'b'.repeat(258) } },
    ],
    ['an empty string', [1, a, 7, 0, 0], { a: { type: 'string', value: '' } }],
    [
      'a UUID',
      [1, a, 9, ...Array.from({ length: 16 }, (_, index) => index)],
      { a: { type: 'uuid', value: '00010203-0405-0607-0809-0a0b0c0d0e0f' } },
    ],
  ])('decodes %s', (_, block, headers) => {
    expect({ ...decoded(block) }).toEqual(headers)
  })

  test('stays damaged after the first damage', () => {
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
  ] as const)('encodes a %s from %d to %d, and integers only', (type, least, most) => {
    for (const value of [least, most]) {
      const [message] = createEventStreamDecoder().push(encode({ type, value }))
      expect(message?.headers.a).toEqual({ type, value })
    }
    for (const value of [least - 1, most + 1, 0.5, Number.NaN]) {
      expect(() => encode({ type, value })).toThrow(expect.objectContaining({ code: 'configuration' }))
    }
  })

  test('encodes a long with 64 bits', () => {
    const most = 2n ** 63n - 1n
    const [message] = createEventStreamDecoder().push(encode({ type: 'long', value: most }))
    expect(message?.headers.a).toEqual({ type: 'long', value: most })
    expect(() => encode({ type: 'long', value: most + 1n })).toThrow(/long/)
  })

  test.each(['', '0'.repeat(31), '0'.repeat(33), `g${'0'.repeat(31)}`, `${'0'.repeat(32)}\n`])(
    'rejects the UUID %j',
    (value) => {
      expect(() => encode({ type: 'uuid', value })).toThrow(/uuid/)
    },
  )

  test('limits a name to 1 to 255 bytes, and a string to 65,535', () => {
    const value = { type: 'string', value: 'b'.repeat(65_535) } as const
    expect(() => encode(value, 'a'.repeat(255))).not.toThrow()
    expect(() => encode(value, '')).toThrow(/name/)
    expect(() => encode(value, 'a'.repeat(256))).toThrow(/name/)
    expect(() => encode({ ...value, value: 'b'.repeat(65_536) })).toThrow(/65535/)
  })
})
