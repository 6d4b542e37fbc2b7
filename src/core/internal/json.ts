import { ConfigurationError } from '../errors.ts'
import type { JsonObject, JsonValue } from '../types.ts'

/** Tests whether a parsed JSON value is an object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Parses text; `undefined` if it is not JSON. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}

/** Parses text that should be a JSON object; `undefined` if it is not. */
export function parseJsonObject(text: string): JsonObject | undefined {
  const value = parseJson(text)
  return isJsonObject(value) ? value : undefined
}

/** Serializes a value for a header, which can contain only Latin-1. */
export function asciiJson(value: object): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

// Deeper than any conversation, and within every engine's stack.
const maxDepth = 500

/**
 * Serializes a body.
 *
 * @throws ConfigurationError for values that JSON cannot represent: `JSON.stringify` silently drops functions, and
 *   turns `NaN` into `null` and a `Map` into `{}`.
 */
export function encodeJson(body: JsonObject): string {
  if (!isJsonObject(body)) throw new ConfigurationError('The body must be a JSON object')
  if (!isJson(body, 0)) throw notJson(body)
  return JSON.stringify(body)
}

function isJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true
    case 'number':
      return Number.isFinite(value)
    case 'object':
      if (value === null || typeof (value as { toJSON?: unknown }).toJSON === 'function') return true
      if (depth === maxDepth) return false
      if (Array.isArray(value)) {
        for (const item of value) if (!isJson(item, depth + 1)) return false
        return true
      }
      if (!isRecord(value)) return false
      for (const key in value) if (!isJson((value as JsonObject)[key], depth + 1)) return false
      return true
    default:
      return false
  }
}

// Accepts objects of another realm or of a user's class, but no Map or Uint8Array.
function isRecord(value: object): boolean {
  return !(ArrayBuffer.isView(value) || value instanceof ArrayBuffer || Symbol.iterator in value)
}

/** Finds the first member that is not JSON. */
function notJson(body: JsonObject): ConfigurationError {
  let path = 'body'
  let value: unknown = body
  const ancestors: unknown[] = []
  for (;;) {
    if (ancestors.includes(value)) return new ConfigurationError(`${path} refers back to an object that contains it`)
    const depth = ancestors.push(value)
    if (depth > maxDepth)
      return new ConfigurationError(`The body is nested more than ${maxDepth} levels deep: ${path.slice(0, 100)}...`)
    const parent = Object(value) as JsonObject
    const key = Object.keys(parent).find((key) => !isJson(parent[key], depth))
    if (key === undefined) break
    path += Array.isArray(parent) ? `[${key}]` : `.${key}`
    value = parent[key]
  }
  const what =
    value && typeof value === 'object' ? value.constructor?.name : typeof value === 'number' ? value : typeof value
  return new ConfigurationError(`${path} is not JSON: ${what}`, {
    hint: 'Use plain JSON values, and base64 text for bytes.',
  })
}
