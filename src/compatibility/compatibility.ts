import { ConfigurationError, isBedrockError } from '../core/errors.ts'
import { isOfKind, uncountable } from '../core/internal/error-kinds.ts'
import { localMetadata } from '../core/internal/local-metadata.ts'
import type { Adaptation, BedrockRequest, BedrockResponse, Middleware, MiddlewareContext, Next } from '../core/types.ts'
import { adaptBody } from './adapt-body.ts'
import { estimateTokens } from './estimate-tokens.ts'
import { applyLesson, type Lesson, lessonOf } from './learning.ts'
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
   * Whether a field or beta that Bedrock names as superfluous is left out, the call repeated once, and the model
   * remembered. Only with `'adapt'`.
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
export function compatibility({ policy = 'adapt', learn = true }: CompatibilityOptions = {}): Middleware {
  if (!['strict', 'adapt', 'pass'].includes(policy))
    throw new ConfigurationError("policy is 'strict', 'adapt' or 'pass'")
  const lessons = new Map<string, Lesson[]>()
  const warned = new Set<string>()

  return async function compatibility(request, next, context) {
    const { model, region, logger } = context
    const { estimate, ...given } = request.body
    if (request.operation === 'CountTokens' && estimate === true) return estimated({ ...request, body: given }, context)
    // Only what speaks Anthropic's schema; `invoke` may carry any provider's.
    if (policy === 'pass' || given.anthropic_version === undefined) return send(request, next, context)

    const adapted = adaptBody(given, { ...model, operation: request.operation })
    const changes: Adaptation[] = [...adapted.adaptations]
    if (policy === 'strict') {
      const refused = changes.find(({ action }) => action !== 'added')
      if (refused) throw new ConfigurationError(`${model.id} does not take ${refused.field}: ${refused.reason}`)
      return tell(await send({ ...request, body: adapted.body }, next, context), changes)
    }
    const key = `${region} ${model.base ?? model.id}`
    let body = adapted.body
    const remember = (lesson: Lesson, change: (typeof adapted)['body']): void => {
      if (change === body) return
      body = change
      const field = 'beta' in lesson ? `anthropic_beta:${lesson.beta}` : lesson.path.join('.')
      changes.push({ field, action: 'removed', reason: 'Bedrock refused it for this model' })
    }
    for (const lesson of lessons.get(key) ?? []) remember(lesson, applyLesson(body, lesson))
    for (const { field, reason } of changes) {
      if (warned.has(`${key} ${field}`)) continue
      warned.add(`${key} ${field}`)
      logger.warn(`${field} was changed for ${model.id}: ${reason}`)
    }
    try {
      return tell(await send({ ...request, body }, next, context), changes)
    } catch (error) {
      const lesson = learn ? lessonOf(error, body) : undefined
      const changed = lesson && applyLesson(body, lesson)
      if (!lesson || !changed || changed === body) throw error
      remember(lesson, changed)
      const response = await send({ ...request, body }, next, context)
      lessons.set(key, [...(lessons.get(key) ?? []), lesson])
      logger.warn(`${model.id} in ${region} refused ${changes.at(-1)?.field}; calls go without it from now on`)
      return tell(response, changes)
    }
  }
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
    if (isBedrockError(error, 'service') && isOfKind(error, uncountable)) error.hint = hint
    throw error
  }
}

function estimated({ body }: BedrockRequest, { model }: MiddlewareContext): BedrockResponse {
  const answer = { inputTokens: estimateTokens(body), estimated: true }
  return { type: 'json', body: answer, metadata: localMetadata(model, {}, 0) }
}
