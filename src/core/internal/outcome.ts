import { isBedrockError } from '../errors.ts'
import type { ResponseMetadata } from '../types.ts'

/** Names a failure: AWS's type, else the error's code, else the name of the reason that the caller aborted with. */
export function failureName(error: unknown): string {
  if (!isBedrockError(error)) return error instanceof Error ? error.name : 'aborted'
  return ('type' in error && error.type) || error.code
}

/** Describes the outcome of a call or an attempt for a log line: ` name=value` for each known value. */
export function describeOutcome(error: unknown, metadata?: ResponseMetadata, ms?: number): string {
  const known: Partial<ResponseMetadata> = { ...metadata, ...(isBedrockError(error) && (error as object)) }
  const { status, attempts, usage, requestId } = known
  const facts = { status, error: error && failureName(error), attempts, ms, ...usage, requestId }
  return Object.entries(facts)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}=${value}`))
    .join('')
}
