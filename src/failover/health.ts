import type { FailoverCause } from '../core/types.ts'
import type { Destination } from './destinations.ts'

/** What is known of how destinations and conversations fare. */
export interface Health {
  /** Until when a destination is passed over, in milliseconds since the epoch; 0 where it is not. */
  restsUntil(destination: Destination): number
  succeeded(destination: Destination): void
  /** Gives whether everybody passes the destination over from now on. */
  failed(destination: Destination, cause: FailoverCause, retryAfter: number | undefined, now: number): boolean
  /** Where a conversation has moved to; `undefined` where it is at its first choice. */
  placeOf(conversation: string, now: number): string | undefined
  /** Notes where a conversation is: until `until` it stays there. Without a destination it is at its first choice. */
  place(conversation: string, destination?: Destination, until?: number): void
}

// Names of models and conversations come from outside, so what is remembered of them is bounded.
const maxDestinations = 1000
const maxConversations = 10_000
// A header may ask for any wait.
const maxCooldown = 3_600_000
const maxRefusals = 3

/** @param cooldown - how long a destination that fails is passed over, in milliseconds */
export function createHealth(cooldown: number): Health {
  const refusals = new Map<string, number>()
  const resting = new Map<string, number>()
  const spent = new Map<string, number>()
  const moved = new Map<string, { readonly key: string; readonly until: number }>()
  return {
    restsUntil: ({ key, quota }) => Math.max(resting.get(key) ?? 0, spent.get(quota) ?? 0),
    succeeded({ key, quota }) {
      for (const known of [refusals, resting]) known.delete(key)
      spent.delete(quota)
    },
    failed({ key, quota }, cause, retryAfter = 0, now) {
      if (cause === 'daily-quota') {
        remember(spent, quota, now + maxCooldown, maxDestinations)
        return true
      }
      // A throttled call does not mean that all are: if every conversation left, each would pay for a new cache, and
      // throttle the next target.
      const inRow = cause === 'throttled' ? (refusals.get(key) ?? 0) + 1 : maxRefusals
      remember(refusals, key, inRow, maxDestinations)
      const wait = Math.max(Math.min(retryAfter, maxCooldown), inRow >= maxRefusals ? cooldown : 0)
      if (wait > 0) remember(resting, key, now + wait, maxDestinations)
      return wait > 0
    },
    placeOf(conversation, now) {
      const place = moved.get(conversation)
      return place && place.until > now ? place.key : undefined
    },
    place(conversation, destination, until = 0) {
      if (destination) remember(moved, conversation, { key: destination.key, until }, maxConversations)
      else moved.delete(conversation)
    },
  }
}

/** Keeps the newest entries of a map. */
function remember<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key)
  map.set(key, value)
  for (const oldest of map.size > most ? map.keys() : []) {
    map.delete(oldest)
    break
  }
}
