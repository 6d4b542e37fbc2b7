import { raceSignal } from '../core/internal/signal.ts'
import { isIoBoundToRequest } from '../core/internal/single-flight.ts'
import type { Clock } from '../core/types.ts'

/** A call that waits for its turn. */
export interface Waiter {
  /** Higher goes first. */
  readonly priority: number
  /** What it will probably take, in units of the budget. */
  readonly expected: number
}

/** How a call waits. */
export interface WaitOptions {
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  /** When the wait ends in vain, in milliseconds since the epoch. */
  readonly deadline: number
  /** Makes the error of a wait that ends in vain; given how long it would go on, in milliseconds. */
  readonly expired: (wait: number) => Error
}

/** What a call has learned by trying: the result, or in how many milliseconds it is worth trying again. */
export type Turn<T> = { readonly done: T } | { readonly wait: number }

/** The calls that wait for one budget: those of higher priority first, then the oldest. */
export interface LimitQueue {
  readonly size: number
  /** What those in front of a call of this priority will take. */
  ahead(priority: number): number
  /** Lets the first call try: there may be more to be had. */
  wake(): void
  /**
   * Waits until `attempt` is done. Only the first in the queue tries: when its wait is over, or when it is woken. What
   * `attempt` throws ends the wait.
   */
  wait<T>(waiter: Waiter, attempt: () => Promise<Turn<T>>, options: WaitOptions): Promise<T>
}

interface Place extends Waiter {
  readonly order: number
  /** When it looks again, at the latest. One whose request has ended, on Cloudflare Workers, never does. */
  due: number
  isWoken: boolean
  wake: () => void
}

// How often a call looks whether it is its turn, in milliseconds, where another request cannot wake it.
const poll = 200
// How late a call may be, in milliseconds, before it is taken for lost.
const grace = 2_000

/** Makes an empty queue. */
export function createLimitQueue(): LimitQueue {
  const places: Place[] = []
  let count = 0
  const isBefore = (a: Place, b: Place): boolean =>
    a.priority === b.priority ? a.order < b.order : a.priority > b.priority
  const enter = (waiter: Waiter, now: number): Place => {
    const place: Place = { ...waiter, order: count++, due: now, isWoken: false, wake: () => {} }
    const at = places.findIndex((other) => isBefore(place, other))
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
  /** Whether it is the turn of this place: of those before it, none may be left but lost ones. */
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
