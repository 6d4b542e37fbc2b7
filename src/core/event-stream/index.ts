/**
 * The `application/vnd.amazon.eventstream` format, for any AWS service that streams.
 *
 * @module
 */
export { decodeEventStream } from './decode-event-stream.ts'
export { createEventStreamDecoder, type EventStreamDecoder } from './decoder.ts'
export { encodeEventStreamMessage } from './encoder.ts'
export type { EventStreamDecoderOptions } from './reader.ts'
export type { EventStreamHeaders, EventStreamHeaderValue, EventStreamMessage } from './message.ts'
