import { assertKnown } from '../internal/assert-known.ts'
import { decodeHeaders } from './headers.ts'
import type { EventStreamMessage } from './message.ts'
import { type EventStreamDecoderOptions, MessageReader } from './reader.ts'

/** Takes bytes as they arrive, and returns complete messages. */
export interface EventStreamDecoder {
  /**
   * Returns the messages that these bytes complete. Messages before a fault are returned first; the next call, and
   * every later one, throws the fault.
   *
   * @throws StreamError `stream_corrupt`
   */
  push(bytes: Uint8Array): EventStreamMessage[]
  /** Ends the input; always returns an empty list. @throws StreamError `stream_truncated` inside a message */
  end(): EventStreamMessage[]
}

/**
 * Creates a decoder of `application/vnd.amazon.eventstream`. It verifies both checksums of each message. Its running
 * time is linear in the number of bytes, however they are split.
 *
 * @example
 * ```ts
 * const decoder = createEventStreamDecoder()
 * for await (const bytes of response.body) for (const message of decoder.push(bytes)) handle(message)
 * decoder.end()
 * ```
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html
 */
export function createEventStreamDecoder(options?: EventStreamDecoderOptions): EventStreamDecoder {
  if (options) assertKnown(options, 'maxMessageSize maxHeadersSize')
  const reader = new MessageReader(decodeHeaders, options)
  let fault: { readonly error: unknown } | undefined
  return {
    push(bytes) {
      if (fault) throw fault.error
      const messages: EventStreamMessage[] = []
      try {
        reader.push(bytes)
        while (reader.read()) {
          const { headers, payloadStart, payloadEnd } = reader
          messages.push({ headers, payload: reader.bytes.subarray(payloadStart, payloadEnd) })
        }
      } catch (error) {
        fault = { error }
        if (messages.length === 0) throw error
      }
      return messages
    },
    end() {
      if (fault) throw fault.error
      try {
        reader.end()
      } catch (error) {
        fault = { error }
        throw error
      }
      return []
    },
  }
}
