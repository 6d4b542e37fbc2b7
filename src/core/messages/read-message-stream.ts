import { ServiceError, StreamError } from '../errors.ts'
import { isJsonObject, parseJsonObject } from '../internal/json.ts'
import type { JsonObject, ResponseMetadata } from '../types.ts'
import { MessageStream } from './message-stream.ts'

// No line of a message is this long, in characters.
const maxLineLength = 16_777_216

/**
 * Reads a streamed message, for example in a browser, from a server that answers with `MessageStream.toResponse`, or
 * from Anthropic's own API: lines of JSON and server-sent events both work.
 *
 * @example
 * ```ts
 * const response = await fetch('/chat', { method: 'POST', body: JSON.stringify(question) })
 * for await (const text of readMessageStream(response).textStream) show(text)
 * ```
 * @throws ServiceError on use, if the response is an error; StreamError if it ends before the message does.
 */
export function readMessageStream(response: Response): MessageStream {
  return new MessageStream(async (signal) => {
    const { status, ok, body, headers } = response
    if (!ok || !body) throw serviceError(status, parseJsonObject(await response.text()))
    const metadata: ResponseMetadata = {
      requestId: headers.get('request-id') ?? undefined,
      status,
      headers: Object.fromEntries(headers),
      attempts: 1,
      model: { id: '', source: 'explicit' },
      usage: {},
      latency: undefined,
    }
    return { type: 'stream', events: readEvents(body, signal), metadata }
  })
}

async function* readEvents(body: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<JsonObject> {
  const reader = body.getReader()
  const leave = (): void => void reader.cancel().catch(() => {})
  signal.addEventListener('abort', leave)
  let isOpen = false
  try {
    for await (const line of readLines(reader)) {
      // `event:` lines and comments repeat what the data says.
      const event = parseJsonObject(line.replace(/^data: ?/, ''))
      if (!event) continue
      if (event.type === 'error') throw streamError(event)
      if (event.type === 'message_start') isOpen = true
      if (event.type === 'message_stop') isOpen = false
      yield event
    }
    if (isOpen) throw new StreamError('stream_truncated', 'The stream ended before message_stop')
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}

async function* readLines(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    rest += decoder.decode(value, { stream: !done })
    const lines = rest.split('\n')
    rest = done ? '' : (lines.pop() ?? '')
    yield* lines
    if (done) return
    if (rest.length > maxLineLength) throw new StreamError('stream_corrupt', 'A line of the stream is too long')
  }
}

function streamError({ error }: JsonObject): StreamError {
  const { type, message } = isJsonObject(error) ? error : {}
  return new StreamError('stream_exception', typeof message === 'string' ? message : 'The stream ended with an error', {
    type: typeof type === 'string' ? type : undefined,
  })
}

function serviceError(status: number, body: JsonObject | undefined): ServiceError {
  const { type, message } = isJsonObject(body?.error) ? body.error : {}
  return new ServiceError(typeof message === 'string' ? message : `HTTP ${status}`, {
    status,
    type: typeof type === 'string' ? type : undefined,
  })
}
