import { isBedrockError } from '../core/errors.ts'
import { nearest } from '../core/internal/assert-options.ts'
import { invalidBeta, isOfKind, unknownField } from '../core/internal/error-kinds.ts'
import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'

/** What a model has refused: a beta, or a field as a path into the body. */
export type Refused = { readonly beta: string } | { readonly path: readonly string[] }

/** What a call is about is never taken from it. */
const essential = /^(messages|system|tools|max_tokens|anthropic_version)$/

// The fields of the Messages API that Bedrock may not have, and those inside of them. A name that is not here is
// misspelt, and what was meant by it must not be lost. https://platform.claude.com/docs/en/api/messages/create
const fields = new Set(
  (
    'max_tokens messages model system tools tool_choice thinking metadata stop_sequences stream temperature top_p top_k ' +
    'anthropic_version anthropic_beta betas billing_policy cache_control compaction container context_management ' +
    'diagnostics fallback_credit_token fallbacks inference_geo mcp_servers output_config output_format service_tier ' +
    'speed thread user_profile_id workspace_id ' +
    'effort format task_budget type budget_tokens display block_binding ttl disable_parallel_tool_use user_id edits ' +
    'name description input_schema strict eager_input_streaming defer_loading input_examples allowed_callers'
  ).split(' '),
)

/** The fields and the beta that a refusal names, as far as they may be left out. */
export function refusedBy(error: unknown, body: JsonObject): Refused[] {
  if (!isBedrockError(error, 'service') || error.status !== 400) return []
  const named = betasOf(body).find((beta) => error.message.includes(beta))
  if (named !== undefined && /beta/i.test(error.message)) return [{ beta: named }]
  return pathsIn(error).flatMap((path) => {
    const [first = ''] = path
    const isEssential = ['messages', 'system', 'thread'].includes(first) || (path.length === 1 && essential.test(first))
    return isEssential || !path.every((name) => fields.has(name)) ? [] : { path }
  })
}

/** The field that may have been meant by one that is not of the Messages API; `undefined` where all are. */
export function misspeltField(error: unknown): { readonly field: string; readonly meant?: string } | undefined {
  const field = pathsIn(error)
    .flat()
    .find((name) => !fields.has(name))
  if (field === undefined) return undefined
  const meant = nearest(field, [...fields])
  return { field, ...(meant && { meant }) }
}

/** Whether a refusal is of a beta and does not say of which. */
export function refusesSomeBeta(error: unknown, body: JsonObject): boolean {
  return betasOf(body).length > 0 && isBedrockError(error, 'service') && isOfKind(error, invalidBeta)
}

/**
 * Finds a beta that is refused among several of which one is, by halving.
 *
 * @param accepts - whether the model takes these betas
 */
export async function findRefusedBeta(
  betas: readonly string[],
  accepts: (betas: readonly string[]) => Promise<boolean>,
): Promise<string | undefined> {
  // So many from the start are taken, and so many are not.
  let [taken, refused] = [0, betas.length]
  while (refused - taken > 1) {
    const middle = (taken + refused) >> 1
    if (await accepts(betas.slice(0, middle))) taken = middle
    else refused = middle
  }
  return betas[refused - 1]
}

/** The betas in a body. */
export function betasOf({ anthropic_beta: betas }: JsonObject): string[] {
  return Array.isArray(betas) ? betas.filter((beta) => typeof beta === 'string') : []
}

/** A body without what a model has refused. Gives the same body where it is not in it. */
export function withoutRefused(body: JsonObject, refused: Refused): JsonObject {
  if ('path' in refused) return without(body, refused.path) as JsonObject
  if (!Array.isArray(body.anthropic_beta) || !body.anthropic_beta.includes(refused.beta)) return body
  const betas = body.anthropic_beta.filter((beta) => beta !== refused.beta)
  const { anthropic_beta: _, ...rest } = body
  return betas.length > 0 ? { ...rest, anthropic_beta: betas } : rest
}

/** The name of what was refused, as adaptations have it. */
export function fieldOf(refused: Refused): string {
  return 'beta' in refused ? `anthropic_beta:${refused.beta}` : refused.path.join('.')
}

// `tools.0.custom.strict: Extra inputs are not permitted`: which tool it was, and of which kind, does not matter.
function pathsIn(error: unknown): string[][] {
  if (!isBedrockError(error, 'service') || !isOfKind(error, unknownField)) return []
  return error.message
    .split(': Extra inputs are not permitted')
    .slice(0, -1)
    .map((text) => /(?<![\w.-])[\w.-]+$/.exec(text)?.[0].split('.') ?? [])
    .map((path) => path.filter((name) => !/^\d+$|^custom$/.test(name)))
    .filter((path) => path.length > 0)
}

function without(value: JsonValue, [name, ...rest]: readonly string[]): JsonValue {
  if (name === undefined) return value
  if (Array.isArray(value)) {
    const changed = value.map((item) => without(item, [name, ...rest]))
    return changed.some((item, i) => item !== value[i]) ? changed : value
  }
  if (!isJsonObject(value) || value[name] === undefined) return value
  const { [name]: inner, ...others } = value
  if (rest.length === 0) return others
  const changed = without(inner ?? null, rest)
  if (changed === inner) return value
  return isJsonObject(changed) && Object.keys(changed).length === 0 ? others : { ...value, [name]: changed }
}
