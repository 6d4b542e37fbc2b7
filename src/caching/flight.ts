import { raceSignal } from '../core/internal/signal.ts'
import type { BedrockResponse, CacheOutcome, JsonObject, ResponseMetadata } from '../core/types.ts'

/** One call of Bedrock that any number of callers share. */
export interface Flight {
  /** Joins it: gives a response of one's own. Leaving does not end it for the others; the last one who leaves does. */
  join(cache: CacheOutcome, signal: AbortSignal | undefined): Promise<BedrockResponse>
  /** Whether somebody is still there. Nobody can join a flight that everybody has left. */
  readonly isOpen: boolean
}

/**
 * Starts a call. `onWhole` is told when a response has come in whole: with the body, or with all events.
 */
export function startFlight(
  call: (signal: AbortSignal) => Promise<BedrockResponse>,
  onWhole: (
    content: { readonly body: JsonObject } | { readonly events: readonly JsonObject[] },
    metadata: ResponseMetadata,
  ) => void,
  onEnd: () => void,
): Flight {
  const controller = new AbortController()
  let passengers = 0
  let isOver = false
  const end = (): void => {
    if (isOver) return
    isOver = true
    onEnd()
  }
  // What has come of a stream; everyone reads it at a pace of their own, and the fastest makes more come.
  const events: JsonObject[] = []
  let iterator: AsyncIterator<JsonObject> | undefined
  let reading: Promise<void> | undefined
  let outcome: { readonly error?: unknown } | undefined

  const response = call(controller.signal).then(
    (started) => {
      if (started.type === 'json') {
        end()
        onWhole({ body: started.body }, started.metadata)
      }
      return started
    },
    (error: unknown) => {
      end()
      throw error
    },
  )
  response.catch(() => {})

  const read = (started: BedrockResponse & { type: 'stream' }): Promise<void> => {
    reading ??= (async () => {
      try {
        iterator ??= started.events[Symbol.asyncIterator]()
        const { done, value } = await iterator.next()
        if (!done) {
          events.push(value)
          return
        }
        outcome = {}
        end()
        onWhole({ events }, started.metadata)
      } catch (error) {
        outcome = { error }
        end()
      } finally {
        reading = undefined
      }
    })()
    return reading
  }

  const leave = (): void => {
    passengers--
    if (passengers > 0 || isOver) return
    end()
    controller.abort(new DOMException('Every caller has left', 'AbortError'))
    iterator?.return?.()?.catch(() => {})
  }

  async function* follow(
    started: BedrockResponse & { type: 'stream' },
    metadata: ResponseMetadata,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<JsonObject> {
    try {
      for (let i = 0; ; i++) {
        while (i >= events.length && !outcome) await raceSignal(read(started), signal)
        if (i < events.length) {
          // Whoever changes an event changes their own.
          yield structuredClone(events[i] as JsonObject)
          continue
        }
        if (outcome && 'error' in outcome) throw outcome.error
        return
      }
    } finally {
      Object.assign(metadata, started.metadata, { cache: metadata.cache })
      leave()
    }
  }

  return {
    get isOpen() {
      return !isOver
    },
    async join(cache, signal) {
      passengers++
      let started: BedrockResponse
      try {
        started = await raceSignal(response, signal)
      } catch (error) {
        leave()
        throw error
      }
      // What came from the store is a hit for everyone.
      const metadata: ResponseMetadata = { ...started.metadata, cache: started.metadata.cache ?? cache }
      if (started.type === 'json') {
        leave()
        return { type: 'json', body: structuredClone(started.body), metadata }
      }
      return { type: 'stream', events: leavable(follow(started, metadata, signal), leave), metadata }
    },
  }
}

// A generator that was never begun does not run its `finally`.
function leavable(source: AsyncGenerator<JsonObject>, leave: () => void): AsyncIterableIterator<JsonObject> {
  let isBegun = false
  return {
    next: () => {
      isBegun = true
      return source.next()
    },
    return: () => {
      if (!isBegun) leave()
      isBegun = true
      return source.return(undefined)
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
