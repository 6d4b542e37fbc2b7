import { ConfigurationError } from '../errors.ts'
import type { JsonObject, JsonValue } from '../types.ts'

/** Whether a parsed JSON value is an object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Parses text; `undefined` where it is not JSON. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}

/** Parses text that should be a JSON object; `undefined` where it is not one. */
export function parseJsonObject(text: string): JsonObject | undefined {
  const value = parseJson(text)
  return isJsonObject(value) ? value : undefined
}

/**
 * Serialises a body.
 *
 * @throws ConfigurationError for what JSON would lose or refuse: `JSON.stringify` drops functions, turns `NaN` into
 *   `null` and a `Map` into `{}`, all without a word.
 */
export function encodeJson(body: JsonObject): string {
  if (!isJsonObject(body)) throw new ConfigurationError('The body must be a JSON object')
  assertJson(body, 'body', [])
  return JSON.stringify(body)
}

function assertJson(value: unknown, path: string, ancestors: object[]): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return
    case 'number':
      if (Number.isFinite(value)) return
      break
    case 'object': {
      if (value === null || typeof (value as { toJSON?: unknown }).toJSON === 'function') return
      if (ancestors.includes(value)) throw new ConfigurationError(`${path} refers back to an object that contains it`)
      ancestors.push(value)
      if (Array.isArray(value)) {
        for (let i = 0; i < value.length; i++) assertJson(value[i] ?? null, `${path}[${i}]`, ancestors)
      } else {
        const prototype: unknown = Object.getPrototypeOf(value)
        // An object of another realm, or of a user's class, is as good as a plain one; a Map or a Uint8Array is not.
        if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || (prototype && Symbol.iterator in value)) break
        for (const key in value) assertJson((value as JsonObject)[key], `${path}.${key}`, ancestors)
      }
      ancestors.pop()
      return
    }
  }
  const what =
    typeof value === 'object'
      ? (value as object).constructor.name
      : typeof value === 'number'
        ? String(value)
        : typeof value
  throw new ConfigurationError(`${path} is not JSON: ${what}`, {
    hint: 'Give strings, finite numbers, booleans, null, arrays and plain objects; bytes as base64 text.',
  })
}
