import { isBedrockError } from '../core/errors.ts'
import { dailyQuota, isOfKind } from '../core/internal/error-kinds.ts'
import type { FailoverCause } from '../core/types.ts'

/**
 * Why a call should go elsewhere after an error; `undefined` where it would fail the same way there, or was meant to fail.
 */
export function causeOf(error: unknown): FailoverCause | undefined {
  // What `limits` behind this holds back, it would hold back again.
  if (isBedrockError(error, 'quota_exceeded')) return error.limit === 'day' ? 'daily-quota' : 'throttled'
  if (isBedrockError(error, 'service') && error.status === 429 && isOfKind(error, dailyQuota)) return 'daily-quota'
  if (!isBedrockError(error) || !('retryable' in error) || !error.retryable) return undefined
  if (error.code === 'timeout') return error.phase === 'connect' ? 'connection' : undefined
  // A stream that ended before its first event; those that fail later are in the caller's hands.
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
