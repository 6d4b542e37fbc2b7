import { RefusedRequest } from '../anthropic/errors.ts'
import { estimateTokens } from '../core/internal/estimate-tokens.ts'
import type { JsonObject, TokenUsage } from '../core/types.ts'
import { createFallbackStore } from '../limits/fallback-store.ts'
import type { LimitTicket } from '../limits/store.ts'
import { costOf } from '../usage/cost.ts'
import type { Caller } from './caller.ts'
import type { RequestContext } from './request-context.ts'
import type { ResolvedOptions } from './options.ts'
import { createSpendLedger } from './spend-ledger.ts'

/** The limits of callers. */
export interface CallerBudget {
  /**
   * Reserves the probable cost of a call.
   *
   * @throws RefusedRequest with status 429 if the caller has nothing left
   */
  reserve(context: RequestContext, body: JsonObject): Promise<void>
  /** Replaces the reservation with the actual cost. Never rejects. */
  settle(context: RequestContext): Promise<void>
  /** Returns the spending today of a caller with a daily limit, in the currency of the prices. */
  spentToday(id: string): number | undefined
}

/** The reservation of a call. */
interface Reservation {
  readonly ticket?: LimitTicket | undefined
  readonly spend?: { readonly day: string; readonly amount: number } | undefined
}

const minute = 60_000
// When an unsettled reservation counts as used, in milliseconds, because its process is gone.
const lease = 10 * minute
// Few calls use all of the output that they allow. Those that use more than this are charged when they end.
const usualOutput = 4_096

/** Creates a {@link CallerBudget}. */
export function createCallerBudget(options: ResolvedOptions): CallerBudget {
  const { clock, instances, limitStore, logger, spendStore, storeFailure } = options
  const tokens = createFallbackStore({ store: limitStore, instances, storeTimeout: 1_000 })
  const spend = createSpendLedger({
    store: spendStore,
    isOpenOnFailure: storeFailure === 'allow',
    clock,
    logger,
  })
  const reservations = new WeakMap<RequestContext, Reservation>()
  const today = (): string => new Date(clock.now()).toISOString().slice(0, 10)

  const reserveTokens = async ({ id, limits }: Caller, expected: number): Promise<LimitTicket | undefined> => {
    const limit = limits?.tokensPerMinute
    if (limit === undefined) return undefined
    const rule = { limit, window: minute, burst: minute }
    const charge = { key: `gateway/${id}`, rule, hold: expected }
    const result = await tokens.reserve([charge], lease, { clock, logger })
    if (result.granted) return result.ticket
    throw new RefusedRequest(429, `This key has used its ${limit} tokens per minute`, {
      shouldRetry: true,
      retryAfter: Math.min(result.wait, 10 * minute),
    })
  }

  const reserveSpend = async (
    { id, limits }: Caller,
    { prices, model }: RequestContext,
    usage: TokenUsage,
  ): Promise<Reservation['spend']> => {
    const limit = limits?.spendPerDay
    if (limit === undefined) return undefined
    if (!prices) throw new RefusedRequest(403, `This key has a spend limit, and the gateway has no price for ${model}`)
    const day = today()
    const amount = millionths(costOf(usage, prices))
    const sum = await spend.reserve(id, day, amount).catch(() => {
      throw new RefusedRequest(529, "The gateway cannot determine this key's spending", {
        shouldRetry: true,
        retryAfter: 5_000,
      })
    })
    if (sum - amount < millionths(limit)) return { day, amount }
    await spend.settle(id, day, -amount)
    // Without retry-after, because clients wait for a limit per minute, but not for a daily one.
    throw new RefusedRequest(429, `This key has reached its spend limit of ${limit} for today (UTC)`)
  }

  return {
    async reserve(context, body) {
      const { caller } = context
      if (!caller?.limits) return
      const usage = likelyUsage(body)
      const ticket = await reserveTokens(caller, countedTokens(usage))
      try {
        reservations.set(context, { ticket, spend: await reserveSpend(caller, context, usage) })
      } catch (error) {
        if (ticket) await tokens.settle(ticket, [{ used: 0 }], { clock, logger })
        throw error
      }
    },
    async settle(context) {
      const { ticket, spend: spent } = reservations.get(context) ?? {}
      reservations.delete(context)
      const id = context.caller?.id ?? ''
      if (ticket) await tokens.settle(ticket, [{ used: countedTokens(context.usage()) }], { clock, logger })
      const difference = spent ? millionths(context.cost ?? 0) - spent.amount : 0
      if (spent && difference !== 0) await spend.settle(id, spent.day, difference)
    },
    spentToday(id) {
      const sum = spend.known(id, today())
      return sum === undefined ? undefined : sum / 1_000_000
    },
  }
}

function likelyUsage(body: JsonObject): TokenUsage {
  const { max_tokens: allowed } = body
  const outputTokens = Math.min(usualOutput, typeof allowed === 'number' && allowed >= 0 ? allowed : usualOutput)
  return { inputTokens: likelyInput(body), outputTokens }
}

// A body that is too deeply nested to process is rejected later, by Bedrock or on the way.
function likelyInput(body: JsonObject): number {
  try {
    return Math.max(1, estimateTokens(body))
  } catch {
    return 1
  }
}

/** Counts tokens without cache reads, like Bedrock's own quotas. */
function countedTokens({ inputTokens = 0, outputTokens = 0, cacheWriteInputTokens = 0 }: TokenUsage): number {
  return inputTokens + outputTokens + cacheWriteInputTokens
}

function millionths(amount: number): number {
  return Math.round(amount * 1_000_000)
}
