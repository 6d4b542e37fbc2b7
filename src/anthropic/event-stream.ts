import { isBedrockError, StreamError } from '../core/errors.ts'
import { type EventIterator, eventIterator } from '../core/internal/event-iterator.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { readableFrom } from '../core/internal/readable.ts'
import { serverSentEvent } from '../core/internal/sse.ts'
import type { Clock, JsonObject, ResponseMetadata } from '../core/types.ts'
import { type AnthropicError, errorJson } from './errors.ts'
import { metadataHeaders } from './metadata-headers.ts'
import { withUsage } from './usage.ts'

/** A streamed response that has begun. */
export interface BegunStream {
  readonly events: AsyncIterable<JsonObject>
  readonly metadata: Pick<ResponseMetadata, 'usage' | 'requestId' | 'adaptations'>
}

/** Options for writing a stream as server-sent events. */
export interface EventStreamOptions {
  /** The milliseconds of silence before a `ping`; 0 turns pings off. */
  readonly pingInterval: number
  readonly clock: Clock
  /** Converts an error for the client. Throws if the client itself has ended the call. */
  readonly describe: (error: unknown) => AnthropicError
  /** Called once at the end. `isLeft`: the client disconnected before the end. */
  readonly onClose?: (isLeft: boolean) => unknown
}

// In Anthropic's own spelling, space and all.
const ping = serverSentEvent('ping', '{"type": "ping"}')

// Strict clients treat any other event as an error.
const eventNames: ReadonlySet<unknown> = new Set([
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
  'ping',
])

/**
 * Responds with a stream, once it has begun or `pingInterval` has passed. Errors before that are error responses.
 *
 * @throws the error that keeps the stream from beginning
 */
export async function eventStreamResponse(begun: Promise<BegunStream>, options: EventStreamOptions): Promise<Response> {
  const stream = await inTime(begun, options.pingInterval, options.clock)
  return new Response(eventStream(begun, options, !stream), {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      // For proxies that would buffer events.
      'x-accel-buffering': 'no',
      ...metadataHeaders(stream?.metadata ?? {}),
    },
  })
}

/**
 * Writes the events of a message as Anthropic sends them. A fault becomes a final `error` event. So does an end before
 * `message_stop`, so that clients can tell whether a message is complete.
 *
 * @param isPingDue - whether the client has already waited for a whole `pingInterval`
 */
function eventStream(
  begun: Promise<BegunStream>,
  { pingInterval, clock, describe, onClose }: EventStreamOptions,
  isPingDue: boolean,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let events: EventIterator | undefined
  // The last event is held back until the stream ends, because a guardrail may still block the whole message.
  let last = ''
  let fault: { readonly error: unknown } | undefined
  let waiting: Promise<string> | undefined
  let isOver = false

  /** Takes all events that have arrived, so that one network chunk becomes one chunk of the response. */
  const take = ({ metadata }: BegunStream, from: EventIterator): string => {
    let text = ''
    try {
      for (let event = from.takeText(); event; event = from.takeText()) {
        if (typeof event === 'string') {
          text += serverSentEvent('content_block_delta', event)
          continue
        }
        if (!eventNames.has(event.type)) continue
        const written = serverSentEvent(event.type as string, JSON.stringify(complete(event, metadata)))
        if (event.type === 'message_stop') last = written
        else text += written
      }
    } catch (error) {
      fault = { error }
    }
    return text
  }

  const next = async (): Promise<string> => {
    const stream = await begun
    events ??= eventIterator(stream.events)
    try {
      for (;;) {
        const text = take(stream, events)
        if (text) return text
        if (fault) throw fault.error
        if (!(await events.more())) break
      }
      if (!last) throw new StreamError('stream_truncated', 'The stream ended before message_stop')
    } catch (error) {
      if (!last || !isCut(error)) throw error
    }
    isOver = true
    return last
  }

  const read = async (): Promise<string | undefined> => {
    if (isPingDue) {
      isPingDue = false
      return ping
    }
    if (isOver) return undefined
    try {
      waiting ??= next()
      const text = await inTime(waiting, pingInterval, clock)
      if (text === undefined) return ping
      waiting = undefined
      return text
    } catch (error) {
      isOver = true
      return serverSentEvent('error', errorJson(describe(error)))
    }
  }

  return readableFrom(
    async () => {
      const text = await read()
      return text === undefined ? undefined : encoder.encode(text)
    },
    () => {
      onClose?.(!isOver)
      events?.return().catch(() => {})
    },
  )
}

// After message_stop a broken connection does not matter.
function isCut(error: unknown): boolean {
  return isBedrockError(error) && /^(connection|timeout|stream_truncated|stream_corrupt)$/.test(error.code)
}

/** Adds the token counts that clients rely on, if Bedrock leaves them out. */
function complete(event: JsonObject, { usage }: BegunStream['metadata']): JsonObject {
  const { inputTokens: input_tokens = 0, outputTokens: output_tokens = 0 } = usage
  if (event.type === 'message_delta') return withUsage(event, { output_tokens })
  if (event.type !== 'message_start' || !isJsonObject(event.message)) return event
  const message = withUsage(event.message, { input_tokens, output_tokens })
  return message === event.message ? event : { ...event, message }
}

/** Waits for a promise for some time. Resolves to `undefined` when the time is over; the caller may wait again. */
function inTime<T>(promise: Promise<T>, milliseconds: number, clock: Clock): Promise<T | undefined> {
  if (milliseconds === 0) return promise
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => resolve(undefined), milliseconds)
    promise.then(resolve, reject).finally(() => clock.clearTimeout(timer))
  })
}
