import { isBedrockError } from '../errors.ts'
import { assertOptions } from '../internal/assert-options.ts'
import { anthropicErrorTypes } from '../internal/anthropic-errors.ts'
import { readableFrom } from '../internal/readable.ts'
import { serverSentEvent } from '../internal/sse.ts'
import type { JsonObject } from '../types.ts'
import type { RawMessageStreamEvent } from './types.ts'

/** The format of events: lines of JSON, or server-sent events. */
export type StreamFormat = 'ndjson' | 'sse'

/** Options of `MessageStream.toResponse`. */
export interface StreamResponseInit {
  /** @default 'ndjson' */
  readonly format?: StreamFormat | undefined
  /** Ignored for an error before the first byte, which has its own status. @default 200 */
  readonly status?: number | undefined
  readonly headers?: Headers | Readonly<Record<string, string>> | undefined
}

const types: Readonly<Record<number, string>> = anthropicErrorTypes
const contentTypes = { ndjson: 'application/x-ndjson', sse: 'text/event-stream' }

/** Creates a response from a stream's events. */
export async function streamResponse(
  stream: AsyncIterable<RawMessageStreamEvent> & { started(): Promise<unknown> },
  init: StreamResponseInit = {},
): Promise<Response> {
  assertOptions(init, '', 'format status headers')
  const { format = 'ndjson', status = 200, headers: given } = init
  const headers = new Headers(given as HeadersInit)
  try {
    await stream.started()
  } catch (error) {
    return Response.json(errorEvent(error), { status: statusOf(error), headers })
  }
  if (!headers.has('content-type')) headers.set('content-type', contentTypes[format])
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-cache')
  return new Response(encodeEvents(stream, format, errorEvent), { status, headers })
}

/**
 * Encodes events as bytes.
 *
 * @param lastEvent - converts an error to a final event. @default the stream fails with the error
 */
export function encodeEvents(
  stream: AsyncIterable<RawMessageStreamEvent>,
  format: StreamFormat,
  lastEvent?: (error: unknown) => JsonObject,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const events = stream[Symbol.asyncIterator]()
  const encode = (event: { readonly type?: unknown }): Uint8Array => {
    const json = JSON.stringify(event)
    return encoder.encode(format === 'sse' ? serverSentEvent(String(event.type), json) : `${json}\n`)
  }
  let isOver = false
  return readableFrom(
    async () => {
      if (isOver) return undefined
      try {
        const { done, value } = await events.next()
        return done ? undefined : encode(value)
      } catch (error) {
        if (!lastEvent) throw error
        isOver = true
        return encode(lastEvent(error))
      }
    },
    async () => events.return?.(),
  )
}

/** Returns the part of an error that a browser may see: nothing about the account. */
function errorEvent(error: unknown): JsonObject {
  const isOfService = isBedrockError(error, 'service') || isBedrockError(error, 'stream_exception')
  // Refused credentials or permissions are not the browser's concern.
  const isPublic = isOfService && error.status !== 401 && error.status !== 403
  const message = isPublic ? error.message.replace(/arn:[^\s"']+|\b\d{12}\b/g, '...') : 'The answer could not be given'
  return { type: 'error', error: { type: types[statusOf(error)] ?? 'api_error', message } }
}

function statusOf(error: unknown): number {
  if (!isBedrockError(error)) return 500
  if (error.code === 'timeout') return 504
  const status = 'status' in error ? error.status : undefined
  if (status && status >= 400 && status < 600) return status === 401 || status === 403 ? 500 : status
  return 'retryable' in error ? 502 : 500
}
