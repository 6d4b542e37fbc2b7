import { ConfigurationError } from '../core/errors.ts'
import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject } from '../core/types.ts'

/**
 * A schema of zod, valibot, arktype, or any other Standard Schema library.
 *
 * @see https://standardschema.dev
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    /**
     * The JSON Schema extension of the standard: in zod from 4.2, in arktype from 2.1.28, in valibot with a wrapper.
     */
    readonly jsonSchema?:
      | { readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown> }
      | undefined
  }
}

/** The result of validating a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** A reason why a value does not match its schema. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** The type of a schema's output. */
export type InferOutput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output']

/** Tests whether a value is a Standard Schema. It may be a function, as in arktype. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as Partial<StandardSchema>)['~standard']?.validate === 'function'
  )
}

/**
 * Returns the JSON Schema of a schema's input, which is what the model has to write.
 *
 * @param what - the owner of the schema, for errors
 * @throws ConfigurationError if the library provides none, or cannot express this schema.
 */
export function jsonSchemaOf(schema: StandardSchema, what: string): JsonObject {
  const { vendor, jsonSchema } = schema['~standard']
  if (!jsonSchema) {
    throw new ConfigurationError(`The schema of ${what} cannot provide its JSON Schema (${vendor})`, {
      hint:
        vendor === 'valibot'
          ? 'Wrap it in toStandardJsonSchema from @valibot/to-json-schema, or pass jsonSchema.'
          : `Pass jsonSchema, or use a version of ${vendor} that supports Standard JSON Schema.`,
    })
  }
  try {
    // Copied through JSON: arktype's result has getters, and anything that is not JSON should fail here, not in a
    // request.
    const { $schema: _, ...converted } = JSON.parse(JSON.stringify(jsonSchema.input({ target: 'draft-2020-12' })))
    return converted
  } catch (error) {
    throw new ConfigurationError(`The schema of ${what} has no JSON Schema: ${(error as Error).message}`, {
      cause: error,
      hint: 'Pass jsonSchema, or use only types that exist in JSON.',
    })
  }
}

/** @throws ConfigurationError if `jsonSchema` is not an object */
export function assertJsonSchema(schema: unknown, what: string): asserts schema is JsonObject {
  if (!isJsonObject(schema)) throw new ConfigurationError(`The jsonSchema of ${what} must be an object`)
}

/** Describes issues in one line: `address.zip: Expected string`. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  return issues
    .map(({ message, path = [] }) => {
      const place = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
      return place ? `${place}: ${message}` : message
    })
    .join('; ')
}
