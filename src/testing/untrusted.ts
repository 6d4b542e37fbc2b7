import { parseJsonObject } from '../core/internal/json.ts'
import type { JsonObject } from '../core/types.ts'

// The fake must answer any input of a program under test, and never throw.

/** The maximum nesting of a body, because copying, hashing and printing it are recursive. */
const maxDepth = 1000

/** Parses a body; `undefined` if it is not a JSON object or is nested too deeply. */
export function parseBody(text: string): JsonObject | undefined {
  const body = parseJsonObject(text)
  return body && !isTooDeep(body) ? body : undefined
}

function isTooDeep(body: JsonObject): boolean {
  let level: object[] = [body]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === maxDepth) return true
    level = level
      .flatMap((value) => Object.values(value))
      .filter((value) => typeof value === 'object' && value !== null)
  }
  return false
}

/** Decodes a path segment; invalid percent-encoding stays as it is. */
export function decodePathSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** Returns a record's own value, because an untrusted name may be `constructor`. */
export function ownValue<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined
}

/** Returns a string as it is, and an empty string for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
