import type { BedrockError } from '../core/errors.ts'
import { isOfKind } from '../core/internal/error-kinds.ts'
import { type HintContext, hintTable } from './table.ts'

/** Returns the hint for an error of the service, or for an exception in a stream; `undefined` if there is none. */
export function hintFor(error: BedrockError, context: HintContext): string | undefined {
  const row = hintTable.find(({ kind }) => isOfKind(error, kind))
  return row && `${row.hint(context, error.message)} More: docs/troubleshooting.md#${row.id}`
}
