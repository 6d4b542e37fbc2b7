import type { JsonObject } from '../types.ts'
import { onAbort } from './signal.ts'

/**
 * The events of a response, with synchronous access to those that have arrived. Every layer between the decoder and the
 * caller passes events on this way: one promise for each network chunk, not several for each event.
 */
export abstract class EventIterator implements AsyncIterableIterator<JsonObject, undefined> {
  #waiting: Promise<boolean> | undefined

  /** Returns the next event, if it has arrived. @throws the error that ended the stream, after its last event */
  abstract take(): JsonObject | undefined
  /** Like `take`, for forwarding: may return an event as JSON text, if no layer reads the event. */
  takeText(): JsonObject | string | undefined {
    return this.take()
  }
  /** Closes the stream, because the rest is not needed. */
  abstract close(): unknown
  /** Implements {@link EventIterator.more}; called one at a time. */
  protected abstract wait(): Promise<boolean>

  /** Waits for more events. Resolves to `false` at the end. @throws the error that ended the stream */
  more(): Promise<boolean> {
    this.#waiting ??= this.#wait()
    return this.#waiting
  }

  async #wait(): Promise<boolean> {
    try {
      return await this.wait()
    } finally {
      this.#waiting = undefined
    }
  }

  async next(): Promise<IteratorResult<JsonObject, undefined>> {
    do {
      const value = this.take()
      if (value) return { done: false, value }
    } while (await this.more())
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<JsonObject, undefined>> {
    await this.close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** Wraps any async iterable, because a middleware may return one. */
export function eventIterator(events: AsyncIterable<JsonObject>): EventIterator {
  return events instanceof EventIterator ? events : new ForeignEvents(events[Symbol.asyncIterator]())
}

class ForeignEvents extends EventIterator {
  readonly #source: AsyncIterator<JsonObject>
  #here: JsonObject | undefined

  constructor(source: AsyncIterator<JsonObject>) {
    super()
    this.#source = source
  }

  take(): JsonObject | undefined {
    const event = this.#here
    this.#here = undefined
    return event
  }

  protected async wait(): Promise<boolean> {
    if (this.#here) return true
    const { done, value } = await this.#source.next()
    if (!done) this.#here = value
    return !done
  }

  close(): unknown {
    return this.#source.return?.()
  }
}

/** Callbacks of {@link tapEvents}. */
export interface EventTap {
  /**
   * Called with each event before it is passed on. If it returns an error, the stream ends with it after this event.
   */
  event?(event: JsonObject): unknown
  /** Called at the stream's regular end, before the end is passed on. If it throws, the stream ends with that error. */
  end?(): unknown
  /**
   * Called once when the stream is over: at its end, by a fault, because the reader left, or because it was aborted
   * unread. Receives the fault, or the reason of the abort.
   */
  closed?(error?: unknown): void
}

/**
 * Observes events as they pass.
 *
 * @param signal - the call's signal, so that `closed` also runs for a stream that is aborted unread
 */
export function tapEvents(events: AsyncIterable<JsonObject>, tap: EventTap, signal?: AbortSignal): EventIterator {
  return new TappedEvents(eventIterator(events), tap, signal)
}

class TappedEvents extends EventIterator {
  readonly #source: EventIterator
  readonly #tap: EventTap
  readonly #release: () => void
  #fault: Error | undefined
  #isClosed = false

  constructor(source: EventIterator, tap: EventTap, signal: AbortSignal | undefined) {
    super()
    this.#source = source
    this.#tap = tap
    this.#release = onAbort(signal, (reason) => this.#closed(reason))
  }

  take(): JsonObject | undefined {
    try {
      if (this.#fault) throw this.#fault
      const event = this.#source.take()
      if (event) {
        const fault = this.#tap.event?.(event)
        if (fault instanceof Error) this.#fault = fault
      }
      return event
    } catch (error) {
      this.close(error)
      throw error
    }
  }

  protected async wait(): Promise<boolean> {
    try {
      if (this.#fault) throw this.#fault
      if (await this.#source.more()) return true
      if (!this.#isClosed) await this.#tap.end?.()
      this.#closed()
      return false
    } catch (error) {
      this.close(error)
      throw error
    }
  }

  close(error?: unknown): unknown {
    // The source reports its end first.
    const closing = this.#source.close()
    this.#closed(error)
    return closing
  }

  #closed(error?: unknown): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#release?.()
    this.#tap.closed?.(error)
  }
}
