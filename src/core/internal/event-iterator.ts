import type { JsonObject } from '../types.ts'
import { onAbort } from './signal.ts'

/**
 * The events of a response, which also gives those that are here already without waiting. Everything between the decoder
 * and the caller hands events on in this way: one promise for each chunk of the network, not several for each event.
 */
export abstract class EventIterator implements AsyncIterableIterator<JsonObject, undefined> {
  #waiting: Promise<boolean> | undefined

  /** The next event, if it is here. @throws what ended the stream, behind its last event */
  abstract take(): JsonObject | undefined
  /** The same, for passing on: as the text of its JSON, where nothing on its way looks into the event. */
  takeText(): JsonObject | string | undefined {
    return this.take()
  }
  /** Lets go of the stream: nothing of it is wanted any more. */
  abstract close(): unknown
  /** {@link EventIterator.more}, one at a time. */
  protected abstract wait(): Promise<boolean>

  /** Waits for more. Gives `false` at the end. @throws what ended the stream */
  more(): Promise<boolean> {
    this.#waiting ??= this.wait().finally(() => {
      this.#waiting = undefined
    })
    return this.#waiting
  }

  next(): Promise<IteratorResult<JsonObject, undefined>> {
    return nextOf(
      () => this.take(),
      () => this.more(),
    )
  }

  async return(): Promise<IteratorResult<JsonObject, undefined>> {
    await this.close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** An iterator's `next`, made of the two steps: at once where a value is here. */
export function nextOf<T extends {}>(
  take: () => T | undefined,
  more: () => Promise<boolean>,
): Promise<IteratorResult<T, undefined>> {
  const result = (value: T | undefined): IteratorResult<T, undefined> =>
    value === undefined ? { done: true, value } : { done: false, value }
  const wait = async (): Promise<IteratorResult<T, undefined>> => {
    let value: T | undefined
    while (value === undefined && (await more())) value = take()
    return result(value)
  }
  try {
    const value = take()
    return value === undefined ? wait() : Promise.resolve(result(value))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Reads any events by the two steps: those of a middleware may come from anywhere. */
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

/** What {@link tapEvents} tells. */
export interface EventTap {
  /** Sees each event before it is handed on. An error that it returns (nothing else) ends the stream behind this event. */
  event?(event: JsonObject): unknown
  /** Runs at the stream's own end, before that is handed on. What it throws is the stream's error. */
  end?(): unknown
  /**
   * Runs once when the stream is over, whichever way: at its own end, by a fault, left, or aborted unread. It is told the
   * fault, or the reason of the abort.
   */
  closed?(error?: unknown): void
}

/**
 * Watches events on their way.
 *
 * @param signal - the call's, so that `closed` runs for a stream that is aborted while nobody reads it
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
    // What the source has to say of its end is said before.
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
