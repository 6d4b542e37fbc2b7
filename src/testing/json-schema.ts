import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'
import { ownValue, textOf } from './untrusted.ts'

const mostReferences = 3

const formats: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  'date-time': '2026-01-31T12:00:00Z',
  time: '12:00:00Z',
  duration: 'P1D',
  email: 'someone@example.com',
  hostname: 'example.com',
  uri: 'https://example.com/',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uuid: '00000000-0000-4000-8000-000000000000',
}

/**
 * Returns a value that matches a JSON Schema, except for its constraints. Recursion ends in `null` after a few rounds.
 */
export function sample(schema: JsonValue | undefined, root: JsonValue | undefined = schema, references = 0): JsonValue {
  if (!isJsonObject(schema)) return {}
  const part = (each: JsonValue | undefined): JsonValue => sample(each, root, references)
  if (typeof schema.$ref === 'string')
    return references < mostReferences ? sample(pointed(root, schema.$ref), root, references + 1) : null
  if (Array.isArray(schema.enum)) return schema.enum[0] ?? null
  if (schema.const !== undefined) return schema.const
  for (const choice of [schema.anyOf, schema.oneOf]) if (Array.isArray(choice)) return part(choice[0])
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'string':
      return ownValue(formats, textOf(schema.format)) ?? 'example'
    case 'number':
    case 'integer':
      return 1
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return Array.isArray(schema.prefixItems) ? schema.prefixItems.map(part) : [part(schema.items)]
    default: {
      const properties = isJsonObject(schema.properties) ? schema.properties : {}
      const required = Array.isArray(schema.required) ? schema.required.map(textOf) : Object.keys(properties)
      return Object.fromEntries(required.map((name) => [name, part(ownValue(properties, name))]))
    }
  }
}

function pointed(root: JsonValue | undefined, pointer: string): JsonValue | undefined {
  return pointer
    .split('/')
    .slice(1)
    .reduce<JsonValue | undefined>((value, key) => (isJsonObject(value) ? ownValue(value, key) : undefined), root)
}

const constraints = new Set(
  'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern maxItems uniqueItems minProperties maxProperties'.split(
    ' ',
  ),
)

/**
 * Says why a schema cannot become a grammar, in Bedrock's words.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
 */
export function refuseGrammar(schema: JsonValue | undefined): string | undefined {
  if (!isJsonObject(schema)) return undefined
  const { type, properties, $defs, definitions, items, anyOf, allOf } = schema
  const refused = Object.keys(schema).filter((keyword) => constraints.has(keyword))
  if (refused.length > 0) return `For '${textOf(type)}' type, properties ${refused.join(', ')} are not supported`
  if (type === 'object' && schema.additionalProperties !== false)
    return "For 'object' type, 'additionalProperties' must be explicitly set to false"
  const named = [properties, $defs, definitions].flatMap((each) => (isJsonObject(each) ? Object.values(each) : []))
  const listed = [anyOf, allOf].flatMap((each) => (Array.isArray(each) ? each : []))
  for (const each of [...named, ...listed, items]) {
    const refusal = refuseGrammar(each)
    if (refusal) return refusal
  }
  return undefined
}

/** Returns the schema of an output format, if there is one. */
export function formatOf({ output_config: config }: JsonObject): JsonObject | undefined {
  return isJsonObject(config) && isJsonObject(config.format) ? config.format : undefined
}
