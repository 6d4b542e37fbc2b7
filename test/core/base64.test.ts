import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBase64Text } from '../../src/core/internal/base64.ts'

const encoder = new TextEncoder()
function decode(base64: string): string | undefined {
  const bytes = encoder.encode(`>>${base64}<`)
  return decodeBase64Text(bytes, 2, bytes.length - 1)
}

describe('base64', () => {
  test('decodes any text, with and without padding', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (given) => {
        // Without lone surrogates, which UTF-8 has not.
        const text = Buffer.from(given).toString()
        const base64 = Buffer.from(text).toString('base64')
        expect(decode(base64)).toBe(text)
        expect(decode(base64.replace(/=+$/, ''))).toBe(text)
      }),
    )
  })

  test('decodes a chunk of a megabyte, and a short one after it', () => {
    for (const length of [3_000_000, 10]) {
      const text = 'ä'.repeat(length)
      expect(decode(Buffer.from(text).toString('base64'))).toBe(text)
    }
  })

  test('detects one wrong character at any position', () => {
    const wrong = fc.integer({ min: 0, max: 255 }).filter((byte) => !/[A-Za-z\d+/=]/.test(String.fromCharCode(byte)))
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), wrong, (content, position, byte) => {
        const bytes = encoder.encode(Buffer.from(content).toString('base64').replace(/=+$/, ''))
        bytes[position % bytes.length] = byte
        expect(decodeBase64Text(bytes, 0, bytes.length)).toBeUndefined()
      }),
    )
  })

  test.each(['***', 'a=b', 'aGk=!', 'a', 'abcde', 'ab=', '=', '===='])('rejects %j', (text) => {
    expect(decode(text)).toBeUndefined()
  })
})
