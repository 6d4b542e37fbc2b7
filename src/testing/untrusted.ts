import { parseJsonObject } from '../core/internal/json.ts'
import type { JsonObject } from '../core/types.ts'

// Whatever a program under test sends has to be answered, not thrown at.

/** How deep a body may be nested; what copies, hashes and prints it is recursive. */
const maxDepth = 1000

/** Parses a body; `undefined` for what is no JSON object, and for what is nested too deep. */
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

/** Decodes a part of a path; what is not percent-encoded right stays as it is. */
export function decodePathSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** A record's own value: a name from elsewhere may be `constructor`. */
export function ownValue<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined
}

/** A value as text where it is text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
