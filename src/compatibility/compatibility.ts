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
   * `'adapt'`: map what has an equivalent, drop what has not, and tell. `'strict'`: refuse what would have to be changed,
   * before anything is sent. `'pass'`: change nothing.
   *
   * @default 'adapt'
   */
  readonly policy?: 'strict' | 'adapt' | 'pass' | undefined
  /**
   * Whether a field of the Messages API, or a beta, that Bedrock refuses is left out, the call repeated, and the model and
   * region remembered. Where Bedrock does not say which beta it was, calls of one token find out. Only with `'adapt'`.
   *
   * @default true
   */
  readonly learn?: boolean | undefined
}

/**
 * Makes bodies fit the model. Bedrock checks them against a copy of the Messages schema of its own, which is older than
 * Anthropic's and differs by model: one field or beta too many fails the whole call. What was changed is listed in
 * `metadata.adaptations`. A model that nobody knows passes as it is. Built into the default client as `'adapt'`.
 *
 * @example
 * ```ts
 * const bedrock = createBedrockClient({ region, middleware: [compatibility({ policy: 'strict' })] })
 * ```
 * @throws ConfigurationError for a policy that is none; with `'strict'`, the call rejects with one that names field and model.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
 */
export function compatibility(options: CompatibilityOptions = {}): Middleware {
  assertOptions(options, 'compatibility', 'policy learn')
  const { policy = 'adapt', learn = true } = options
  if (!['strict', 'adapt', 'pass'].includes(policy))
    throw new ConfigurationError("policy is 'strict', 'adapt' or 'pass'")
  const known = new Map<string, Refused[]>()
  const searches = new Map<string, ReturnType<typeof singleFlight<string | undefined>>>()
  const warned = new Set<string>()

  const middleware: Middleware = async function compatibility(request, next, context) {
    const { model, region, logger } = context
    const { estimate, ...given } = request.body
    if (request.operation === 'CountTokens' && estimate === true) return estimated({ ...request, body: given }, context)
    if (request.operation !== 'CountTokens' && estimate !== undefined)
      throw new ConfigurationError('estimate is a parameter of countTokens alone')
    // Only what speaks Anthropic's schema; `invoke` may carry any provider's.
    if (policy === 'pass' || given.anthropic_version === undefined) return send(request, next, context)

    const joined = joinBetas(given, request)
    const adapted = adaptBody(joined.body, { ...model, operation: request.operation })
    const changes: Adaptation[] = [...joined.adaptations, ...adapted.adaptations]
    const attempt = (body: JsonObject): Promise<BedrockResponse> =>
      send({ ...request, headers: joined.headers, body }, next, context)
    if (policy === 'strict') {
      assertUnchanged(adapted, model)
      return tell(await attempt(adapted.body), changes)
    }

    const key = `${region} ${model.base ?? model.id}`
    let body = adapted.body
    const leaveOut = (refused: Refused): boolean => {
      const changed = withoutRefused(body, refused)
      if (changed === body) return false
      body = changed
      changes.push({ field: fieldOf(refused), action: 'removed', reason: 'Bedrock refused it for this model' })
      return true
    }
    for (const refused of known.get(key) ?? []) leaveOut(refused)
    for (const { field, reason } of changes) {
      if (warned.has(`${key} ${field}`)) continue
      warned.add(`${key} ${field}`)
      logger.warn(`${field} was changed for ${model.id}: ${reason}`)
    }

    /** Which of several betas is refused: asked once for all calls that wait for it. */
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
          logger.warn(`${model.id} in ${region} refused ${names}; calls go without it from now on`)
        }
        return tell(response, changes)
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
  // What one policy lets through, another one refuses.
  return markVariant(middleware, policy === 'adapt' && learn ? 'learn' : policy)
}

// How many fields and betas one call may find out to be refused. A refusal costs nothing but its time.
const maxLearned = 8

/** A body with the betas that came as a header, where the Claude API takes them and Bedrock does not. */
function joinBetas(
  body: JsonObject,
  { headers: given }: BedrockRequest,
): AdaptedBody & Pick<BedrockRequest, 'headers'> {
  const { 'anthropic-beta': header, ...headers } = given
  const known = betasOf(body)
  const betas = (header ?? '')
    .split(',')
    .map((beta) => beta.trim())
    .filter((beta) => beta && !known.includes(beta))
  if (betas.length === 0) return { body, headers, adaptations: [] }
  const reason = 'it came in the header anthropic-beta, and Bedrock takes betas in the body'
  return {
    body: { ...body, anthropic_beta: [...known, ...betas] },
    headers,
    adaptations: betas.map((beta) => ({ field: `anthropic_beta:${beta}`, action: 'added', reason })),
  }
}

/** @throws ConfigurationError where a model does not take a body as it is */
function assertUnchanged({ body, adaptations }: AdaptedBody, model: ModelRef): void {
  const refused = adaptations.find(({ action }) => action !== 'added')
  if (refused) throw new ConfigurationError(`${model.id} does not take ${refused.field}: ${refused.reason}`)
  const last = Array.isArray(body.messages) ? body.messages.at(-1) : undefined
  const isPrefilled = isJsonObject(last) && last.role === 'assistant'
  if (isPrefilled && compatibilityTable[compatibilityKey(model)]?.prefill === 'no')
    throw new ConfigurationError(`${model.id} does not take messages that end with one of the assistant (prefill)`)
}

/** Asks for one token, to see whether some betas are taken: the call itself would cost what it costs. */
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
    // Other calls may wait for it too: the signal of this one must not end it.
    await next({ ...request, operation, body, options, signal: undefined })
    return true
  } catch (error) {
    if (isBedrockError(error, 'service') && isOfKind(error, invalidBeta)) return false
    throw error
  }
}

/** An error that says which field may have been meant by one that the Messages API has not. */
function withMeantField(error: unknown): unknown {
  const misspelt = misspeltField(error)
  if (!misspelt || !isBedrockError(error)) return error
  const { field, meant } = misspelt
  const hint = `The Messages API has no field ${field}.${meant ? ` Did you mean ${meant}?` : ''} ${error.hint ?? ''}`
  return enrich(error, { hint: hint.trim() })
}

function tell(response: BedrockResponse, changes: readonly Adaptation[]): BedrockResponse {
  const { metadata } = response
  if (changes.length > 0) metadata.adaptations = [...changes, ...(metadata.adaptations ?? [])]
  return response
}

// Where a model cannot be counted, the error says where it can be.
async function send(request: BedrockRequest, next: Next, { model }: MiddlewareContext): Promise<BedrockResponse> {
  if (request.operation !== 'CountTokens') return next(request)
  const hint = "Count with estimate: true, which is marked as an estimate, or with Anthropic's own API."
  if (compatibilityTable[compatibilityKey(model)]?.countTokens === 'no')
    throw new ConfigurationError(`Bedrock does not count tokens of ${model.base}`, { hint })
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
