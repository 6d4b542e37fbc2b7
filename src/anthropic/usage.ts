import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject } from '../core/types.ts'

/**
 * A message, or the event that ends one, with the figures of `usage` that clients read without asking whether they are
 * there: Bedrock leaves them out where a guardrail answers in the model's place.
 */
export function withUsage(holder: JsonObject, known: Readonly<Record<string, number>>): JsonObject {
  const usage = isJsonObject(holder.usage) ? holder.usage : {}
  const missing = Object.entries(known).filter(([name]) => typeof usage[name] !== 'number')
  return missing.length > 0 || usage !== holder.usage
    ? { ...holder, usage: { ...usage, ...Object.fromEntries(missing) } }
    : holder
}
