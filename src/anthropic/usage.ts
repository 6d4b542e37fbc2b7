import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject } from '../core/types.ts'

/**
 * Adds to a message, or to the event that ends one, the `usage` fields that clients read without checking. Bedrock
 * leaves them out if a guardrail answers instead of the model.
 */
export function withUsage(holder: JsonObject, known: Readonly<Record<string, number>>): JsonObject {
  const usage = isJsonObject(holder.usage) ? holder.usage : {}
  const missing = Object.entries(known).filter(([name]) => typeof usage[name] !== 'number')
  return missing.length > 0 || usage !== holder.usage
    ? { ...holder, usage: { ...usage, ...Object.fromEntries(missing) } }
    : holder
}
