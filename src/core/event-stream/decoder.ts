import { StreamError } from '../errors.ts'
import { corrupt, decodeHeaders } from './headers.ts'
import { type EventStreamMessage, preludeLength, trailerLength } from './message.ts'
import { crc32 } from '#platform'

/** How large a message may be. A larger one is a fault, before any memory is set aside for it. */
export interface EventStreamDecoderOptions {
  /** Bytes of a whole message. @default 25_165_824 (24 MiB) */
  readonly maxMessageSize?: number | undefined
  /** Bytes of a message's header block. @default 131_072 (128 KiB) */
  readonly maxHeadersSize?: number | undefined
}

/** Takes bytes as they come and gives messages as they become whole. */
export interface EventStreamDecoder<Message = EventStreamMessage> {
  /**
   * Gives the messages that these bytes complete. Messages that precede a fault are given first; the fault is thrown by
   * the next call, and by every one after that.
   *
   * @throws StreamError `stream_corrupt`
   */
  push(bytes: Uint8Array): Message[]
  /** Tells that no more bytes will come; always gives an empty list. @throws StreamError `stream_truncated` inside a message */
  end(): Message[]
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
  return createDecoder(decodeHeaders, options)
}

/** {@link createEventStreamDecoder} with other headers, which also tells of a fault before its next call. */
export function createDecoder<Headers>(
  decodeBlock: (block: Uint8Array) => Headers,
  { maxMessageSize = 25_165_824, maxHeadersSize = 131_072 }: EventStreamDecoderOptions = {},
): EventStreamDecoder<EventStreamMessage<Headers>> & { readonly fault: StreamError | undefined } {
  let fault: StreamError | undefined
  // A message that did not come in one piece: first its prelude, then, as its length is known, the whole.
  const prelude = new Uint8Array(preludeLength)
  let partial = prelude
  let filled = 0
  let lastBlock = new Uint8Array()
  let lastHeaders = decodeBlock(lastBlock)

  /** Checks a prelude and gives the length of its message. */
  const readLength = (bytes: Uint8Array, at: number): number => {
    const length = readUint32(bytes, at)
    const headersLength = readUint32(bytes, at + 4)
    if (crc32(bytes.subarray(at, at + 8)) !== readUint32(bytes, at + 8))
      throw corrupt('the checksum of a prelude is wrong')
    if (length < preludeLength + headersLength + trailerLength)
      throw corrupt(`a message has the impossible length ${length}`)
    if (length > maxMessageSize)
      throw corrupt(`a message of ${length} bytes is larger than the limit of ${maxMessageSize}`)
    if (headersLength > maxHeadersSize)
      throw corrupt(`headers of ${headersLength} bytes are larger than the limit of ${maxHeadersSize}`)
    return length
  }

  const readMessage = (frame: Uint8Array): EventStreamMessage<Headers> => {
    const end = frame.length - trailerLength
    if (crc32(frame.subarray(0, end)) !== readUint32(frame, end)) throw corrupt('the checksum of a message is wrong')
    const payloadAt = preludeLength + readUint32(frame, 4)
    const block = frame.subarray(preludeLength, payloadAt)
    // The messages of a stream mostly have the same headers.
    if (!equal(block, lastBlock)) {
      lastHeaders = decodeBlock(block)
      lastBlock = block.slice()
    }
    return { headers: lastHeaders, payload: frame.subarray(payloadAt, end) }
  }

  return {
    get fault() {
      return fault
    },
    push(bytes) {
      if (fault) throw fault
      const messages: EventStreamMessage<Headers>[] = []
      let at = 0
      try {
        while (at < bytes.length) {
          const isNew = filled === 0
          if (isNew && bytes.length - at >= preludeLength) {
            const length = readLength(bytes, at)
            if (bytes.length - at >= length) {
              messages.push(readMessage(bytes.subarray(at, at + length)))
              at += length
              continue
            }
            partial = new Uint8Array(length)
          }
          const count = Math.min(partial.length - filled, bytes.length - at)
          partial.set(bytes.subarray(at, at + count), filled)
          at += count
          filled += count
          if (filled < partial.length) continue
          if (partial === prelude) {
            partial = new Uint8Array(readLength(prelude, 0))
            partial.set(prelude)
          } else {
            messages.push(readMessage(partial))
            partial = prelude
            filled = 0
          }
        }
      } catch (error) {
        fault = error as StreamError
        if (messages.length === 0) throw fault
      }
      return messages
    },
    end() {
      if (!fault && filled > 0)
        fault = new StreamError('stream_truncated', `The stream ended ${filled} bytes into a message`)
      if (fault) throw fault
      return []
    },
  }
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  )
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
