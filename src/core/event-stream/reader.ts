import { StreamError } from '../errors.ts'
import { corrupt } from './headers.ts'
import { preludeLength, trailerLength } from './message.ts'
import { crc32 } from '#platform'

/** The maximum size of a message. A larger one is a fault, before any memory is allocated for it. */
export interface EventStreamDecoderOptions {
  /** The maximum bytes of a message. @default 25_165_824 (24 MiB) */
  readonly maxMessageSize?: number | undefined
  /** The maximum bytes of a message's header block. @default 131_072 (128 KiB) */
  readonly maxHeadersSize?: number | undefined
}

/**
 * Finds the messages in a sequence of byte chunks. It exposes the position of each one instead of creating an object,
 * which would cost as much as the checksums.
 */
export class MessageReader<Headers> {
  /** The bytes that contain the current message. Valid until the next `push`. */
  bytes: Uint8Array = new Uint8Array()
  payloadStart = 0
  payloadEnd = 0
  headers: Headers

  readonly #decodeHeaders: (block: Uint8Array) => Headers
  readonly #maxMessageSize: number
  readonly #maxHeadersSize: number
  // The messages of a stream usually have the same headers.
  #lastBlock = new Uint8Array()
  #chunk: Uint8Array = new Uint8Array()
  #at = 0
  // For a message that is not contiguous: its prelude, and then, once its length is known, the whole message.
  readonly #prelude = new Uint8Array(preludeLength)
  #partial = this.#prelude
  #filled = 0

  constructor(
    decodeHeaders: (block: Uint8Array) => Headers,
    { maxMessageSize = 25_165_824, maxHeadersSize = 131_072 }: EventStreamDecoderOptions = {},
  ) {
    this.#decodeHeaders = decodeHeaders
    this.#maxMessageSize = maxMessageSize
    this.#maxHeadersSize = maxHeadersSize
    this.headers = decodeHeaders(this.#lastBlock)
  }

  /** Whether all bytes have been read. */
  get isDrained(): boolean {
    return this.#at === this.#chunk.length
  }

  /** Adds bytes. All previous ones must have been read. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk
    this.#at = 0
  }

  /** Ends the input. @throws StreamError `stream_truncated` inside a message */
  end(): void {
    if (this.#filled > 0)
      throw new StreamError('stream_truncated', `The stream ended ${this.#filled} bytes into a message`)
  }

  /** Reads the next message; `false` if it is incomplete. @throws StreamError `stream_corrupt`; do not go on then */
  read(): boolean {
    const chunk = this.#chunk
    while (this.#at < chunk.length) {
      const left = chunk.length - this.#at
      if (this.#filled === 0 && left >= preludeLength) {
        const start = this.#at
        const length = this.#readLength(chunk, start)
        if (left >= length) {
          this.#at += length
          this.#readMessage(chunk, start, start + length)
          return true
        }
        this.#partial = new Uint8Array(length)
      }
      const partial = this.#partial
      const count = Math.min(partial.length - this.#filled, left)
      partial.set(chunk.subarray(this.#at, this.#at + count), this.#filled)
      this.#at += count
      this.#filled += count
      if (this.#filled < partial.length) break
      if (partial === this.#prelude) {
        this.#partial = new Uint8Array(this.#readLength(partial, 0))
        this.#partial.set(partial)
      } else {
        this.#partial = this.#prelude
        this.#filled = 0
        this.#readMessage(partial, 0, partial.length)
        return true
      }
    }
    return false
  }

  /** Checks a prelude, and returns the length of its message. */
  #readLength(bytes: Uint8Array, at: number): number {
    const length = readUint32(bytes, at)
    const headersLength = readUint32(bytes, at + 4)
    if (crc32(bytes, at, at + 8) !== readUint32(bytes, at + 8)) throw corrupt('the checksum of a prelude is wrong')
    if (length < preludeLength + headersLength + trailerLength)
      throw corrupt(`a message has the impossible length ${length}`)
    if (length > this.#maxMessageSize)
      throw corrupt(`a message of ${length} bytes is larger than the limit of ${this.#maxMessageSize}`)
    if (headersLength > this.#maxHeadersSize)
      throw corrupt(`headers of ${headersLength} bytes are larger than the limit of ${this.#maxHeadersSize}`)
    return length
  }

  #readMessage(bytes: Uint8Array, start: number, end: number): void {
    const payloadEnd = end - trailerLength
    if (crc32(bytes, start, payloadEnd) !== readUint32(bytes, payloadEnd))
      throw corrupt('the checksum of a message is wrong')
    const headersStart = start + preludeLength
    const payloadStart = headersStart + readUint32(bytes, start + 4)
    if (!isAt(bytes, headersStart, payloadStart, this.#lastBlock)) {
      // Copied, because `slice` of Node's own bytes shares their memory.
      const block = new Uint8Array(bytes.subarray(headersStart, payloadStart))
      this.headers = this.#decodeHeaders(block)
      this.#lastBlock = block
    }
    this.bytes = bytes
    this.payloadStart = payloadStart
    this.payloadEnd = payloadEnd
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

/** Tests whether `bytes` contains `expected` from `start` to `end`. */
export function isAt(bytes: Uint8Array, start: number, end: number, expected: Uint8Array): boolean {
  if (end - start !== expected.length) return false
  for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false
  return true
}
