import { setNewest } from '../core/internal/set-newest.ts'
import type { FailoverCause } from '../core/types.ts'
import type { Destination } from './destinations.ts'

/** The state of destinations and conversations. */
export interface Health {
  /** Returns until when a destination rests, in milliseconds since the epoch; in the past if it does not. */
  restsUntil(destination: Destination): number
  succeeded(destination: Destination): void
  /** Returns whether the destination rests from now on, for all calls. */
  failed(destination: Destination, cause: FailoverCause, retryAfter: number | undefined, now: number): boolean
  /** Tests whether any conversation is away from its first choice. */
  hasMoved(now: number): boolean
  /** Returns where a conversation has moved; `undefined` if it is at its first choice. */
  placeOf(conversation: string, now: number): string | undefined
  move(conversation: string, destination: Destination, until: number): void
  moveBack(conversation: string): void
}

// Names of models and conversations may come from outside, so their number is limited.
const maxDestinations = 1000
const maxConversations = 10_000
// A header may name any wait.
const maxCooldown = 3_600_000
const maxRefusals = 3

/** @param cooldown - how long a destination rests after a failure, in milliseconds */
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
        setNewest(spent, quota, now + maxCooldown, maxDestinations)
        return true
      }
      // One throttled call moves one conversation: if all moved, each would write a new cache, and together they would
      // throttle the next target.
      const inRow = cause === 'throttled' ? (refusals.get(key) ?? 0) + 1 : maxRefusals
      setNewest(refusals, key, inRow, maxDestinations)
      const wait = Math.max(Math.min(retryAfter, maxCooldown), inRow >= maxRefusals ? cooldown : 0)
      if (wait > 0) setNewest(resting, key, now + wait, maxDestinations)
      return wait > 0
    },
    placeOf(conversation, now) {
      const place = moved.get(conversation)
      return place && place.until > now ? place.key : undefined
    },
    hasMoved(now) {
      for (const [conversation, { until }] of moved) {
        if (until > now) return true
        moved.delete(conversation)
      }
      return false
    },
    move: (conversation, { key }, until) => setNewest(moved, conversation, { key, until }, maxConversations),
    moveBack: (conversation) => void moved.delete(conversation),
  }
}
