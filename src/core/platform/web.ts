// The same surface as node.ts, on Web APIs alone.
import { type BedrockError, ConfigurationError, ConnectionError } from '../errors.ts'
import { hex } from '../internal/bytes.ts'
import { fetchNetwork, type Network } from '../internal/http.ts'
import { redactError, type Secrets } from '../internal/redact.ts'
import type { Environment } from '../types.ts'

export { crc32 } from '../internal/crc32.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
// Shared by all calls: WebCrypto copies its input before it returns.
const scratch = new Uint8Array(4096)

/** A key that HMACs are made with, and that cannot be read. */
export type HmacKey = CryptoKey

/** The SHA-256 digest in hexadecimal. */
export function sha256Hex(data: string | Uint8Array): Promise<string> {
  return subtle()
    .digest('SHA-256', (typeof data === 'string' ? encode(data) : data) as BufferSource)
    .then(hexOf)
}

/** A key that is derived by HMAC-SHA-256, part by part: each one's digest is the key for the next. */
export async function deriveHmacKey(secret: string, parts: readonly string[]): Promise<HmacKey> {
  let key = await importKey(encoder.encode(secret))
  for (const part of parts) key = await importKey(await subtle().sign('HMAC', key, encode(part)))
  return key
}

/** The HMAC-SHA-256 of a text, in hexadecimal. */
export function hmacSha256Hex(key: HmacKey, data: string): Promise<string> {
  return subtle().sign('HMAC', key, encode(data)).then(hexOf)
}

function importKey(bytes: BufferSource): Promise<HmacKey> {
  return subtle().importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
}

function hexOf(digest: ArrayBuffer): string {
  return hex(new Uint8Array(digest))
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  // A character takes three bytes at most.
  if (text.length * 3 > scratch.length) return encoder.encode(text)
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written)
}

let known: SubtleCrypto | undefined

// Kept, as asking the global for it costs a tenth of a hash on Workers.
function subtle(): SubtleCrypto {
  known ??= (globalThis as { crypto?: Crypto }).crypto?.subtle
  // Browsers give it to pages that came over https or from localhost.
  if (!known)
    throw new ConfigurationError('There is no crypto.subtle here, which signatures and cache keys are made with', {
      hint: 'Serve the page over https, or use a Bedrock API key, which needs no signature.',
    })
  return known
}

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
export function networkError(error: unknown, what: string, secrets?: Secrets): BedrockError {
  const cause = redactError(error, secrets)
  return new ConnectionError(`${what}: ${cause.message}`, { cause })
}

/** Whether a connection was closed by its other side. Nothing tells in browsers and Workers. */
export function isConnectionReset(_error: unknown): boolean {
  return false
}

/** How a client reaches the network: by the `fetch` that it was given, else by the global one. */
export function openNetwork(given: typeof fetch | undefined, _env?: Environment): Network {
  return fetchNetwork(() => given ?? globalThis.fetch)
}
