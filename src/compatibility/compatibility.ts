import { ConfigurationError, enrich, isBedrockError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { invalidBeta, isOfKind, uncountable } from '../core/internal/error-kinds.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { localMetadata } from '../core/internal/local-metadata.ts'
import { singleFlight } from '../core/internal/single-flight.ts'
import { markVariant } from '../core/internal/variant.ts'
import type {
  Adaptation,
  BedrockRequest,
  BedrockResponse,
  JsonObject,
  Middleware,
  MiddlewareContext,
  ModelRef,
  Next,
} from '../core/types.ts'
import { type AdaptedBody, adaptBody } from './adapt-body.ts'
import { estimateTokens } from '../core/internal/estimate-tokens.ts'
import {
  betasOf,
  fieldOf,
  findRefusedBeta,
  misspeltField,
  type Refused,
  refusedBy,
  refusesSomeBeta,
  withoutRefused,
} from './learning.ts'
import { compatibilityKey, compatibilityTable } from './table.ts'

/** Options of {@link compatibility}. */
export interface CompatibilityOptions {
  /**
   * `'adapt'`: converts fields that have an equivalent, removes those that have none, and reports it. `'strict'`:
   * rejects a body that would have to be changed, before anything is sent. `'pass'`: changes nothing.
   *
   * @default 'adapt'
   */
  readonly policy?: 'strict' | 'adapt' | 'pass' | undefined
  /**
   * Whether to repeat a call without a field of the Messages API or a beta that Bedrock rejected, and to leave it out
   * for that model and Region from then on. If Bedrock does not name the beta, calls of one token find it. Only with
   * `'adapt'`.
   *
   * @default true
   */
  readonly learn?: boolean | undefined
}

/**
 * Adapts bodies to the model. Bedrock validates them against its own copy of the Messages schema, which is older than
 * Anthropic's and differs by model: a single unknown field or beta fails the whole call. `metadata.adaptations` lists
 * the changes. Bodies for unknown models are sent unchanged. The default client includes this middleware, with
 * `'adapt'`.
 *
 * @example
 * ```ts
 * const bedrock = createBedrockClient({ region, middleware: [compatibility({ policy: 'strict' })] })
 * ```
 * @throws ConfigurationError for an unknown policy. With `'strict'`, the call rejects with one that names the field and
 *   model.
 * @see
 *   https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
 */
export function compatibility(options: CompatibilityOptions = {}): Middleware {
  assertOptions(options, 'compatibility', 'policy learn')
  const { policy = 'adapt', learn = true } = options
  if (!['strict', 'adapt', 'pass'].includes(policy))
    throw new ConfigurationError("policy must be 'strict', 'adapt' or 'pass'")
  const known = new Map<string, Refused[]>()
  const searches = new Map<string, ReturnType<typeof singleFlight<string | undefined>>>()
  const warned = new Set<string>()

  const middleware: Middleware = async function compatibility(request, next, context) {
    const { model, region, logger } = context
    const given = withoutEstimate(request)
    if (request.operation === 'CountTokens' && request.body.estimate === true)
      return estimated({ ...request, body: given }, context)
    // Only bodies in Anthropic's schema; `invoke` may send any provider's.
    if (policy === 'pass' || given.anthropic_version === undefined) return send(request, next, context)

    const joined = joinBetas(given, request)
    const adapted = adaptBody(joined.body, {
      family: model.family,
      version: model.version,
      operation: request.operation,
    })
    const changes: Adaptation[] = [...joined.adaptations, ...adapted.adaptations]
    const attempt = (body: JsonObject): Promise<BedrockResponse> =>
      send({ ...request, headers: joined.headers, body }, next, context)
    if (policy === 'strict') {
      assertUnchanged(adapted, model)
      return withAdaptations(await attempt(adapted.body), changes)
    }

    const key = `${region} ${model.base ?? model.id}`
    let body = adapted.body
    const leaveOut = (refused: Refused): boolean => {
      const changed = withoutRefused(body, refused)
      if (changed === body) return false
      body = changed
      changes.push({ field: fieldOf(refused), action: 'removed', reason: 'Bedrock rejected it for this model' })
      return true
    }
    for (const refused of known.get(key) ?? []) leaveOut(refused)
    for (const { field, reason } of changes) {
      if (warned.has(`${key} ${field}`)) continue
      warned.add(`${key} ${field}`)
      logger.warn(`${field} was changed for ${model.id}: ${reason}`)
    }

    /** Finds the rejected beta among several, once for all waiting calls. */
    const search = (betas: readonly string[]): Promise<string | undefined> => {
      const which = `${key} ${betas}`
      const share = searches.get(which) ?? singleFlight<string | undefined>(context.clock)
      searches.set(which, share)
      return share(() =>
        findRefusedBeta(betas, (some) => acceptsBetas(some, request, next)).finally(() => searches.delete(which)),
      )
    }
    const learned: Refused[] = []
    for (;;) {
      try {
        const response = await attempt(body)
        if (learned.length > 0) {
          known.set(key, [...(known.get(key) ?? []), ...learned])
          const names = learned.map(fieldOf).join(', ')
          logger.warn(`${model.id} in ${region} rejected ${names}; calls are sent without it from now on`)
        }
        return withAdaptations(response, changes)
      } catch (error) {
        if (!learn || learned.length >= maxLearned) throw error
        const refused = refusedBy(error, body)
        if (refused.length === 0 && refusesSomeBeta(error, body)) {
          const beta = await search(betasOf(body)).catch(() => undefined)
          if (beta !== undefined) refused.push({ beta })
        }
        const left = refused.filter(leaveOut)
        if (left.length === 0) throw withMeantField(error)
        learned.push(...left)
      }
    }
  }
  // One policy may accept what another rejects.
  return markVariant(middleware, policy === 'adapt' && learn ? 'learn' : policy)
}

// The maximum of rejected fields and betas that one call may discover. A rejection costs only time.
const maxLearned = 8

/** Removes the parameter that Bedrock does not know. @throws ConfigurationError where no tokens are counted */
function withoutEstimate({ operation, body }: BedrockRequest): JsonObject {
  if (body.estimate === undefined) return body
  if (operation !== 'CountTokens') throw new ConfigurationError('estimate is a parameter of countTokens only')
  const { estimate: _, ...rest } = body
  return rest
}

/** Moves betas from the header, where the Claude API accepts them, into the body, where Bedrock does. */
function joinBetas(
  body: JsonObject,
  { headers: given }: BedrockRequest,
): AdaptedBody & Pick<BedrockRequest, 'headers'> {
  if (given['anthropic-beta'] === undefined) return { body, headers: given, adaptations: [] }
  const { 'anthropic-beta': header, ...headers } = given
  const known = betasOf(body)
  const betas = header
    .split(',')
    .map((beta) => beta.trim())
    .filter((beta) => beta && !known.includes(beta))
  if (betas.length === 0) return { body, headers, adaptations: [] }
  const reason = 'it was in the anthropic-beta header, and Bedrock accepts betas only in the body'
  return {
    body: { ...body, anthropic_beta: [...known, ...betas] },
    headers,
    adaptations: betas.map((beta) => ({ field: `anthropic_beta:${beta}`, action: 'added', reason })),
  }
}

/** @throws ConfigurationError if the model does not accept a body as it is */
function assertUnchanged({ body, adaptations }: AdaptedBody, model: ModelRef): void {
  const refused = adaptations.find(({ action }) => action !== 'added')
  if (refused) throw new ConfigurationError(`${model.id} does not accept ${refused.field}: ${refused.reason}`)
  const last = Array.isArray(body.messages) ? body.messages.at(-1) : undefined
  const isPrefilled = isJsonObject(last) && last.role === 'assistant'
  if (isPrefilled && compatibilityTable[compatibilityKey(model)]?.prefill === 'no')
    throw new ConfigurationError(`${model.id} does not accept messages that end with an assistant message (prefill)`)
}

/** Asks for a single token, to test at low cost whether some betas are accepted. */
async function acceptsBetas(betas: readonly string[], request: BedrockRequest, next: Next): Promise<boolean> {
  const body = {
    anthropic_version: request.body.anthropic_version,
    anthropic_beta: [...betas],
    max_tokens: 1,
    messages: [{ role: 'user', content: 'Hi' }],
  }
  const operation = request.operation === 'CountTokens' ? request.operation : 'InvokeModel'
  const options = { ...request.options, signal: undefined }
  try {
    // Other calls may wait for the result, so this call's signal must not end it.
    await next({ ...request, operation, body, options, signal: undefined })
    return true
  } catch (error) {
    if (isBedrockError(error, 'service') && isOfKind(error, invalidBeta)) return false
    throw error
  }
}

/** Adds to an error the field that the caller may have meant by an unknown one. */
function withMeantField(error: unknown): unknown {
  const misspelt = misspeltField(error)
  if (!misspelt || !isBedrockError(error)) return error
  const { field, meant } = misspelt
  const hint = `The Messages API has no field ${field}.${meant ? ` Did you mean ${meant}?` : ''} ${error.hint ?? ''}`
  return enrich(error, { hint: hint.trim() })
}

function withAdaptations(response: BedrockResponse, changes: readonly Adaptation[]): BedrockResponse {
  const { metadata } = response
  if (changes.length > 0) metadata.adaptations = [...changes, ...(metadata.adaptations ?? [])]
  return response
}

// If a model does not support CountTokens, the error says how to count instead.
async function send(request: BedrockRequest, next: Next, { model }: MiddlewareContext): Promise<BedrockResponse> {
  if (request.operation !== 'CountTokens') return await next(request)
  const hint = "Use estimate: true for an estimate, or count with Anthropic's own API."
  if (compatibilityTable[compatibilityKey(model)]?.countTokens === 'no')
    throw new ConfigurationError(`Bedrock does not count tokens for ${model.base}`, { hint })
  try {
    return await next(request)
  } catch (error) {
    if (isBedrockError(error, 'service') && isOfKind(error, uncountable)) enrich(error, { hint })
    throw error
  }
}

function estimated({ body }: BedrockRequest, { model }: MiddlewareContext): BedrockResponse {
  const answer = { inputTokens: estimateTokens(body), estimated: true }
  return { type: 'json', body: answer, metadata: localMetadata(model, {}, 0) }
}
