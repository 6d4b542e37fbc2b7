import { redactError } from '../core/internal/redact.ts'
import { setNewest } from '../core/internal/set-newest.ts'
import type { Clock, Logger } from '../core/types.ts'
import { withinStoreTimeout } from '../limits/fallback-store.ts'
import type { SpendStore } from './spend-store.ts'

/** Tracks spending by caller and day. */
export interface SpendLedger {
  /**
   * Reserves an amount. Resolves to a caller's total for the day, including it: of all processes, or, while the store
   * is unavailable, as far as this process knows.
   *
   * @throws the store's error, if the ledger must not continue without it
   */
  reserve(id: string, day: string, amount: number): Promise<number>
  /** Adds the difference between a call's actual cost and its reservation. Never rejects. */
  settle(id: string, day: string, difference: number): Promise<void>
  /** Returns the last known total. */
  known(id: string, day: string): number | undefined
}

/** Options of {@link createSpendLedger}. */
export interface SpendLedgerOptions {
  readonly store: SpendStore
  /** Whether to continue with what this process knows while the store is unavailable. */
  readonly isOpenOnFailure: boolean
  readonly clock: Clock
  readonly logger: Logger
}

// A day, plus calls that end on the next one.
const ttl = 2 * 86_400_000
// The timeout of the store, and how long to wait after a failure before trying it again, in milliseconds.
const storeTimeout = 1_000
const pauseAfterFailure = 5_000
const maxKnown = 10_000

/** Creates a {@link SpendLedger}. Updates that fail are sent to the store when it is back. */
export function createSpendLedger({ store, isOpenOnFailure, clock, logger }: SpendLedgerOptions): SpendLedger {
  // The oldest day is first.
  const sums = new Map<string, number>()
  const pending = new Map<string, number>()
  let retryAt = Number.NEGATIVE_INFINITY
  let isAway = false

  const remember = (key: string, sum: number): number => {
    setNewest(sums, key, sum, maxKnown)
    return sum
  }

  const update = async (key: string, amount: number): Promise<number> => {
    if (isAway && clock.now() < retryAt) throw new Error('The store for spend limits is unavailable')
    // While it is unavailable, one call at a time tries it again.
    if (isAway) retryAt = clock.now() + pauseAfterFailure
    const owed = pending.get(key) ?? 0
    pending.delete(key)
    try {
      const sum = await withinStoreTimeout(storeTimeout, clock, store.add(key, amount + owed, { ttl }))
      if (isAway) logger.info('gateway: the store for spend limits is back')
      isAway = false
      return sum
    } catch (error) {
      if (owed !== 0) pending.set(key, (pending.get(key) ?? 0) + owed)
      if (!isAway) logger.error('gateway: the store for spend limits is unavailable', redactError(error))
      isAway = true
      retryAt = clock.now() + pauseAfterFailure
      throw error
    }
  }

  const keep = (key: string, amount: number): number => {
    pending.set(key, (pending.get(key) ?? 0) + amount)
    return remember(key, (sums.get(key) ?? 0) + amount)
  }

  return {
    async reserve(id, day, amount) {
      const key = keyOf(id, day)
      try {
        return remember(key, await update(key, amount))
      } catch (error) {
        if (!isOpenOnFailure) throw error
        return keep(key, amount)
      }
    },
    async settle(id, day, difference) {
      const key = keyOf(id, day)
      try {
        remember(key, await update(key, difference))
      } catch {
        keep(key, difference)
      }
    },
    known: (id, day) => sums.get(keyOf(id, day)),
  }
}

function keyOf(id: string, day: string): string {
  return `${day}/${id}`
}
