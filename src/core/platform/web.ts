// The same exports as node.ts, using only Web APIs.
import { type BedrockError, ConfigurationError, ConnectionError } from '../errors.ts'
import { hex } from '../internal/bytes.ts'
import { fetchNetwork, type Network } from '../internal/http.ts'
import { redactError, type Secrets } from '../internal/redact.ts'
import type { Environment } from '../types.ts'

export { crc32 } from '../internal/crc32.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
// Shared by all calls, because WebCrypto copies its input before it returns.
const scratch = new Uint8Array(4096)

/** A non-extractable key for HMACs. */
export type HmacKey = CryptoKey

/** Computes a SHA-256 digest in hexadecimal. */
export function sha256Hex(data: string | Uint8Array): Promise<string> {
  return subtle()
    .digest('SHA-256', (typeof data === 'string' ? encode(data) : data) as BufferSource)
    .then(hexOf)
}

/** Derives a key by HMAC-SHA-256, part by part: each digest is the key for the next. */
export async function deriveHmacKey(secret: string, parts: readonly string[]): Promise<HmacKey> {
  let key = await importKey(encoder.encode(secret))
  for (const part of parts) key = await importKey(await subtle().sign('HMAC', key, encode(part)))
  return key
}

/** Computes the HMAC-SHA-256 of a text, in hexadecimal. */
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
  // A character takes at most three bytes.
  if (text.length * 3 > scratch.length) return encoder.encode(text)
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written)
}

let known: SubtleCrypto | undefined

// Cached, because reading the global costs a tenth of a hash on Workers.
function subtle(): SubtleCrypto {
  known ??= (globalThis as { crypto?: Crypto }).crypto?.subtle
  // Browsers provide it only to pages served over https or from localhost.
  if (!known)
    throw new ConfigurationError('Signatures and cache keys need crypto.subtle, which is not available here', {
      hint: 'Serve the page over https, or use a Bedrock API key.',
    })
  return known
}

/** Encodes bytes as base64. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  // In pieces, because every byte becomes an argument, and engines limit their number.
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000))
  return btoa(text)
}

/** Decodes UTF-8 bytes from `start` to `end` to text. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  return decoder.decode(bytes.subarray(start, end))
}

/** Allocates bytes to write to and decode repeatedly. */
export function allocateBytes(length: number): Uint8Array {
  return new Uint8Array(length)
}

/** Converts an error of `fetch`. Browsers and Workers provide no code, and at most a message. */
export function networkError(error: unknown, what: string, secrets?: Secrets): BedrockError {
  const cause = redactError(error, secrets)
  return new ConnectionError(`${what}: ${cause.message}`, { cause })
}

/** Tests whether the other side closed a connection. Browsers and Workers do not tell. */
export function isConnectionReset(_error: unknown): boolean {
  return false
}

/** Returns a client's network: the given `fetch`, else the global one. */
export function openNetwork(given: typeof fetch | undefined, _env?: Environment): Network {
  return fetchNetwork(() => given ?? globalThis.fetch)
}
