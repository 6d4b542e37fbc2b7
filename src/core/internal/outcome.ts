import { isBedrockError } from '../errors.ts'
import type { ResponseMetadata } from '../types.ts'

/** What a failure is called, in few words: AWS's type, else our code, else the name of the caller's own reason to abort. */
export function failureName(error: unknown): string {
  if (!isBedrockError(error)) return error instanceof Error ? error.name : 'aborted'
  return ('type' in error && error.type) || error.code
}

/** What a call or an attempt came to, for a line of the log: ` name=value` for each value that is known. */
export function describeOutcome(error: unknown, metadata?: ResponseMetadata, ms?: number): string {
  const known: Partial<ResponseMetadata> = { ...metadata, ...(isBedrockError(error) && (error as object)) }
  const { status, attempts, usage, requestId } = known
  const facts = { status, error: error && failureName(error), attempts, ms, ...usage, requestId }
  return Object.entries(facts)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}=${value}`))
    .join('')
}
