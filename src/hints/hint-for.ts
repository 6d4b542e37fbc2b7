import type { BedrockError } from '../core/errors.ts'
import { type HintContext, hintTable } from './table.ts'

/** What to do about an answer of the service, or about an exception in a stream; `undefined` where nobody knows. */
export function hintFor(error: BedrockError, context: HintContext): string | undefined {
  const { status, type } = error as { status?: number; type?: string }
  for (const row of hintTable) {
    if (row.status !== undefined && row.status !== status) continue
    if (row.type && !row.type.test(type ?? '')) continue
    const found = row.message ? row.message.exec(error.message) : undefined
    if (found === null) continue
    return `${row.hint(context, found)} More: docs/troubleshooting.md#${row.id}`
  }
  return undefined
}
