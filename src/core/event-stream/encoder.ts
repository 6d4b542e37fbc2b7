import { assertKnown } from '../internal/assert-known.ts'
import { encodeHeaders } from './headers.ts'
import { type EventStreamHeaders, preludeLength, trailerLength } from './message.ts'
import { crc32 } from '#platform'

/**
 * Encodes one message.
 *
 * @example
 * ```ts
 * encodeEventStreamMessage({ headers: { ':message-type': { type: 'string', value: 'event' } }, payload })
 * ```
 * @throws ConfigurationError for a header value that does not match its type.
 */
export function encodeEventStreamMessage(given: { headers?: EventStreamHeaders; payload: Uint8Array }): Uint8Array {
  assertKnown(given, 'headers payload')
  const { headers = {}, payload } = given
  const block = encodeHeaders(headers)
  const message = new Uint8Array(preludeLength + block.length + payload.length + trailerLength)
  const view = new DataView(message.buffer)
  const end = message.length - trailerLength
  view.setUint32(0, message.length)
  view.setUint32(4, block.length)
  view.setUint32(8, crc32(message, 0, 8))
  message.set(block, preludeLength)
  message.set(payload, preludeLength + block.length)
  view.setUint32(end, crc32(message, 0, end))
  return message
}
