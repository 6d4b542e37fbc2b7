import { encodeJson, isJsonObject } from '../core/internal/json.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'

/**
 * Copies a body as serializing and parsing it would, but faster: text, which is most of a body, needs no copy.
 *
 * @throws ConfigurationError for values that JSON cannot represent
 */
export function snapshotOf(body: JsonObject): JsonObject {
  const copy = isJsonObject(body) ? copyOf(body, 0) : undefined
  return (copy ?? JSON.parse(encodeJson(body))) as JsonObject
}

// Deeper than conversations are.
const maxDepth = 100

/** Copies JSON; `undefined` for anything that JSON would convert or reject. */
function copyOf(value: unknown, depth: number): JsonValue | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'object' || depth === maxDepth || 'toJSON' in value) return undefined
  if (Array.isArray(value)) {
    const copy: JsonValue[] = []
    for (const item of value) {
      const copied = copyOf(item, depth + 1)
      if (copied === undefined) return undefined
      copy.push(copied)
    }
    return copy
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined
  const copy: JsonObject = {}
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue
    const copied = copyOf(member, depth + 1)
    // Assigning to this name would set the prototype.
    if (copied === undefined || name === '__proto__') return undefined
    copy[name] = copied
  }
  return copy
}
