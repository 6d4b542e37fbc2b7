import { EventIterator, eventIterator } from '../core/internal/event-iterator.ts'
import { onAbort, raceSignal } from '../core/internal/signal.ts'
import type { BedrockResponse, CacheOutcome, JsonObject, ResponseMetadata } from '../core/types.ts'
import type { CachedContent } from './cache-entry.ts'
import type { Caller } from './caller.ts'

/** One call that any number of equal callers wait for. */
export interface SharedResponse {
  /**
   * Returns a separate response for a caller. A caller that leaves does not end the others; when the last caller
   * leaves, the call ends.
   *
   * @param cache - the cache outcome to report, unless the response itself came from the store
   */
  join(caller: Caller, cache: CacheOutcome): Promise<BedrockResponse>
}

/** Observes a shared response. */
export interface SharedResponseObserver {
  /** Called once, when the response is complete. */
  onWhole(content: CachedContent, metadata: ResponseMetadata): void
  /** Called once, when no more callers can join: the response has ended, or every caller has left. */
  onEnd(): void
}

/** Starts a call that can be shared. Its controller aborts when every caller has left; creating the signal takes time. */
export function shareResponse(
  call: (controller: AbortController) => Promise<BedrockResponse>,
  { onWhole, onEnd }: SharedResponseObserver,
): SharedResponse {
  const controller = new AbortController()
  let callers = 0
  let isOpen = true
  let events: SharedEvents | undefined

  const end = (whole?: () => void): void => {
    if (!isOpen) return
    isOpen = false
    onEnd()
    whole?.()
  }
  const response = call(controller).then(
    (started) => {
      const { metadata } = started
      if (started.type === 'json') {
        end(() => onWhole({ body: started.body }, metadata))
        return started
      }
      events = new SharedEvents(started.events, (isWhole, all) =>
        end(isWhole ? () => onWhole({ events: all }, metadata) : undefined),
      )
      // Every caller has left, but the response still arrived.
      if (!isOpen) events.close()
      return started
    },
    (error: unknown) => {
      end()
      throw error
    },
  )
  response.catch(() => {})

  const leave = (): void => {
    callers--
    if (callers > 0 || !isOpen) return
    events?.close()
    end()
    controller.abort(new DOMException('Every caller has left', 'AbortError'))
  }

  return {
    async join({ signal, clock, dispose }, cache) {
      signal?.throwIfAborted()
      const joined = clock.now()
      callers++
      let isHere = true
      const leaveOnce = (): void => {
        if (!isHere) return
        isHere = false
        release()
        dispose()
        leave()
      }
      // The caller may give up while nobody is reading.
      const release = onAbort(signal, leaveOnce)

      let started: BedrockResponse
      try {
        started = await raceSignal(response, signal)
      } catch (error) {
        leaveOnce()
        throw error
      }
      const { headers, cache: fromStore = cache } = started.metadata
      // A response from the store is a hit for every caller.
      const metadata: ResponseMetadata = { ...started.metadata, headers: { ...headers }, cache: fromStore }
      const finish = (): void => {
        const { usage, firstByteLatency, guardrail = metadata.guardrail } = started.metadata
        Object.assign(metadata, { usage, firstByteLatency, guardrail, latency: clock.now() - joined })
        leaveOnce()
      }
      if (events) return { type: 'stream', events: new CallerEvents(events, signal, finish), metadata }
      finish()
      return { type: 'json', body: structuredClone((started as { body: JsonObject }).body), metadata }
    },
  }
}

/** Buffers the events of a stream for several readers. The fastest reader pulls new ones. */
class SharedEvents {
  readonly #source: EventIterator
  readonly #onEnd: (isWhole: boolean, events: readonly JsonObject[]) => void
  readonly #events: JsonObject[] = []
  #reading: Promise<void> | undefined
  #outcome: { readonly error?: unknown } | undefined

  constructor(events: AsyncIterable<JsonObject>, onEnd: (isWhole: boolean, events: readonly JsonObject[]) => void) {
    this.#source = eventIterator(events)
    this.#onEnd = onEnd
  }

  /** Returns a copy of an event, so that readers cannot change each other's; `undefined` if it has not arrived yet. */
  at(position: number): JsonObject | undefined {
    const event = this.#events[position]
    return event && structuredClone(event)
  }

  /** Resolves to whether there is an event at a position. @throws the error that ended the stream before it */
  async waitFor(position: number, signal: AbortSignal | undefined): Promise<boolean> {
    while (position >= this.#events.length && !this.#outcome) await raceSignal(this.#read(), signal)
    if (position < this.#events.length) return true
    if (this.#outcome && 'error' in this.#outcome) throw this.#outcome.error
    return false
  }

  close(): void {
    // A reader that leaves at the end of a message has all of it.
    this.#end({}, this.#events.at(-1)?.type === 'message_stop')
    Promise.resolve(this.#source.close()).catch(() => {})
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readMore().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readMore(): Promise<void> {
    try {
      if (!(await this.#source.more())) return this.#end({}, true)
      for (let event = this.#source.take(); event; event = this.#source.take()) this.#events.push(event)
    } catch (error) {
      this.#end({ error }, false)
    }
  }

  #end(outcome: { readonly error?: unknown }, isWhole: boolean): void {
    if (this.#outcome) return
    this.#outcome = outcome
    this.#onEnd(isWhole, this.#events)
  }
}

/** The events of a shared stream for one caller. */
class CallerEvents extends EventIterator {
  readonly #shared: SharedEvents
  readonly #signal: AbortSignal | undefined
  readonly #finish: () => void
  #position = 0
  #isOver = false

  constructor(shared: SharedEvents, signal: AbortSignal | undefined, finish: () => void) {
    super()
    this.#shared = shared
    this.#signal = signal
    this.#finish = finish
  }

  take(): JsonObject | undefined {
    if (this.#isOver || this.#signal?.aborted) return undefined
    const event = this.#shared.at(this.#position)
    if (event) this.#position++
    return event
  }

  protected async wait(): Promise<boolean> {
    if (this.#isOver) return false
    try {
      this.#signal?.throwIfAborted()
      if (await this.#shared.waitFor(this.#position, this.#signal)) return true
    } catch (error) {
      this.close()
      throw error
    }
    this.close()
    return false
  }

  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#finish()
  }
}
