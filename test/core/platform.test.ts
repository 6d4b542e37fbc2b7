import { createHash, createHmac } from 'node:crypto'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import * as node from '../../src/core/platform/node.ts'
import * as web from '../../src/core/platform/web.ts'

// Both platforms are held against Node's own, at every length around a block's.
describe.each([
  ['node', node],
  ['web', web],
])('%s', (_, platform) => {
  test('hashes SHA-256 of every length up to three blocks, and of long texts', async () => {
    for (const length of [...Array.from({ length: 200 }, (_, i) => i), 4095, 4096, 100_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 255)
      expect(await platform.sha256Hex(bytes), String(length)).toBe(createHash('sha256').update(bytes).digest('hex'))
    }
  })

  test('computes SHA-256, HMAC, CRC-32 and base64 of random input', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: 'grapheme', maxLength: 100 }),
        fc.string({ minLength: 1, maxLength: 100 }),
        async (bytes, text, secret) => {
          expect(await platform.sha256Hex(text)).toBe(createHash('sha256').update(text).digest('hex'))
          const [start, end] = [bytes.length >> 3, bytes.length - (bytes.length >> 2)]
          if (crc32) expect(platform.crc32(bytes, start, end)).toBe(crc32(bytes.subarray(start, end)))
          expect(platform.encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
          expect(platform.decodeUtf8(Buffer.from(`<${text}>`), 1, Buffer.byteLength(text) + 1)).toBe(text)

          const mac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest()
          const key = await platform.deriveHmacKey(secret, [text, 'second'])
          for (const data of [text, text.repeat(40)])
            expect(await platform.hmacSha256Hex(key as never, data)).toBe(
              mac(mac(mac(secret, text), 'second'), data).toString('hex'),
            )
        },
      ),
      { numRuns: 500 },
    )
  })
})

test.each([
  ['node', node],
  ['web', web],
])('hashes many short and long texts concurrently: %s', async (_, platform) => {
  const texts = Array.from({ length: 300 }, (_, i) => `${i} Grüße aus 東京 `.repeat(1 + (i % 120)))
  const expected = texts.map((text) => createHash('sha256').update(text).digest('hex'))
  expect(await Promise.all(texts.map((text) => platform.sha256Hex(text)))).toEqual(expected)
})

describe('the web platform', () => {
  afterEach(() => vi.unstubAllGlobals())

  test('imports keys that cannot be extracted', async () => {
    const key = await web.deriveHmacKey('secret', ['part'])
    expect(key.extractable).toBe(false)
    await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow()
  })

  test.each([[{}], [undefined]])('says that a page served over http needs https: crypto %j', async (crypto) => {
    vi.stubGlobal('crypto', crypto)
    vi.resetModules()
    const { sha256Hex } = await import('../../src/core/platform/web.ts')
    expect(() => sha256Hex('text')).toThrow(
      expect.objectContaining({
        code: 'configuration',
        message: expect.stringContaining('crypto.subtle'),
        hint: expect.stringContaining('https'),
      }),
    )
  })
})
