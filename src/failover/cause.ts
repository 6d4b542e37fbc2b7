import { isBedrockError } from '../core/errors.ts'
import { dailyQuota, isOfKind } from '../core/internal/error-kinds.ts'
import type { FailoverCause } from '../core/types.ts'

/**
 * Returns why a call should go elsewhere after an error; `undefined` if it would fail there too, or was meant to fail.
 */
export function causeOf(error: unknown): FailoverCause | undefined {
  // `limits` after this middleware held the call back.
  if (isBedrockError(error, 'quota_exceeded')) return error.limit === 'day' ? 'daily-quota' : 'throttled'
  if (isBedrockError(error, 'service') && error.status === 429 && isOfKind(error, dailyQuota)) return 'daily-quota'
  if (!isBedrockError(error) || !('retryable' in error) || !error.retryable) return undefined
  if (error.code === 'timeout') return error.phase === 'connect' ? 'connection' : undefined
  // A stream that ended before its first event: later, the caller has it.
  if (error.code === 'connection' || error.code === 'stream_truncated') return 'connection'
  return causes.get('status' in error ? error.status : undefined)
}

const causes: ReadonlyMap<number | undefined, FailoverCause> = new Map([
  [429, 'throttled'],
  [502, 'unavailable'],
  [503, 'unavailable'],
  [504, 'unavailable'],
  [529, 'overloaded'],
])
