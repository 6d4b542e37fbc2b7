import { ConfigurationError, isBedrockError, StreamError } from '../errors.ts'
import { onAbort } from '../internal/signal.ts'
import { readableFrom } from '../internal/readable.ts'
import type { BedrockResponse, JsonObject, ResponseMetadata } from '../types.ts'
import { createMessageAccumulator } from './accumulate.ts'
import { attachMetadata } from './metadata.ts'
import type { Message, RawMessageStreamEvent } from './types.ts'

/** Starts the call behind a stream. */
export type StartStream = (signal: AbortSignal) => Promise<BedrockResponse & { type: 'stream' }>

interface Opened {
  readonly events: AsyncIterator<JsonObject>
  readonly metadata: ResponseMetadata
}

/**
 * A message as it comes.
 *
 * Iterate it for the events, `textStream` for the text alone, or wait for `finalMessage()`; the last may be combined
 * with either. The events can be iterated once. The call starts at first use.
 *
 * However the stream ends wrongly (an exception, a cut, silence), iteration and `finalMessage()` reject with a typed
 * error, whose `partial` is the message so far. Nothing here ever raises an unhandled rejection.
 *
 * @example
 * ```ts
 * const stream = bedrock.messages.stream(params)
 * for await (const text of stream.textStream) process.stdout.write(text)
 * const { usage, stop_reason } = await stream.finalMessage()
 * ```
 */
export class MessageStream implements AsyncIterable<RawMessageStreamEvent> {
  readonly #start: StartStream
  readonly #controller = new AbortController()
  readonly #accumulator = createMessageAccumulator()
  readonly #release: (() => void) | undefined
  readonly #final: Promise<Message>
  readonly #metadata: Promise<ResponseMetadata>
  #resolve!: (metadata: ResponseMetadata) => void
  #reject!: (error: unknown) => void
  #opened: Promise<Opened> | undefined
  /** Events that were read ahead of the iterator, as `finalMessage()` was asked for meanwhile. */
  readonly #queue: RawMessageStreamEvent[] = []
  #reading: Promise<void> | undefined
  #isIterated = false
  #isDriven = false
  #isWhole = false
  #ended: { error?: unknown } | undefined

  /** Made by `messages.stream`. */
  constructor(start: StartStream, signal?: AbortSignal) {
    this.#start = start
    this.#metadata = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#final = this.#metadata.then((metadata) => {
      const { message } = this.#accumulator
      if (!message)
        throw new StreamError('stream_truncated', 'The stream ended without a message', {
          requestId: metadata.requestId,
        })
      return attachMetadata(message, metadata)
    })
    // Whoever is interested asks for them; whoever is not must not be told by a crash.
    this.#metadata.catch(() => {})
    this.#final.catch(() => {})

    this.#release = onAbort(signal, (reason) => this.#abort(reason))
  }

  /** The message so far, also after an error or an abort; `undefined` before it began. */
  get snapshot(): Message | undefined {
    return this.#accumulator.message as Message | undefined
  }

  /** What is known of the response. Settles at the end of the stream, which it makes come. */
  get metadata(): Promise<ResponseMetadata> {
    this.#drive()
    return this.#metadata
  }

  /** Starts the call, if it has not been, and waits until the response has begun. */
  async started(): Promise<this> {
    await this.#open()
    return this
  }

  /** Waits for the whole message. */
  finalMessage(): Promise<Message> {
    this.#drive()
    return this.#final
  }

  /** Waits for the whole message and gives its text blocks, joined. */
  finalText(): Promise<string> {
    const text = this.finalMessage().then(({ content }) =>
      content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    )
    text.catch(() => {})
    return text
  }

  /** The text as it comes. One pass, as the events: either these or those. */
  get textStream(): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => this.#texts() }
  }

  async *#texts(): AsyncGenerator<string> {
    for await (const event of this) {
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') yield event.delta.text
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<RawMessageStreamEvent, undefined> {
    if (this.#isIterated || this.#isDriven) {
      throw new ConfigurationError('The events of a stream can be iterated once', {
        hint: this.#isIterated
          ? 'Keep the events, or use finalMessage().'
          : 'Begin to iterate before, or together with, finalMessage().',
      })
    }
    this.#isIterated = true
    return {
      next: async () => {
        while (this.#queue.length === 0) {
          if (this.#ended) {
            if ('error' in this.#ended) throw this.#ended.error
            return { done: true, value: undefined }
          }
          await this.#read()
        }
        return { done: false, value: this.#queue.shift() as RawMessageStreamEvent }
      },
      return: async () => {
        await this.#leave()
        return { done: true, value: undefined }
      },
    }
  }

  /** Ends the call at once. What waits for the stream rejects with an `AbortError`. Does nothing after the end. */
  abort(): void {
    this.#abort(new DOMException('The stream was aborted', 'AbortError'))
  }

  /** Ends the call if it has not ended, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.abort()
  }

  /**
   * The events as lines of JSON (`application/x-ndjson`), for a `Response`. Cancelling it ends the call. An error of the
   * stream is an error of this one.
   */
  toReadableStream(): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder()
    const events = this[Symbol.asyncIterator]()
    return readableFrom(
      async () => {
        const { done, value } = await events.next()
        return done ? undefined : encoder.encode(`${JSON.stringify(value)}\n`)
      },
      async () => events.return?.(),
    )
  }

  #open(): Promise<Opened> {
    this.#opened ??= this.#begin()
    return this.#opened
  }

  async #begin(): Promise<Opened> {
    try {
      const { events, metadata } = await this.#start(this.#controller.signal)
      return { events: events[Symbol.asyncIterator](), metadata }
    } catch (error) {
      this.#end({ error })
      throw error
    }
  }

  /** Reads one event, once however many wait for it. Never rejects: `#ended` has the error. */
  #read(): Promise<void> {
    this.#reading ??= this.#readEvent()
    return this.#reading
  }

  async #readEvent(): Promise<void> {
    try {
      const { events, metadata } = await this.#open()
      const { done, value } = await events.next()
      if (this.#ended) return
      if (done) {
        this.#end({ metadata })
      } else if (typeof value.type === 'string') {
        // A gateway's keep-alives have no type.
        this.#accumulator.add(value)
        if (value.type === 'message_stop') this.#isWhole = true
        if (this.#isIterated) this.#queue.push(value as unknown as RawMessageStreamEvent)
      }
    } catch (error) {
      this.#end({ error })
    } finally {
      this.#reading = undefined
    }
  }

  // Not at once: an iterator that is asked for in the same breath should see every event.
  #drive(): void {
    if (this.#isDriven || this.#ended) return
    Promise.resolve().then(async () => {
      this.#isDriven = true
      while (!this.#ended) await this.#read()
    })
  }

  // The consumer went away: at `message_stop` it has the whole message all the same.
  async #leave(): Promise<void> {
    const opened = this.#isWhole ? await this.#opened : undefined
    if (!opened) return this.abort()
    this.#end({ metadata: opened.metadata })
    await opened.events.return?.()
  }

  #abort(reason: unknown): void {
    if (this.#ended) return
    this.#controller.abort(reason)
    this.#end({ error: reason })
    this.#opened?.then(({ events }) => events.return?.()).catch(() => {})
  }

  #end(outcome: { metadata: ResponseMetadata } | { error: unknown }): void {
    if (this.#ended) return
    this.#release?.()
    if ('metadata' in outcome) {
      this.#ended = {}
      this.#resolve(outcome.metadata)
      return
    }
    const { error } = outcome
    const { message } = this.#accumulator
    if (message && isBedrockError(error)) {
      if (error.code === 'guardrail_intervened') Object.assign(error, { response: error.response ?? message })
      else if ('retryable' in error) Object.assign(error, { partial: message })
    }
    this.#ended = { error }
    this.#reject(error)
  }
}
