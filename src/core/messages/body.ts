import { ConfigurationError } from '../errors.ts'
import { describeType } from '../internal/assert-options.ts'
import type { JsonObject, ModelRef } from '../types.ts'

/** The version of Bedrock's schema, which every model supports. */
const anthropicVersion = 'bedrock-2023-05-31'

/** The model and body of a call. */
export interface EncodedParams {
  readonly model: string | ModelRef
  readonly body: JsonObject
}

/** @throws ConfigurationError if there is neither a model name nor a ModelRef. */
export function assertModel(model: string | ModelRef | undefined): asserts model is string | ModelRef {
  const id: unknown = typeof model === 'object' ? model?.id : model
  if (id && typeof id === 'string') return
  throw new ConfigurationError(id ? `model must be a name or a ModelRef, not ${describeType(id)}` : 'model is missing')
}

/**
 * Converts Messages parameters to an Invoke body: `model` and `stream` are removed, the version is added, and betas
 * have another name.
 *
 * @throws ConfigurationError naming the field that is missing or invalid.
 */
export function encodeParams(params: object): EncodedParams {
  if (typeof params !== 'object' || params === null) throw new ConfigurationError('The parameters are missing')
  const { model, stream: _, betas, ...rest } = params as JsonObject & { model?: string | ModelRef }
  assertModel(model)
  const { messages, max_tokens } = rest
  if (!Array.isArray(messages) || messages.length === 0)
    throw new ConfigurationError('messages must be a list of at least one message')
  // 0 warms the prompt cache without generating anything.
  if (!Number.isInteger(max_tokens) || (max_tokens as number) < 0) {
    throw new ConfigurationError(
      max_tokens === undefined ? 'max_tokens is missing' : 'max_tokens must be a whole number, 0 or more',
    )
  }
  if (betas !== undefined && !(Array.isArray(betas) && betas.every((beta) => typeof beta === 'string'))) {
    throw new ConfigurationError('betas must be a list of names')
  }
  const body: JsonObject = { anthropic_version: anthropicVersion, ...rest }
  body.anthropic_version ??= anthropicVersion
  if (betas?.length) {
    const given = Array.isArray(body.anthropic_beta) ? body.anthropic_beta : []
    body.anthropic_beta = [...new Set([...given, ...betas])]
  }
  return { model, body }
}
