// The same surface as node.ts, on Web APIs alone.
import { type BedrockError, ConnectionError } from '../errors.ts'
import { hex } from '../internal/bytes.ts'
import { crc32 as tableCrc32 } from '../internal/crc32.ts'
import { redactError } from '../internal/redact.ts'
import { sha256 } from '../internal/sha256.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

// Below this size the pure JavaScript hash is done before WebCrypto's promise would be.
const webCryptoFrom = 4096

/** The SHA-256 digest in hexadecimal. */
export function sha256Hex(data: string | Uint8Array): string | Promise<string> {
  const bytes = typeof data === 'string' ? encoder.encode(data) : data
  if (bytes.length >= webCryptoFrom)
    return crypto.subtle.digest('SHA-256', bytes as BufferSource).then((digest) => hex(new Uint8Array(digest)))
  return hex(sha256(bytes))
}

/** The HMAC-SHA-256 of a text (RFC 2104). */
export function hmacSha256(key: string | Uint8Array, data: string): Uint8Array {
  const bytes = typeof key === 'string' ? encoder.encode(key) : key
  const short = bytes.length > 64 ? sha256(bytes) : bytes
  const keyed = (pad: number, message: Uint8Array): Uint8Array => {
    const block = new Uint8Array(64 + message.length).fill(pad, 0, 64)
    for (let i = 0; i < short.length; i++) block[i] = pad ^ (short[i] as number)
    block.set(message, 64)
    return sha256(block)
  }
  return keyed(0x5c, keyed(0x36, encoder.encode(data)))
}

/** The HMAC-SHA-256 of a text, in hexadecimal. */
export function hmacSha256Hex(key: Uint8Array, data: string): string {
  return hex(hmacSha256(key, data))
}

/** The CRC-32 of the bytes from `start` to `end` (ISO 3309, as zlib and the event stream have it). */
export const crc32: (bytes: Uint8Array, start: number, end: number) => number = tableCrc32

/** Bytes to base64. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  // In pieces: every byte becomes an argument, and engines bound their number.
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000))
  return btoa(text)
}

/** UTF-8 bytes, from `start` to `end`, to text. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  return decoder.decode(bytes.subarray(start, end))
}

/** Bytes to write to and to read as text again and again. */
export function allocateBytes(length: number): Uint8Array {
  return new Uint8Array(length)
}

/** What a `fetch` failed with. Browsers and Workers give no code, and a message at most. */
export function networkError(error: unknown, what: string, secrets?: readonly string[]): BedrockError {
  const cause = redactError(error, secrets)
  return new ConnectionError(`${what}: ${cause.message}`, { cause })
}

/** Whether a connection was closed by its other side. Nothing tells in browsers and Workers. */
export function isConnectionReset(_error: unknown): boolean {
  return false
}
