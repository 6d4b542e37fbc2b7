import { enrich, isBedrockError, ServiceError, StreamError } from '../errors.ts'
import { decodeTextHeaders } from '../event-stream/headers.ts'
import { isAt, MessageReader } from '../event-stream/reader.ts'
import { statusOfAnthropicError } from '../internal/anthropic-errors.ts'
import { decodeBase64Text } from '../internal/base64.ts'
import { EventIterator } from '../internal/event-iterator.ts'
import { isJsonObject, parseJsonObject } from '../internal/json.ts'
import { keepOne } from '../internal/keep.ts'
import { redact, redactError, type Secrets } from '../internal/redact.ts'
import { errorType, isRetryable, requestIdOf, unknownOperation } from '../internal/service-error.ts'
import type { BedrockResponse, JsonObject, ResponseMetadata } from '../types.ts'
import { maxErrorBytes, readText } from './body-reader.ts'
import { createMetadata, type DecodeContext, refusalOf } from './decode-response.ts'
import type { IncomingResponse } from './call.ts'
import { usageFromEvent } from './usage.ts'
import { decodeUtf8 } from '#platform'

/** The context of the stream decoder. */
export interface StreamContext extends DecodeContext {
  /** Called once when a stream that has begun is over; with the error, if it failed. */
  readonly ended: (metadata: ResponseMetadata, error?: unknown) => void
}

/**
 * Decodes a streamed response up to its first event. A fault before that is thrown here and may be retried, because
 * nothing has reached the caller yet.
 */
export async function decodeStream(incoming: IncomingResponse, context: StreamContext): Promise<BedrockResponse> {
  if (!incoming.response.ok) throw await refusalOf(incoming, context)
  await assertEventStream(incoming)
  const metadata = createMetadata(incoming, context)
  keepOne(ResponseEvents)
  const events = new ResponseEvents(incoming, context, metadata)
  await events.begin()
  return { type: 'stream', events, metadata }
}

// How long the end of a response may lag behind `message_stop`, in milliseconds. The answer is complete by then.
const endGrace = 1000

type TextHeaders = ReturnType<typeof decodeTextHeaders>

/** The events in a response's body. */
class ResponseEvents extends EventIterator {
  readonly #incoming: IncomingResponse
  readonly #context: StreamContext
  readonly #metadata: ResponseMetadata
  readonly #reader = new MessageReader(decodeTextHeaders)
  /** The first event, which `begin` has read ahead. */
  #first: JsonObject | undefined
  #isEmpty = true
  // Judged by the events, not by the model's name: a stream that begins as a message must end as one.
  #message: 'none' | 'open' | 'whole' = 'none'
  #tailTimer: unknown
  #isOver = false

  constructor(incoming: IncomingResponse, context: StreamContext, metadata: ResponseMetadata) {
    super()
    this.#incoming = incoming
    this.#context = context
    this.#metadata = metadata
  }

  take(): JsonObject | undefined {
    return this.#take() as JsonObject | undefined
  }

  override takeText(): JsonObject | string | undefined {
    return this.#take(true)
  }

  #take(asText = false): JsonObject | string | undefined {
    const first = this.#first
    if (first) {
      this.#first = undefined
      return first
    }
    if (this.#isOver) return undefined
    try {
      while (this.#reader.read()) {
        const event = eventOf(this.#reader, this.#incoming, asText)
        if (event) return typeof event === 'string' ? event : this.#seen(event)
      }
    } catch (error) {
      this.#fail(error)
    }
    return undefined
  }

  /** Waits for the first event. @throws the error that came instead */
  async begin(): Promise<void> {
    while (!this.#first && (await this.more())) this.#first = this.take()
  }

  protected async wait(): Promise<boolean> {
    if (this.#isOver) return false
    if (!this.#reader.isDrained) return true
    const { body } = this.#incoming
    try {
      const bytes = await (this.#message === 'whole' ? this.#readTail() : body.read())
      if (this.#isOver) return false
      if (bytes) this.#reader.push(bytes)
      else this.#end()
    } catch (error) {
      if (this.#message !== 'whole' || !isLostConnection(error)) this.#fail(error)
      this.#finish()
    }
    return !this.#isOver
  }

  close(fault?: unknown): void {
    this.#first = undefined
    this.#finish(fault)
  }

  #seen(event: JsonObject): JsonObject {
    const { type } = event
    if (type === 'content_block_delta' && !this.#isEmpty) return event
    const metadata = this.#metadata
    if (this.#isEmpty) {
      const { clock, started } = this.#context
      this.#isEmpty = false
      metadata.firstByteLatency = clock.now() - started
    }
    if (type === 'message_start') this.#message = 'open'
    else if (type === 'message_stop' && this.#message === 'open') this.#message = 'whole'
    metadata.usage = usageFromEvent(event, metadata.usage)
    return event
  }

  // After a complete message the connection may stay open, and a failure loses nothing.
  #readTail(): Promise<Uint8Array | undefined> {
    const { body } = this.#incoming
    this.#tailTimer ??= this.#context.clock.setTimeout(body.cancel, endGrace)
    return body.read()
  }

  #end(): void {
    this.#reader.end()
    if (this.#isEmpty) throw new StreamError('stream_truncated', 'The stream ended without an event')
    if (this.#message === 'open') throw new StreamError('stream_truncated', 'The stream ended before message_stop')
    this.#finish()
  }

  #fail(error: unknown): never {
    const fault = isBedrockError(error, 'connection')
      ? new StreamError('stream_truncated', error.message, { cause: error, hint: error.hint })
      : error
    const { requestId } = this.#metadata
    if (isBedrockError(fault)) enrich(fault, { requestId: fault.requestId ?? requestId })
    this.close(fault)
    throw fault
  }

  #finish(fault?: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    const { clock, started, ended } = this.#context
    if (this.#tailTimer !== undefined) clock.clearTimeout(this.#tailTimer)
    this.#incoming.body.cancel()
    this.#metadata.latency = clock.now() - started
    // Before the first event, another attempt may follow.
    if (this.#isEmpty) return
    this.#incoming.done()
    ended(this.#metadata, fault)
  }
}

function isLostConnection(error: unknown): boolean {
  return (['connection', 'timeout', 'stream_truncated'] as const).some((code) => isBedrockError(error, code))
}

async function assertEventStream(incoming: IncomingResponse): Promise<void> {
  const { response, body } = incoming
  const contentType = response.headers.get('content-type')
  if (contentType?.toLowerCase().startsWith('application/vnd.amazon.eventstream')) return
  const { status } = response
  const requestId = requestIdOf(response.headers, incoming.secrets)
  const text = await readText(body, maxErrorBytes)
  throw (
    unknownOperation(parseJsonObject(text) ?? {}, status, requestId, incoming.secrets) ??
    new ServiceError(
      `The response is not an event stream but ${redact(contentType ?? 'of no content type', incoming.secrets)}`,
      {
        status,
        requestId,
        hint: 'A gateway must pass application/vnd.amazon.eventstream on unchanged.',
      },
    )
  )
}

// Messages are distinguished by `:message-type`. Anything but exceptions, errors and chunks is skipped, because AWS may
// add event types at any time.
function eventOf(
  reader: MessageReader<TextHeaders>,
  incoming: IncomingResponse,
  asText: boolean,
): JsonObject | string | undefined {
  const { headers } = reader
  switch (headers[':message-type']) {
    case 'event':
      return headers[':event-type'] === 'chunk' ? chunkOf(reader, incoming, asText) : undefined
    case 'exception': {
      const body = parseJsonObject(payloadOf(reader)) ?? {}
      const name = headers[':exception-type'] ?? ''
      const type = name.charAt(0).toUpperCase() + name.slice(1)
      throw streamException({ message: body.Message, ...body, type }, incoming.secrets)
    }
    case 'error':
      throw streamException({ type: headers[':error-code'], message: headers[':error-message'] }, incoming.secrets)
    default:
      return undefined
  }
}

function payloadOf({ bytes, payloadStart, payloadEnd }: MessageReader<TextHeaders>): string {
  return decodeUtf8(bytes, payloadStart, payloadEnd)
}

// A whole event that the decoder need not look at.
const delta = /^\{"type":"content_block_delta",[^\r\n]*\}\}$/

// `{"bytes":"<base64>","p":"<padding>"}`: the model's own JSON in base64, padded to hide its length.
function chunkOf(
  reader: MessageReader<TextHeaders>,
  incoming: IncomingResponse,
  asText: boolean,
): JsonObject | string | undefined {
  let event: unknown
  try {
    const text = innerJsonOf(reader)
    if (!text) return undefined
    if (asText && delta.test(text)) return text
    event = JSON.parse(text)
  } catch (cause) {
    throw new StreamError('stream_corrupt', 'A chunk of the stream is not base64 of JSON', {
      cause: redactError(cause, incoming.secrets),
    })
  }
  if (!isJsonObject(event)) throw new StreamError('stream_corrupt', 'A chunk of the stream is not a JSON object')
  if (event.type === 'error') {
    const { error } = event
    throw streamException(
      isJsonObject(error) ? { type: error.type, message: error.message } : { message: error },
      incoming.secrets,
    )
  }
  return event
}

const usualBeginning = /* @__PURE__ */ new TextEncoder().encode('{"bytes":"')

/** Returns the JSON in a chunk; '' if it is empty. @throws if it is not base64 of text */
function innerJsonOf(reader: MessageReader<TextHeaders>): string {
  const { bytes, payloadStart, payloadEnd } = reader
  const start = payloadStart + usualBeginning.length
  if (isAt(bytes, payloadStart, start, usualBeginning)) {
    const end = bytes.indexOf(34, start)
    // The same JSON in another spelling, such as with an escaped slash, fails here but may succeed below.
    const text = end > 0 && end < payloadEnd ? decodeBase64Text(bytes, start, end) : undefined
    if (text !== undefined) return text
  }
  const { bytes: base64 } = JSON.parse(payloadOf(reader)) as { bytes?: string }
  if (!base64) return ''
  const encoded = new TextEncoder().encode(base64)
  const text = decodeBase64Text(encoded, 0, encoded.length)
  if (text === undefined) throw new SyntaxError('Not base64')
  return text
}

// The statuses of the same errors outside a stream, from AWS's service model.
const statuses: Readonly<Record<string, number>> = {
  InternalServerException: 500,
  ModelStreamErrorException: 424,
  ValidationException: 400,
  ThrottlingException: 429,
  ModelTimeoutException: 408,
  ServiceUnavailableException: 503,
}

function streamException(
  { type: name, message: said, originalStatusCode }: Readonly<Record<string, unknown>>,
  secrets: Secrets,
): StreamError {
  const type = errorType(name, secrets) ?? ''
  const message = redact(
    typeof said === 'string' && said ? said : `The service ended the stream with ${type || 'an error'}`,
    secrets,
  )
  const status = statuses[type] ?? statusOfAnthropicError(type)
  return new StreamError('stream_exception', message, {
    type,
    status,
    retryable: isRetryable(
      status ?? 0,
      type,
      message,
      typeof originalStatusCode === 'number' ? originalStatusCode : undefined,
    ),
  })
}
