import { ConfigurationError, enrich, type GuardrailError, isBedrockError, StreamError } from '../errors.ts'
import { type EventIterator, eventIterator } from '../internal/event-iterator.ts'
import { keepOne } from '../internal/keep.ts'
import { onAbort } from '../internal/signal.ts'
import { nameWaitingCode } from '../internal/waiting-code.ts'
import type { BedrockResponse, ResponseMetadata } from '../types.ts'
import { MessageAccumulator } from './accumulate.ts'
import { attachMetadata } from './metadata.ts'
import { encodeEvents, type StreamResponseInit, streamResponse } from './stream-response.ts'
import type { Message, RawMessageStreamEvent } from './types.ts'

/** Starts the call of a stream. */
export type StartStream = (signal: AbortSignal) => Promise<BedrockResponse & { type: 'stream' }>

interface Opened {
  readonly events: EventIterator
  readonly metadata: ResponseMetadata
}

/**
 * A streamed message.
 *
 * Iterate over it for the events, over `textStream` for the text only, or wait for `finalMessage()`, which may be
 * combined with either. The events can be iterated once. The call starts on first use.
 *
 * If the stream fails (an exception, a cut, silence), iteration and `finalMessage()` reject with a typed error whose
 * `partial` is the message so far. No promise ever raises an unhandled rejection.
 *
 * @example
 * ```ts
 * const stream = bedrock.messages.stream(params)
 * for await (const text of stream.textStream) process.stdout.write(text)
 * const { usage, stop_reason } = await stream.finalMessage()
 * ```
 */
export class MessageStream implements AsyncIterable<RawMessageStreamEvent> {
  #start: StartStream | undefined
  readonly #controller = new AbortController()
  readonly #accumulator = new MessageAccumulator()
  readonly #release: (() => void) | undefined
  readonly #metadata: Promise<ResponseMetadata>
  #resolve!: (metadata: ResponseMetadata) => void
  #reject!: (error: unknown) => void
  #opening: Promise<Opened> | undefined
  #opened: Opened | undefined
  // Events that were read ahead of the iterator for `finalMessage()`; `#head` is the first.
  #queue: RawMessageStreamEvent[] = []
  #head = 0
  #isIterated = false
  #isDriven = false
  #isWhole = false
  #isEnded = false

  /** Created by `messages.stream`. */
  constructor(start: StartStream, signal?: AbortSignal) {
    this.#start = start
    this.#metadata = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Only callers that ask for it should see the rejection.
    this.#metadata.catch(() => {})
    this.#release = onAbort(signal, (reason) => this.#abort(reason))
  }

  /**
   * The message so far, also after an error or an abort; `undefined` before it begins. The input of a tool call is a
   * string, the JSON so far, until it is complete.
   */
  get snapshot(): Message | undefined {
    return this.#accumulator.message as Message | undefined
  }

  /** The metadata of the response. Reads the stream, and settles at its end. */
  get metadata(): Promise<ResponseMetadata> {
    this.#drive()
    return traced(this.#metadata)
  }

  /** Starts the call, if necessary, and waits until the response has begun. */
  started(): Promise<this> {
    return traced(this.#open().then(() => this))
  }

  /** Waits for the complete message. */
  finalMessage(): Promise<Message> {
    this.#drive()
    return traced(
      this.#metadata.then((metadata) => {
        const { message } = this.#accumulator
        const { requestId } = metadata
        if (!message) throw new StreamError('stream_truncated', 'The stream ended without a message', { requestId })
        return attachMetadata(message, metadata)
      }),
    )
  }

  /** Waits for the complete message, and returns its text blocks, joined. */
  finalText(): Promise<string> {
    return traced(
      this.finalMessage().then(({ content }) =>
        content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
      ),
    )
  }

  /** The text as it arrives. Can be iterated once; use either this or the events. */
  get textStream(): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => this.#iterate(textOf) }
  }

  [Symbol.asyncIterator](): AsyncIterator<RawMessageStreamEvent, undefined> {
    return this.#iterate(whole)
  }

  /**
   * Ends the call at once. Everything that waits for the stream rejects with an `AbortError`. Does nothing after the
   * end.
   */
  abort(): void {
    this.#abort(new DOMException('The stream was aborted', 'AbortError'))
  }

  /** Ends the call, if it has not ended, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.abort()
  }

  /**
   * Returns the events as lines of JSON (`application/x-ndjson`), for a `Response`. Cancelling it ends the call. If the
   * stream fails, so does this one.
   */
  toReadableStream(): ReadableStream<Uint8Array> {
    return encodeEvents(this, 'ndjson')
  }

  /**
   * Answers a browser with the stream. Waits until Bedrock's response has begun, so that an earlier failure is a JSON
   * error with its own status. A later fault is a final line, or SSE event, of type `error`. Read it with
   * `readMessageStream` on the other side. Cancelling the response ends the call.
   *
   * Errors name neither the account nor credentials, because the browser may belong to anyone.
   *
   * @param init - as for `Response`, plus `format`: lines of JSON (`ndjson`) or server-sent events (`sse`). @default
   *   'ndjson'
   * @example
   * ```ts
   * export default { fetch: async (request) => bedrock.messages.stream(await request.json()).toResponse() }
   * ```
   */
  toResponse(init?: StreamResponseInit): Promise<Response> {
    return streamResponse(this, init)
  }

  /** Creates an iterator over the events, or over values selected from them. */
  #iterate<T extends {}>(select: Select<T>): AsyncIterator<T, undefined> {
    if (this.#isIterated || this.#isDriven) {
      throw new ConfigurationError('The events of a stream can be iterated once', {
        hint: this.#isIterated
          ? 'Keep the events, or use finalMessage().'
          : 'Start iterating before finalMessage(), or at the same time.',
      })
    }
    this.#isIterated = true
    return {
      next: () => this.#next(select),
      return: async () => {
        await this.#leave()
        return { done: true, value: undefined }
      },
    }
  }

  #next<T extends {}>(select: Select<T>): Promise<IteratorResult<T, undefined>> {
    const value = this.#select(select)
    return value === undefined ? this.#later(select) : Promise.resolve({ done: false, value })
  }

  async #later<T extends {}>(select: Select<T>): Promise<IteratorResult<T, undefined>> {
    while ((await this.#more()) || this.#queue.length > 0) {
      const value = this.#select(select)
      if (value !== undefined) return { done: false, value }
    }
    await traced(this.#metadata)
    return { done: true, value: undefined }
  }

  #select<T extends {}>(select: Select<T>): T | undefined {
    for (let event = this.#shift(); event; event = this.#shift()) {
      const value = select(event)
      if (value !== undefined) return value
    }
    return undefined
  }

  /** Returns the iterator's next event, if it has arrived. */
  #shift(): RawMessageStreamEvent | undefined {
    if (this.#queue.length === 0) return this.#take()
    const event = this.#queue[this.#head++]
    if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    }
    return event
  }

  /** Returns the stream's next event, if it has arrived. */
  #take(): RawMessageStreamEvent | undefined {
    if (this.#isEnded || !this.#opened) return undefined
    const { events } = this.#opened
    try {
      for (let event = events.take(); event; event = events.take()) {
        // A gateway's keep-alive events have no type.
        const { type } = event
        if (typeof type !== 'string') continue
        this.#accumulator.add(event)
        if (type === 'message_stop') this.#isWhole = true
        return event as unknown as RawMessageStreamEvent
      }
    } catch (error) {
      // If the events do not fit, their source may still be running.
      this.#abort(error)
    }
    return undefined
  }

  /** Waits for more events, and resolves to whether the stream goes on. Never rejects: `#metadata` has the error. */
  async #more(): Promise<boolean> {
    if (this.#isEnded) return false
    try {
      if (!this.#opened) await this.#open()
      else if (!(await this.#opened.events.more())) this.#end(this.#opened.metadata)
    } catch (error) {
      this.#fail(error)
    }
    return !this.#isEnded
  }

  #open(): Promise<Opened> {
    this.#opening ??= this.#begin()
    return this.#opening
  }

  async #begin(): Promise<Opened> {
    try {
      keepOne(MessageStream)
      const start = this.#start as StartStream
      // The parameters are not needed any more, and may be megabytes.
      this.#start = undefined
      const { events, metadata } = await start(this.#controller.signal)
      this.#opened = { events: eventIterator(events), metadata }
      return this.#opened
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  // Deferred, so that an iterator created in the same tick sees every event.
  #drive(): void {
    if (this.#isDriven || this.#isEnded) return
    Promise.resolve().then(async () => {
      this.#isDriven = true
      do {
        for (let event = this.#take(); event; event = this.#take()) if (this.#isIterated) this.#queue.push(event)
      } while (await this.#more())
    })
  }

  // The reader left. At `message_stop` it has the complete message, unless a fault follows the last event, such as an
  // intervention that came with it.
  async #leave(): Promise<void> {
    if (this.#isWhole) this.#take()
    if (!this.#isWhole || !this.#opened) return this.abort()
    const { events, metadata } = this.#opened
    this.#end(metadata)
    await events.close()
  }

  #abort(reason: unknown): void {
    if (this.#isEnded) return
    this.#controller.abort(reason)
    this.#fail(reason)
    this.#opening?.then(({ events }) => events.return()).catch(() => {})
  }

  #end(metadata: ResponseMetadata): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#release?.()
    this.#resolve(metadata)
  }

  #fail(error: unknown): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#release?.()
    const message = this.snapshot
    if (message && isBedrockError(error)) {
      if (error.code === 'guardrail_intervened') enrich<GuardrailError>(error, { response: error.response ?? message })
      else if ('retryable' in error) enrich(error, { partial: message })
    }
    this.#reject(error)
  }
}

/**
 * Returns a promise whose rejection may be ignored. The stack of its error names the code that waits for it, which V8
 * finds only here, while the promise has one handler: an error's own stack ends with the code that read the response.
 */
function traced<T>(promise: Promise<T>): Promise<T> {
  const run = async (): Promise<T> => {
    try {
      return await promise
    } catch (error) {
      nameWaitingCode(error)
      result.catch(() => {})
      throw error
    }
  }
  const result = run()
  return result
}

/** Selects from an event; `undefined` skips it. */
type Select<T> = (event: RawMessageStreamEvent) => T | undefined

function whole(event: RawMessageStreamEvent): RawMessageStreamEvent {
  return event
}

function textOf(event: RawMessageStreamEvent): string | undefined {
  return event.type === 'content_block_delta' && event.delta?.type === 'text_delta' ? event.delta.text : undefined
}
