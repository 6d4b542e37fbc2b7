import { ConfigurationError } from '../errors.ts'
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
  return { attempts, baseDelay, maxDelay, retryIf }
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
