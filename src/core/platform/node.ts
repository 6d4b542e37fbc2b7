// The same surface as web.ts, on what Node (and Bun, and Deno) bring along natively.
import * as crypto from 'node:crypto'
import * as zlib from 'node:zlib'
import { crc32 as tableCrc32 } from '../internal/crc32.ts'

/** The SHA-256 digest in hexadecimal. */
export const sha256Hex: (data: string | Uint8Array) => string | Promise<string> =
  // One call in place of three objects; since Node 20.12.
  typeof crypto.hash === 'function'
    ? (data) => crypto.hash('sha256', data, 'hex')
    : (data) => crypto.createHash('sha256').update(data).digest('hex')

/** The HMAC-SHA-256 of a text. */
export function hmacSha256(key: string | Uint8Array, data: string): Uint8Array {
  return crypto.createHmac('sha256', key).update(data).digest()
}

/** The CRC-32 of bytes (ISO 3309, as zlib and the event stream have it). */
export const crc32: (bytes: Uint8Array) => number =
  // Since Node 20.15.
  typeof zlib.crc32 === 'function' ? (bytes) => zlib.crc32(bytes) : tableCrc32

/** Bytes to base64. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** Base64 of UTF-8 to text. @throws for what is not base64 */
export function base64ToUtf8(text: string): string {
  const bytes = Buffer.from(text, 'base64')
  // Buffer stops at the first character that is not base64, without a word.
  if (bytes.length !== Math.floor((text.replace(/=+$/, '').length * 3) / 4)) throw new SyntaxError('Not base64')
  return bytes.toString('utf8')
}

/** UTF-8 bytes to text. */
export function decodeUtf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
