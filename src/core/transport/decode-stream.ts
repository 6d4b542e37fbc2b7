import { isBedrockError, ServiceError, StreamError } from '../errors.ts'
import { createDecoder } from '../event-stream/decoder.ts'
import { decodeTextHeaders } from '../event-stream/headers.ts'
import type { EventStreamMessage } from '../event-stream/message.ts'
import { isJsonObject, parseJsonObject } from '../internal/json.ts'
import { redact } from '../internal/redact.ts'
import { isRetryable, requestIdOf, unknownOperation } from '../internal/service-error.ts'
import type { BedrockResponse, Identity, JsonObject, ResponseMetadata } from '../types.ts'
import { readText } from './attempt.ts'
import { assertOk, type CallFacts, createMetadata } from './decode-response.ts'
import type { Arrival } from './exchange.ts'
import { usageFromEvent } from './usage.ts'
import { base64ToUtf8, decodeUtf8 } from '#platform'

/** What the stream decoder needs beside a response. */
export interface StreamFacts extends CallFacts {
  /** Adds a hint to an error that ends the stream. */
  readonly annotate: (error: unknown) => void
}

/**
 * Decodes a streamed answer, up to its first event: a fault before that is thrown here and may be retried, as nothing
 * has reached the caller yet.
 */
export async function decodeStream(arrival: Arrival, facts: StreamFacts): Promise<BedrockResponse> {
  await assertOk(arrival, facts)
  await assertEventStream(arrival)
  const metadata = createMetadata(arrival, facts)
  const source = readEvents(arrival, facts, metadata)
  return { type: 'stream', events: resume(await source.next(), source, arrival), metadata }
}

function resume(
  first: IteratorResult<JsonObject>,
  source: AsyncGenerator<JsonObject>,
  { body }: Arrival,
): AsyncIterableIterator<JsonObject> {
  let pending: IteratorResult<JsonObject> | undefined = first
  return {
    next: () => {
      if (!pending) return source.next()
      const result = pending
      pending = undefined
      return Promise.resolve(result)
    },
    return: () => {
      // A generator that waits for bytes would only return once they came.
      body.cancel()
      return source.return(undefined)
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

async function* readEvents(
  arrival: Arrival,
  { clock, started, annotate }: StreamFacts,
  metadata: ResponseMetadata,
): AsyncGenerator<JsonObject> {
  const { body, identity } = arrival
  const decoder = createDecoder(decodeTextHeaders)
  let isEmpty = true
  // By the wire and not by the model's name: what begins as a message has to end as one.
  let isOpenMessage = false
  try {
    for (;;) {
      const bytes = await body.read()
      for (const message of bytes ? decoder.push(bytes) : decoder.end()) {
        const event = eventOf(message, identity)
        if (!event) continue
        if (isEmpty) metadata.firstByteLatency = clock.now() - started
        isEmpty = false
        if (event.type === 'message_start') isOpenMessage = true
        else if (event.type === 'message_stop') isOpenMessage = false
        metadata.usage = usageFromEvent(event, metadata.usage)
        yield event
      }
      if (!bytes) break
    }
    if (isEmpty) throw new StreamError('stream_truncated', 'The stream ended without an event')
    if (isOpenMessage) throw new StreamError('stream_truncated', 'The stream ended before message_stop')
  } catch (error) {
    const fault = isBedrockError(error, 'connection')
      ? new StreamError('stream_truncated', error.message, { cause: error })
      : error
    if (isBedrockError(fault) && metadata.requestId !== undefined) fault.requestId ??= metadata.requestId
    annotate(fault)
    throw fault
  } finally {
    body.cancel()
    arrival.done()
    metadata.latency = clock.now() - started
  }
}

async function assertEventStream({ response, body }: Arrival): Promise<void> {
  const contentType = response.headers.get('content-type')
  if (contentType?.startsWith('application/vnd.amazon.eventstream')) return
  const { status } = response
  const requestId = requestIdOf(response.headers)
  const text = await readText(body)
  throw (
    unknownOperation(parseJsonObject(text) ?? {}, status, requestId) ??
    new ServiceError(`The response is not an event stream but ${contentType ?? 'of no content type'}`, {
      status,
      requestId,
      hint: 'Something between here and Bedrock rewrites responses. A gateway must pass application/vnd.amazon.eventstream on untouched.',
    })
  )
}

// Messages are told apart by `:message-type`. What is neither an exception, an error nor a chunk is passed over: new
// event types may come at any time.
function eventOf(
  { headers, payload }: EventStreamMessage<ReturnType<typeof decodeTextHeaders>>,
  identity: Identity | undefined,
): JsonObject | undefined {
  switch (headers[':message-type']) {
    case 'event':
      return headers[':event-type'] === 'chunk' ? chunkOf(payload, identity) : undefined
    case 'exception': {
      const body = parseJsonObject(decodeUtf8(payload)) ?? {}
      const name = headers[':exception-type'] ?? ''
      const type = name.charAt(0).toUpperCase() + name.slice(1)
      throw streamException(type, body.message ?? body.Message, body.originalStatusCode, identity)
    }
    case 'error':
      throw streamException(headers[':error-code'], headers[':error-message'], undefined, identity)
    default:
      return undefined
  }
}

// `{"bytes":"<base64>","p":"<padding>"}`: the model's own JSON in base64, padded against guessing its length.
function chunkOf(payload: Uint8Array, identity: Identity | undefined): JsonObject | undefined {
  let event: unknown
  try {
    const { bytes } = JSON.parse(decodeUtf8(payload)) as { bytes?: string }
    if (!bytes) return undefined
    event = JSON.parse(base64ToUtf8(bytes))
  } catch (cause) {
    throw new StreamError('stream_corrupt', 'A chunk of the stream is not base64 of JSON', { cause })
  }
  if (!isJsonObject(event)) throw new StreamError('stream_corrupt', 'A chunk of the stream is not a JSON object')
  if (event.type === 'error' && isJsonObject(event.error)) {
    throw streamException(String(event.error.type), event.error.message, undefined, identity)
  }
  return event
}

// The statuses that AWS's service model and Anthropic's API give to the same errors outside a stream.
const statuses: Readonly<Record<string, number>> = {
  InternalServerException: 500,
  ModelStreamErrorException: 424,
  ValidationException: 400,
  ThrottlingException: 429,
  ModelTimeoutException: 408,
  ServiceUnavailableException: 503,
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
}

function streamException(type = '', said?: unknown, originalStatusCode?: unknown, identity?: Identity): StreamError {
  const message = redact(
    typeof said === 'string' && said ? said : `The service ended the stream with ${type || 'an error'}`,
    identity,
  )
  const status = statuses[type]
  return new StreamError('stream_exception', message, {
    type,
    status,
    retryable:
      status === 529 ||
      isRetryable(status ?? 0, type, message, typeof originalStatusCode === 'number' ? originalStatusCode : undefined),
  })
}
