import { raceSignal } from '../core/internal/signal.ts'
import { isIoBoundToRequest } from '../core/internal/single-flight.ts'
import type { Clock } from '../core/types.ts'

/** A waiting call. */
export interface Waiter {
  /** Higher goes first. */
  readonly priority: number
  /** Its probable cost, in units of the budget. */
  readonly expected: number
}

/** Options of a wait. */
export interface WaitOptions {
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  /** When the wait fails, in milliseconds since the epoch. */
  readonly deadline: number
  /** Creates the error for a wait that fails, from the remaining wait in milliseconds. */
  readonly expired: (wait: number) => Error
}

/** The outcome of an attempt: the result, or the milliseconds after which to try again. */
export type Turn<T> = { readonly done: T } | { readonly wait: number }

/** The calls that wait for one budget, by priority, then by age. */
export interface LimitQueue {
  readonly size: number
  /** Returns the probable cost of the calls ahead of this priority. */
  ahead(priority: number): number
  /** Lets the first call try, because more may be available. */
  wake(): void
  /**
   * Waits until `attempt` is done. Only the first in the queue tries: when its wait is over, or when it is woken. If
   * `attempt` throws, the wait ends with that error.
   */
  wait<T>(waiter: Waiter, attempt: () => Promise<Turn<T>>, options: WaitOptions): Promise<T>
}

interface Place extends Waiter {
  /** When it tries again, at the latest. On Cloudflare Workers, a call whose request has ended never does. */
  due: number
  isWoken: boolean
  wake: () => void
}

// How often a call checks whether it is first, in milliseconds, on platforms where another request cannot wake it.
const poll = 200
// How late a call may be, in milliseconds, before it counts as lost.
const grace = 2_000

/** Creates an empty queue. */
export function createLimitQueue(): LimitQueue {
  const places: Place[] = []
  const enter = (waiter: Waiter, now: number): Place => {
    const place: Place = { ...waiter, due: now, isWoken: false, wake: () => {} }
    const at = places.findIndex(({ priority }) => priority < place.priority)
    places.splice(at < 0 ? places.length : at, 0, place)
    return place
  }
  const wake = (): void => {
    const [first] = places
    if (!first) return
    first.isWoken = true
    first.wake()
  }
  const leave = (place: Place): void => {
    const at = places.indexOf(place)
    if (at >= 0) places.splice(at, 1)
    if (at === 0) wake()
  }
  /** Tests whether a call is first: only lost calls may be ahead of it. */
  const isFirst = (place: Place, now: number): boolean => {
    while (places[0] && places[0] !== place && places[0].due + grace < now) places.shift()
    return places[0] === place || !places.includes(place)
  }

  return {
    get size() {
      return places.length
    },
    ahead: (priority) => places.reduce((sum, place) => (place.priority >= priority ? sum + place.expected : sum), 0),
    wake,
    async wait(waiter, attempt, { clock, signal, deadline, expired }) {
      const place = enter(waiter, clock.now())
      try {
        for (;;) {
          let delay = deadline - clock.now()
          if (isFirst(place, clock.now())) {
            place.isWoken = false
            place.due = clock.now() + grace
            const turn = await attempt()
            if ('done' in turn) return turn.done
            delay = turn.wait
            if (clock.now() + delay > deadline) throw expired(delay)
          } else if (delay <= 0) {
            throw expired(poll)
          }
          if (!place.isWoken) await pause(place, delay, clock, signal)
          place.isWoken &&= isFirst(place, clock.now())
        }
      } finally {
        leave(place)
      }
    },
  }
}

async function pause(place: Place, delay: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  const isAlone = isIoBoundToRequest()
  const milliseconds = isAlone ? Math.min(delay, poll) : delay
  place.due = clock.now() + milliseconds
  let handle: unknown
  try {
    await raceSignal(
      new Promise<void>((resolve) => {
        handle = clock.setTimeout(resolve, milliseconds)
        if (!isAlone) place.wake = resolve
      }),
      signal,
    )
  } finally {
    place.wake = () => {}
    clock.clearTimeout(handle)
  }
}
