// The same exports as web.ts, using native features of Node (and Bun, and Deno).
import * as crypto from 'node:crypto'
import * as zlib from 'node:zlib'
import { crc32 as tableCrc32 } from '../internal/crc32.ts'

export { openNetwork } from '../../node/network.ts'
export { isConnectionReset, networkError } from './node-network-error.ts'

/** A key for HMACs, with the padded prefixes of its two hashes. */
export interface HmacKey {
  readonly bytes: Uint8Array
  readonly inner: Buffer
  readonly outer: Buffer
}

/** Computes a SHA-256 digest in hexadecimal. */
export const sha256Hex: (data: string | Uint8Array) => string | Promise<string> =
  // One call instead of three objects; since Node 20.12.
  typeof crypto.hash === 'function'
    ? (data) => crypto.hash('sha256', data, 'hex')
    : (data) => crypto.createHash('sha256').update(data).digest('hex')

/** Derives a key by HMAC-SHA-256, part by part: each digest is the key for the next. */
export function deriveHmacKey(secret: string, parts: readonly string[]): HmacKey | Promise<HmacKey> {
  const bytes = parts.reduce<string | Buffer>(
    (key, part) => crypto.createHmac('sha256', key).update(part).digest(),
    secret,
  ) as Buffer
  // After the 64-byte prefix there is room for 320 characters of three bytes, or for a digest.
  const inner = Buffer.alloc(1024, 0x36)
  const outer = Buffer.alloc(96, 0x5c)
  bytes.forEach((byte, i) => {
    inner[i] = 0x36 ^ byte
    outer[i] = 0x5c ^ byte
  })
  return { bytes, inner, outer }
}

/** Computes the HMAC-SHA-256 of a text, in hexadecimal. */
export function hmacSha256Hex({ bytes, inner, outer }: HmacKey, data: string): string | Promise<string> {
  // A string to sign has about 140 characters.
  if (typeof crypto.hash !== 'function' || data.length > 320)
    return crypto.createHmac('sha256', bytes).update(data).digest('hex')
  // Follows the definition (RFC 2104): two such calls take half the time of Node's Hmac object.
  const end = 64 + inner.write(data, 64)
  outer.write(crypto.hash('sha256', inner.subarray(0, end), 'binary'), 64, 'binary')
  return crypto.hash('sha256', outer, 'hex')
}

/** Computes the CRC-32 of the bytes from `start` to `end` (ISO 3309, as in zlib and the event stream). */
export const crc32: (bytes: Uint8Array, start: number, end: number) => number =
  // Since Node 20.15. For few bytes, the table is faster.
  typeof zlib.crc32 === 'function'
    ? (bytes, start, end) =>
        end - start < 192 ? tableCrc32(bytes, start, end) : zlib.crc32(bytes.subarray(start, end))
    : tableCrc32

/** Encodes bytes as base64. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** Decodes UTF-8 bytes from `start` to `end` to text. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString('utf8', start, end)
}

/** Allocates bytes to write to and decode repeatedly. */
export function allocateBytes(length: number): Uint8Array {
  return Buffer.allocUnsafeSlow(length)
}
