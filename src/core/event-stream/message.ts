/** A header's value with its type in the format. */
export type EventStreamHeaderValue =
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'byte' | 'short' | 'integer'; readonly value: number }
  | { readonly type: 'long'; readonly value: bigint }
  | { readonly type: 'binary'; readonly value: Uint8Array }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'timestamp'; readonly value: Date }
  | { readonly type: 'uuid'; readonly value: string }

/** Headers by name, without a prototype. */
export type EventStreamHeaders = Readonly<Record<string, EventStreamHeaderValue>>

/** One message of an event stream. */
export interface EventStreamMessage {
  readonly headers: EventStreamHeaders
  /** A view into the pushed bytes, if the message is contiguous: copy it before you reuse them. */
  readonly payload: Uint8Array
}

// Total length, headers length, their CRC; then the CRC of the whole message at the end. All numbers are big-endian.
export const preludeLength = 12
export const trailerLength = 4
