import type { JsonObject, ModelRef } from '../core/types.ts'
import { type CachePoint, placeCachePoints } from './cache-points.ts'
import { assertPromptCaching, type PromptCachingOptions, rulesFor } from './prompt-caching.ts'

/** How prompt caching treats a body. `toString()` returns it as lines of text. */
export interface CachingExplanation {
  /** The minimum number of tokens that this model caches. */
  readonly minimumTokens: number
  /** The cache points in the order of the prompt. Sizes are estimates: four bytes count as one token. */
  readonly points: readonly CachePoint[]
  /** Why a prefix is not, or will not be, cached. */
  readonly omissions: readonly string[]
  toString(): string
}

/**
 * Explains where `promptCaching` places its points in a body, and why a prefix will not be cached. Makes no call.
 *
 * @param body - the body as it would be sent: `tools`, `system`, `messages`
 * @param model - a resolved model, or a base model's ID
 * @example
 * ```ts
 * console.log(String(explainCaching({ system, messages }, await bedrock.models.resolve('sonnet'))))
 * ```
 */
export function explainCaching(
  body: JsonObject,
  model: ModelRef | string,
  options: PromptCachingOptions = {},
): CachingExplanation {
  assertPromptCaching(options)
  const ref = typeof model === 'string' ? { id: model } : model
  const { isShortened, ...rules } = rulesFor(ref, options)
  const { points, omissions } = placeCachePoints(body, rules)
  const reasons = isShortened ? [...omissions, 'ttl: this model caches for five minutes only'] : omissions
  const lines = [
    `${ref.id} caches prefixes of at least ${rules.minimumTokens} tokens`,
    ...points.map(
      ({ path, ttl, own, tokens }) => `  ${path}: ${ttl}, about ${tokens} tokens${own ? ", the caller's own" : ''}`,
    ),
    ...reasons.map((reason) => `  no point: ${reason}`),
  ]
  return { minimumTokens: rules.minimumTokens, points, omissions: reasons, toString: () => lines.join('\n') }
}
