import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'

// The keywords that a schema in `output_config.format` may contain.
// https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
const kept = new Set(['type', 'enum', 'const', 'required', 'title', 'description', 'default', '$ref'])
const formats = new Set('date-time time date duration email hostname uri ipv4 ipv6 uuid'.split(' '))
// Removed silently, because they do not affect which values match.
const silent = new Set(['$schema', '$id', '$comment', 'examples', 'deprecated', 'readOnly', 'writeOnly'])
// These cannot be replaced by the kept keywords or a description.
const inexpressible = ['prefixItems', 'patternProperties', 'not', 'if', 'dependentSchemas', '$dynamicRef']
const definitions = ['$defs', 'definitions']
const mostOptional = 24
const mostUnions = 16

/**
 * Converts a schema to the subset of JSON Schema that structured outputs support: objects are closed, and constraints
 * such as `minimum` become descriptions, because Bedrock rejects them with a 400. Does not change the given schema.
 *
 * @returns `undefined` if the subset cannot express the schema: recursion, open maps, tuples, more than 24 optional
 *   properties or more than 16 unions.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
 */
export function toStrictSchema(root: JsonObject): JsonObject | undefined {
  let fits = true
  let optional = 0
  let unions = 0

  const write = (schema: JsonValue | undefined): JsonValue => {
    if (!isJsonObject(schema) || inexpressible.some((keyword) => keyword in schema)) {
      fits = false
      return {}
    }
    const strict: JsonObject = {}
    const notes: string[] = []
    for (const [keyword, value] of Object.entries(schema)) {
      if (kept.has(keyword)) strict[keyword] = value
      else if (definitions.includes(keyword) || keyword === 'properties') strict[keyword] = writeEach(value)
      else if (keyword === 'items') strict.items = write(value)
      else if (keyword === 'anyOf' || keyword === 'oneOf') strict.anyOf = writeList(value)
      else if (keyword === 'allOf') strict.allOf = writeList(value)
      else if (keyword === 'format' && formats.has(String(value))) strict.format = value
      else if (keyword === 'minItems' && (value === 0 || value === 1)) strict.minItems = value
      else if (keyword !== 'additionalProperties' && !silent.has(keyword))
        notes.push(`${keyword}: ${JSON.stringify(value)}`)
    }
    if (strict.anyOf || Array.isArray(strict.type)) unions++
    if (strict.properties || strict.type === 'object') {
      if (!isJsonObject(strict.properties) || schema.additionalProperties) fits = false
      const names = Object.keys(isJsonObject(strict.properties) ? strict.properties : {})
      optional += names.length - (Array.isArray(strict.required) ? strict.required.length : 0)
      strict.additionalProperties = false
    }
    if (!['type', 'enum', 'const', 'anyOf', 'allOf', '$ref'].some((keyword) => keyword in strict)) fits = false
    if (notes.length > 0)
      strict.description = [strict.description, `{${notes.join(', ')}}`].filter(Boolean).join('\n\n')
    return strict
  }
  const writeEach = (schemas: JsonValue | undefined): JsonObject =>
    Object.fromEntries(Object.entries(isJsonObject(schemas) ? schemas : {}).map(([name, each]) => [name, write(each)]))
  const writeList = (schemas: JsonValue | undefined): JsonValue[] =>
    (Array.isArray(schemas) ? schemas : []).map((each) => write(each))

  const strict = write(root) as JsonObject
  return fits && optional <= mostOptional && unions <= mostUnions && !isRecursive(root) ? strict : undefined
}

/** Tests whether a reference points outside the schema's definitions, or back to itself. */
function isRecursive(root: JsonObject): boolean {
  const leads = (value: JsonValue | undefined, path: readonly string[]): boolean => {
    if (Array.isArray(value)) return value.some((each) => leads(each, path))
    if (!isJsonObject(value)) return false
    const { $ref: reference } = value
    if (typeof reference === 'string') {
      const [, holder = '', name = ''] = /^#\/([^/]+)\/([^/]+)$/.exec(reference) ?? []
      const target = definitions.includes(holder) && isJsonObject(root[holder]) ? root[holder][name] : undefined
      if (target === undefined || path.includes(reference) || leads(target, [...path, reference])) return true
    }
    return Object.entries(value).some(([keyword, each]) => !definitions.includes(keyword) && leads(each, path))
  }
  return leads(root, []) || definitions.some((holder) => leads(Object.values(root[holder] ?? {}), []))
}

/**
 * Wraps a schema with any root in the `value` of an object, because a tool's input is always an object. References keep
 * their targets.
 */
export function inObject(schema: JsonObject): JsonObject {
  const { $defs, definitions: older, ...rest } = schema
  const moved = (value: JsonValue | undefined): JsonValue => {
    if (Array.isArray(value)) return value.map(moved)
    if (!isJsonObject(value)) return value ?? null
    return Object.fromEntries(
      Object.entries(value).map(([keyword, each]) => [
        keyword,
        keyword === '$ref' && typeof each === 'string' && /^#(?!\/(\$defs|definitions)\/)/.test(each)
          ? `#/properties/value${each.slice(1)}`
          : moved(each),
      ]),
    )
  }
  return {
    type: 'object',
    properties: { value: moved(rest) },
    required: ['value'],
    ...($defs && { $defs: moved($defs) }),
    ...(older && { definitions: moved(older) }),
  }
}
