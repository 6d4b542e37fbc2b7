import { ConfigurationError, isBedrockError } from '../errors.ts'
import type { RetryOptions } from '../types.ts'

/** {@link RetryOptions} with all defaults. */
export interface RetryPolicy {
  readonly attempts: number
  readonly baseDelay: number
  readonly maxDelay: number
  readonly retryIf: NonNullable<RetryOptions['retryIf']>
}

/** @throws ConfigurationError for invalid numbers. */
export function createRetryPolicy(options: RetryOptions | false = {}): RetryPolicy {
  const { attempts = 3, baseDelay = 500, maxDelay = 20_000, retryIf = isRetryable } = options || { attempts: 1 }
  if (!Number.isInteger(attempts) || attempts < 1)
    throw new ConfigurationError('retry.attempts must be a whole number, 1 or more')
  if (!(baseDelay >= 0 && maxDelay >= 0))
    throw new ConfigurationError('retry.baseDelay and retry.maxDelay must be 0 or more')
  if (typeof retryIf !== 'function') throw new ConfigurationError('retry.retryIf must be a function')
  return { attempts, baseDelay, maxDelay, retryIf }
}

/** Merges a call's retry options over the client's. */
export function mergeRetry(
  client: RetryOptions | false | undefined,
  own: RetryOptions | false | undefined,
): RetryOptions | false | undefined {
  return own === undefined ? client : own && { ...(client || undefined), ...own }
}

const isRetryable: RetryPolicy['retryIf'] = (error) => error.retryable === true

/**
 * Returns the delay before the next attempt, in milliseconds; `undefined` if there should be none.
 *
 * Uses full jitter, which finishes contended work soonest.
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

/** The remaining retries of all calls of a client, so that an outage does not multiply the load. */
export interface RetryBudget {
  /** Takes the cost of a retry after `error`; returns `undefined` if too little is left. */
  take(error: Error): number | undefined
  /** Returns the cost of the last retry when a call succeeds. */
  give(cost: number | undefined): void
}

// The AWS SDKs' numbers since 2026.
const throttlingCost = 5
const failureCost = 14

/**
 * Creates a client's retry budget.
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
