import { redactError } from '../core/internal/redact.ts'
import { within } from '../core/internal/within.ts'
import type { Clock, Logger } from '../core/types.ts'
import { memoryLimitStore } from './memory-store.ts'
import type { BudgetState, Charge, LimitStore, LimitTicket, ReserveResult, Settlement } from './store.ts'

/** The context of a store operation. */
export interface StoreContext {
  readonly clock: Clock
  readonly logger: Logger
}

/** A shared store that falls back to this process's share of the budgets while it is unavailable. */
export interface FallbackStore {
  /** `memory`: no store is shared. `share`: it is unavailable, and this process keeps to its share. */
  readonly mode: 'memory' | 'shared' | 'share'
  /** The number of processes that share the budgets, as far as known. */
  readonly sharers: number
  reserve(charges: readonly Charge[], lease: number, context: StoreContext): Promise<ReserveResult>
  /** Never rejects: a reservation that cannot be settled counts as expected when its lease ends. */
  settle(
    ticket: LimitTicket,
    outcomes: readonly Settlement[],
    context: StoreContext,
  ): Promise<readonly BudgetState[] | undefined>
}

/** Options of {@link createFallbackStore}. */
export interface FallbackStoreOptions {
  readonly store: LimitStore | undefined
  readonly instances: number | undefined
  /** In milliseconds. */
  readonly storeTimeout: number
}

// How long to wait before trying a failed store again, in milliseconds.
const retryAfter = 5_000

export function createFallbackStore({ store, instances, storeTimeout }: FallbackStoreOptions): FallbackStore {
  const local = memoryLimitStore()
  const localTickets = new WeakSet<LimitTicket>()
  const learned = new Map<string, number>()
  let seen = 1
  let isAway = false
  let retryAt = 0
  const sharers = (): number => Math.max(1, instances ?? seen)

  const away = ({ clock, logger }: StoreContext, error: unknown): void => {
    retryAt = clock.now() + retryAfter
    if (isAway) return
    isAway = true
    const share = `1/${sharers()} of each limit`
    logger.warn(`limits: the store is unavailable; this process keeps to ${share} until it is back`, redactError(error))
  }
  const back = ({ logger }: StoreContext): void => {
    if (!isAway) return
    isAway = false
    logger.info('limits: the store is back')
  }
  const ask = async <T>(context: StoreContext, work: (store: LimitStore) => Promise<T>): Promise<T | undefined> => {
    const now = context.clock.now()
    if (!store || (isAway && now < retryAt)) return undefined
    // While it is unavailable, one call at a time tries it again.
    if (isAway) retryAt = now + retryAfter
    try {
      const result = await withinStoreTimeout(storeTimeout, context.clock, work(store))
      back(context)
      return result
    } catch (error) {
      away(context, error)
      return undefined
    }
  }
  const shareOf = (charge: Charge): Charge => {
    const { limit, concurrency } = charge.rule
    const known = Math.min(limit ?? Number.POSITIVE_INFINITY, learned.get(charge.key) ?? Number.POSITIVE_INFINITY)
    const count = sharers()
    return {
      ...charge,
      rule: {
        ...charge.rule,
        ...(known < Number.POSITIVE_INFINITY && { limit: known / count }),
        ...(concurrency !== undefined && { concurrency: Math.max(1, Math.floor(concurrency / count)) }),
      },
    }
  }

  return {
    get mode() {
      return !store ? 'memory' : isAway ? 'share' : 'shared'
    },
    get sharers() {
      return sharers()
    },
    async reserve(charges, lease, context) {
      const now = context.clock.now()
      const shared = await ask(context, (store) => store.reserve(charges, { now, lease }))
      if (shared) {
        seen = shared.sharers
        charges.forEach(({ key }, i) => {
          const limit = shared.states[i]?.learned
          if (limit === undefined) learned.delete(key)
          else learned.set(key, limit)
        })
        return shared
      }
      const result = await local.reserve(charges.map(shareOf), { now: context.clock.now(), lease })
      if (result.granted) localTickets.add(result.ticket)
      return result
    },
    settle(ticket, outcomes, context) {
      const options = { now: context.clock.now() }
      return localTickets.has(ticket)
        ? local.settle(ticket, outcomes, options)
        : ask(context, (store) => store.settle(ticket, outcomes, options))
    },
  }
}

/** Waits for a store, but not for as long as a Redis client queues commands while it is disconnected. */
export async function withinStoreTimeout<T>(milliseconds: number, clock: Clock, work: Promise<T>): Promise<T> {
  return within(work, milliseconds, clock, () => new Error(`The store did not answer within ${milliseconds} ms`))
}
