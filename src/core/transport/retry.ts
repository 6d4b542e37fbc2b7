import { ConfigurationError, isBedrockError } from '../errors.ts'
import type { RetryOptions } from '../types.ts'

/** {@link RetryOptions} with every blank filled in. */
export interface RetryPolicy {
  readonly attempts: number
  readonly baseDelay: number
  readonly maxDelay: number
  readonly retryIf: NonNullable<RetryOptions['retryIf']>
}

/** @throws ConfigurationError for numbers that make no sense. */
export function createRetryPolicy(options: RetryOptions | false = {}): RetryPolicy {
  const { attempts = 3, baseDelay = 500, maxDelay = 20_000, retryIf = isRetryable } = options || { attempts: 1 }
  if (!Number.isInteger(attempts) || attempts < 1)
    throw new ConfigurationError('retry.attempts must be a whole number, 1 or more')
  if (!(baseDelay >= 0 && maxDelay >= 0))
    throw new ConfigurationError('retry.baseDelay and retry.maxDelay must be 0 or more')
  if (typeof retryIf !== 'function') throw new ConfigurationError('retry.retryIf must be a function')
  return { attempts, baseDelay, maxDelay, retryIf }
}

/** A call's own retries over the client's. */
export function mergeRetry(
  client: RetryOptions | false | undefined,
  own: RetryOptions | false | undefined,
): RetryOptions | false | undefined {
  return own === undefined ? client : own && { ...(client || undefined), ...own }
}

const isRetryable: RetryPolicy['retryIf'] = (error) => error.retryable === true

/**
 * How long to wait before the next attempt, in milliseconds; `undefined` when there should be none.
 *
 * Full jitter: of the ways to spread retries, the one that finishes contended work soonest.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function retryDelay(
  error: Error & { readonly retryAfter?: number },
  attempt: number,
  { attempts, baseDelay, maxDelay, retryIf }: RetryPolicy,
  random: () => number,
): number | undefined {
  if (attempt >= attempts || !retryIf(error, attempt)) return undefined
  const { retryAfter = 0 } = error
  if (retryAfter > maxDelay) return undefined
  return Math.max(retryAfter, random() * Math.min(maxDelay, baseDelay * 2 ** (attempt - 1)))
}

/** How many retries all calls of a client may still make, so that an outage is not multiplied by them. */
export interface RetryBudget {
  /** Takes what a retry costs, as it is made because of `error`; `undefined` where too little is left. */
  take(error: Error): number | undefined
  /** Gives back, when a call succeeds, what its last retry cost. */
  give(cost: number | undefined): void
}

// The numbers of the AWS SDKs since 2026.
const throttlingCost = 5
const failureCost = 14

/**
 * Makes the budget of a client.
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
export function createRetryBudget(size = 500): RetryBudget {
  if (!(size >= 0)) throw new ConfigurationError('retryBudget must be 0 or more')
  let left = size
  return {
    take(error) {
      const cost = isBedrockError(error, 'service') && error.status === 429 ? throttlingCost : failureCost
      if (cost > left) return undefined
      left -= cost
      return cost
    },
    give(cost = 1) {
      left = Math.min(size, left + cost)
    },
  }
}
