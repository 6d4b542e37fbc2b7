import { createEventStreamDecoder } from './decoder.ts'
import type { EventStreamMessage } from './message.ts'
import type { EventStreamDecoderOptions } from './reader.ts'

/**
 * Decodes an event stream as it arrives. Leaving the loop cancels the source.
 *
 * @example
 * ```ts
 * for await (const { headers, payload } of decodeEventStream(response.body)) {
 *   if (headers[':event-type']?.value === 'chunk') handle(payload)
 * }
 * ```
 * @throws StreamError if the stream is damaged or ends inside a message, after the whole messages before that.
 */
export async function* decodeEventStream(
  source: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>,
  options?: EventStreamDecoderOptions,
): AsyncGenerator<EventStreamMessage> {
  const decoder = createEventStreamDecoder(options)
  for await (const bytes of Symbol.asyncIterator in source ? source : iterate(source)) yield* decoder.push(bytes)
  yield* decoder.end()
}

// Safari's streams are not async iterable yet.
async function* iterate(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  let ended = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      ended = done
      if (done) return
      yield value
    }
  } finally {
    if (!ended) await reader.cancel()
  }
}
