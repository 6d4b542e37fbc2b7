import type { BedrockError } from '../core/errors.ts'
import { isOfKind } from '../core/internal/error-kinds.ts'
import { type HintContext, hintTable } from './table.ts'

/** Returns the hint for an error of the service, or for an exception in a stream; `undefined` if there is none. */
export function hintFor(error: BedrockError, context: HintContext): string | undefined {
  const [id, , hint] = hintTable.find(([, kind]) => isOfKind(error, kind)) ?? []
  if (!hint) return undefined
  const text =
    typeof hint === 'string'
      ? hint.replace(/\{(\w+)\}/g, (_, name) => String(context[name as keyof HintContext]))
      : hint(context, error.message)
  return `${text} More: docs/troubleshooting.md#${id}`
}
