import { assertOptions } from '../core/internal/assert-options.ts'
import { ConfigurationError, isBedrockError } from '../core/errors.ts'
import { operations } from '../core/internal/operations.ts'
import { isOfKind, unsupportedCaching } from '../core/internal/error-kinds.ts'
import type { Adaptation, BedrockRequest, BedrockResponse, Middleware, ModelRef } from '../core/types.ts'
import { catalogModel } from '../models/catalog.ts'
import { parseModelId } from '../core/model-id.ts'
import { type CacheTtl, type PlacementRules, placeCachePoints, stripCachePoints } from './cache-points.ts'

/** Options of {@link promptCaching}. */
export interface PromptCachingOptions {
  /**
   * How long Bedrock keeps an unused prefix: five minutes, or an hour, which costs twice the input price to write. If a
   * model supports only five minutes, that is used, and `metadata.adaptations` reports it.
   *
   * @default '5m'
   */
  readonly ttl?: CacheTtl | undefined
  /** The total number of points in a request, including the caller's own, 1 to 4. @default 4 */
  readonly breakpoints?: number | undefined
  /** Turns prompt caching off for all models, or for families such as `haiku`. @default false */
  readonly disabled?: boolean | readonly string[] | undefined
}

/** Returns the rules for a model, and whether its TTL is shorter than the requested one. */
export function rulesFor(
  { base, id }: Pick<ModelRef, 'base' | 'id'>,
  { ttl = '5m', breakpoints = 4 }: PromptCachingOptions,
): PlacementRules & { readonly isShortened: boolean } {
  // For an unknown model, use the smallest minimum of all models.
  const { minimumTokens = 512, ttls = ['5m'] } = catalogModel(base ?? parseModelId(id).base)?.promptCaching ?? {}
  const isShortened = !ttls.includes(ttl)
  return { ttl: isShortened ? '5m' : ttl, breakpoints, minimumTokens, isShortened }
}

/**
 * Marks what Bedrock should cache of a prompt: tools, system prompt and the conversation so far. Of a growing
 * conversation, only the newest turn is not read from the cache. `metadata.usage` has the number of tokens read and
 * written.
 *
 * The caller's own `cache_control` stays and counts. If Bedrock answers that a model or Region does not cache, the call
 * is repeated once without cache points, and the pair is remembered.
 *
 * @example
 * ```ts
 * const bedrock = createBedrockClient({ region, middleware: [promptCaching({ ttl: '1h' })] })
 * ```
 * @throws ConfigurationError for invalid options.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
 */
export function promptCaching(options: PromptCachingOptions = {}): Middleware {
  assertPromptCaching(options)
  const { disabled = false } = options
  const unavailable = new Set<string>()

  return async function promptCaching(request, next, { model, region, logger }) {
    const isOff = disabled === true || (Array.isArray(disabled) && disabled.includes(model.family))
    const provider = parseModelId(model.base ?? model.id).provider ?? 'anthropic'
    if (isOff || provider !== 'anthropic' || !operations[request.operation].generates) return next(request)

    const pair = `${region} ${model.base ?? model.id}`
    if (unavailable.has(pair)) return withoutPoints(request, next, region)
    const { isShortened, ...rules } = rulesFor(model, options)
    const { body, points } = placeCachePoints(request.body, rules)
    if (points.length === 0) return next(request)
    try {
      const response = await next({ ...request, body })
      return isShortened ? adapted(response, 'replaced', 'this model caches for five minutes only') : response
    } catch (error) {
      if (!isUnavailable(error)) throw error
      unavailable.add(pair)
      logger.warn(`Prompt caching is not available for ${model.id} in ${region}; calls are sent without it`)
      return withoutPoints(request, next, region)
    }
  }
}

/** @throws ConfigurationError for invalid options */
export function assertPromptCaching(options: PromptCachingOptions): void {
  assertOptions(options, '', 'ttl breakpoints disabled')
  const { ttl = '5m', breakpoints = 4 } = options
  if (ttl !== '5m' && ttl !== '1h') throw new ConfigurationError("ttl must be '5m' or '1h'")
  if (!Number.isInteger(breakpoints) || breakpoints < 1 || breakpoints > 4)
    throw new ConfigurationError('breakpoints must be a whole number, 1 to 4')
}

function isUnavailable(error: unknown): boolean {
  return isBedrockError(error, 'service') && isOfKind(error, unsupportedCaching)
}

async function withoutPoints(
  request: BedrockRequest,
  next: (request: BedrockRequest) => Promise<BedrockResponse>,
  region: string,
): Promise<BedrockResponse> {
  const response = await next({ ...request, body: stripCachePoints(request.body) })
  return adapted(response, 'removed', `prompt caching is not available for this model in ${region}`)
}

function adapted(response: BedrockResponse, action: Adaptation['action'], reason: string): BedrockResponse {
  const { metadata } = response
  metadata.adaptations = [...(metadata.adaptations ?? []), { field: 'cache_control', action, reason }]
  return response
}
