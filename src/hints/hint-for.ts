import type { BedrockError } from '../core/errors.ts'
import { isOfKind } from '../core/internal/error-kinds.ts'
import { type HintContext, hintTable } from './table.ts'

/** What to do about an answer of the service, or about an exception in a stream; `undefined` where nobody knows. */
export function hintFor(error: BedrockError, context: HintContext): string | undefined {
  const row = hintTable.find(({ kind }) => isOfKind(error, kind))
  return row && `${row.hint(context, error.message)} More: docs/troubleshooting.md#${row.id}`
}
