import { createHash, createHmac } from 'node:crypto'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as node from '../../src/core/platform/node.ts'
import * as web from '../../src/core/platform/web.ts'

// Both platforms are held against Node's own, at every length around a block's.
describe.each([
  ['node', node],
  ['web', web],
])('%s', (_, platform) => {
  test('SHA-256 of every length up to three blocks, and of long ones', async () => {
    for (const length of [...Array.from({ length: 200 }, (_, i) => i), 4095, 4096, 100_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 255)
      expect(await platform.sha256Hex(bytes), String(length)).toBe(createHash('sha256').update(bytes).digest('hex'))
    }
  })

  test('SHA-256, HMAC, CRC-32 and base64 of anything', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: 'grapheme', maxLength: 100 }),
        async (bytes, text) => {
          expect(await platform.sha256Hex(text)).toBe(createHash('sha256').update(text).digest('hex'))
          expect(Buffer.from(platform.hmacSha256(bytes, text)).toString('hex')).toBe(
            createHmac('sha256', bytes).update(text).digest('hex'),
          )
          expect(Buffer.from(platform.hmacSha256(text, text)).toString('hex')).toBe(
            createHmac('sha256', text).update(text).digest('hex'),
          )
          const key = bytes.subarray(0, 64)
          for (const data of [text, text.repeat(40)])
            expect(platform.hmacSha256Hex(key, data)).toBe(createHmac('sha256', key).update(data).digest('hex'))
          const [start, end] = [bytes.length >> 3, bytes.length - (bytes.length >> 2)]
          if (crc32) expect(platform.crc32(bytes, start, end)).toBe(crc32(bytes.subarray(start, end)))
          expect(platform.encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
          expect(platform.decodeUtf8(Buffer.from(`<${text}>`), 1, Buffer.byteLength(text) + 1)).toBe(text)
        },
      ),
      { numRuns: 500 },
    )
  })
})
