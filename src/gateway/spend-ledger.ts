import { redactError } from '../core/internal/redact.ts'
import type { Clock, Logger } from '../core/types.ts'
import type { SpendStore } from './spend-store.ts'

/** What was spent, by caller and day. */
export interface SpendLedger {
  /**
   * Sets an amount aside, and gives the sum of a caller's day with it: that of all processes, or what this process knows
   * of it while the store is away.
   *
   * @throws the store's error, where the ledger is not to go on without it
   */
  reserve(id: string, day: string, amount: number): Promise<number>
  /** Adds what a call came to beyond what was set aside, or takes away what it did not come to. Never rejects. */
  settle(id: string, day: string, difference: number): Promise<void>
  /** The sum as it was last seen. */
  known(id: string, day: string): number | undefined
}

/** What a {@link SpendLedger} needs. */
export interface SpendLedgerOptions {
  readonly store: SpendStore
  /** Whether to go on by what this process knows while the store is away. */
  readonly isOpenOnFailure: boolean
  readonly clock: Clock
  readonly logger: Logger
}

// A day and its calls that end on the next one.
const ttl = 2 * 86_400_000
// How long the store may take, and how long it is left alone when it failed, in milliseconds.
const storeTimeout = 1_000
const pauseAfterFailure = 5_000
const maxKnown = 10_000

/** Makes a {@link SpendLedger}. What could not be told to the store is told when it is back. */
export function createSpendLedger({ store, isOpenOnFailure, clock, logger }: SpendLedgerOptions): SpendLedger {
  // A Map keeps the order in which keys were set: the first are of the oldest day.
  const sums = new Map<string, number>()
  const untold = new Map<string, number>()
  let retryAt = Number.NEGATIVE_INFINITY
  let isAway = false

  const remember = (key: string, sum: number): number => {
    sums.delete(key)
    sums.set(key, sum)
    for (const oldest of sums.keys()) {
      if (sums.size <= maxKnown) break
      sums.delete(oldest)
    }
    return sum
  }

  const tell = async (key: string, amount: number): Promise<number> => {
    if (isAway && clock.now() < retryAt) throw new Error('The store for spend limits is away')
    // While it is away, one call at a time tries whether it is back.
    if (isAway) retryAt = clock.now() + pauseAfterFailure
    const owed = untold.get(key) ?? 0
    untold.delete(key)
    try {
      const sum = await within(storeTimeout, clock, store.add(key, amount + owed, { ttl }))
      if (isAway) logger.info('gateway: the store for spend limits is back')
      isAway = false
      return sum
    } catch (error) {
      if (owed !== 0) untold.set(key, (untold.get(key) ?? 0) + owed)
      if (!isAway) logger.error('gateway: the store for spend limits is away', redactError(error))
      isAway = true
      retryAt = clock.now() + pauseAfterFailure
      throw error
    }
  }

  const keep = (key: string, amount: number): number => {
    untold.set(key, (untold.get(key) ?? 0) + amount)
    return remember(key, (sums.get(key) ?? 0) + amount)
  }

  return {
    async reserve(id, day, amount) {
      const key = keyOf(id, day)
      try {
        return remember(key, await tell(key, amount))
      } catch (error) {
        if (!isOpenOnFailure) throw error
        return keep(key, amount)
      }
    },
    async settle(id, day, difference) {
      const key = keyOf(id, day)
      try {
        remember(key, await tell(key, difference))
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

/** A client of Redis may hold commands back for as long as the connection is gone. */
async function within<T>(milliseconds: number, clock: Clock, work: Promise<T>): Promise<T> {
  let handle: unknown
  const late = new Promise<never>((_, reject) => {
    handle = clock.setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clock.clearTimeout(handle)
  }
}
