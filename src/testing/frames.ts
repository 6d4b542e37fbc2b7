import { EventStreamCodec } from '@smithy/eventstream-codec'
import type { JsonObject } from '../core/types.ts'

// AWS's own codec encodes the frames, so that the client decodes independent output.
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes as Uint8Array)),
  (text) => new TextEncoder().encode(text),
)

/** Encodes a frame of any message type. */
export function encodeFrame(headers: Readonly<Record<string, string>>, body: string | Uint8Array): Uint8Array {
  return codec.encode({
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { type: 'string', value }])),
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
  })
}

/** Encodes the frame of one chunk, with its payload as text. */
export function encodeChunk(payload: string): Uint8Array {
  return encodeFrame({ ':event-type': 'chunk', ':content-type': 'application/json', ':message-type': 'event' }, payload)
}

/** Encodes the frame of one event, padded like Bedrock's to hide its length. */
export function encodeEvent(event: JsonObject, index: number): Uint8Array {
  const padding = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'.slice(0, 1 + ((index * 7) % 60))
  return encodeChunk(JSON.stringify({ bytes: toBase64(JSON.stringify(event)), p: padding }))
}

/** Encodes the frame of an exception in the middle of a stream. */
export function encodeException(name: string, message: string, fields: JsonObject = {}): Uint8Array {
  return encodeFrame(
    { ':exception-type': name, ':content-type': 'application/json', ':message-type': 'exception' },
    JSON.stringify({ message, ...fields }),
  )
}

/** Encodes text as UTF-8 and base64. */
export function toBase64(text: string): string {
  let binary = ''
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** Decodes base64 to text; `undefined` for invalid base64. */
export function decodeBase64(base64: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)))
  } catch {
    return undefined
  }
}
