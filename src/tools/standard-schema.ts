import { ConfigurationError } from '../core/errors.ts'
import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject } from '../core/types.ts'

/**
 * A schema of zod, valibot, arktype, or any other library that follows Standard Schema.
 *
 * @see https://standardschema.dev
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    /** The JSON Schema companion of the standard; zod from 4.2 and arktype from 2.1.28 have it, valibot on request. */
    readonly jsonSchema?:
      | { readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown> }
      | undefined
  }
}

/** What a schema makes of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** One way in which a value does not fit its schema. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** The type of the values that a schema lets through. */
export type InferOutput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output']

/** Whether something follows Standard Schema. A schema may be a function, as arktype's are. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as Partial<StandardSchema>)['~standard']?.validate === 'function'
  )
}

/**
 * The JSON Schema of what a schema takes in, which is what the model has to write.
 *
 * @param what - whose schema it is, for errors
 * @throws ConfigurationError where the library has none, or cannot express this one.
 */
export function jsonSchemaOf(schema: StandardSchema, what: string): JsonObject {
  const { vendor, jsonSchema } = schema['~standard']
  if (!jsonSchema) {
    throw new ConfigurationError(`The schema of ${what} cannot provide its JSON Schema (${vendor})`, {
      hint:
        vendor === 'valibot'
          ? 'Wrap it in toStandardJsonSchema of @valibot/to-json-schema, or give jsonSchema too.'
          : `Give jsonSchema too, or use a version of ${vendor} that has Standard JSON Schema.`,
    })
  }
  try {
    // Through JSON: arktype's answer has getters, and what has no JSON must not be lost later, inside a request.
    const { $schema: _, ...converted } = JSON.parse(JSON.stringify(jsonSchema.input({ target: 'draft-2020-12' })))
    return converted
  } catch (error) {
    throw new ConfigurationError(`The schema of ${what} has no JSON Schema: ${(error as Error).message}`, {
      cause: error,
      hint: 'Give jsonSchema too, or use only types that JSON has.',
    })
  }
}

/** @throws ConfigurationError where what was given as `jsonSchema` is none. */
export function assertJsonSchema(schema: unknown, what: string): asserts schema is JsonObject {
  if (!isJsonObject(schema)) throw new ConfigurationError(`The jsonSchema of ${what} must be an object`)
}

/** What is wrong, in one line: `address.zip: Expected string`. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  return issues
    .map(({ message, path = [] }) => {
      const place = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
      return place ? `${place}: ${message}` : message
    })
    .join('; ')
}
