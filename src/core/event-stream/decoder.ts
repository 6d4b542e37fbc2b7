import { assertOptions } from '../internal/assert-options.ts'
import { decodeHeaders } from './headers.ts'
import type { EventStreamMessage } from './message.ts'
import { type EventStreamDecoderOptions, MessageReader } from './reader.ts'

/** Takes bytes as they come and gives messages as they become whole. */
export interface EventStreamDecoder {
  /**
   * Gives the messages that these bytes complete. Messages that precede a fault are given first; the fault is thrown by
   * the next call, and by every one after that.
   *
   * @throws StreamError `stream_corrupt`
   */
  push(bytes: Uint8Array): EventStreamMessage[]
  /** Tells that no more bytes will come; always gives an empty list. @throws StreamError `stream_truncated` inside a message */
  end(): EventStreamMessage[]
}

/**
 * Makes a decoder of `application/vnd.amazon.eventstream`. Both checksums of each message are verified. The work grows
 * with the bytes, however they are cut.
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
  if (options) assertOptions(options, '', 'maxMessageSize maxHeadersSize')
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
      reader.end()
      return []
    },
  }
}
