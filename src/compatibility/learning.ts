import { isBedrockError } from '../core/errors.ts'
import { nearest } from '../core/internal/assert-options.ts'
import { invalidBeta, isOfKind, unknownField } from '../core/internal/error-kinds.ts'
import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'

/** Something that a model has rejected: a beta, or a field as a path into the body. */
export type Refused = { readonly beta: string } | { readonly path: readonly string[] }

/** Fields that are never removed. */
const essential = /^(messages|system|tools|max_tokens|anthropic_version)$/

// The fields of the Messages API that Bedrock may lack, at any depth. Any other name is a typo, and removing it would
// lose what the caller meant. https://platform.claude.com/docs/en/api/messages/create
const fieldNames = (): string[] =>
  (
    'max_tokens messages model system tools tool_choice thinking metadata stop_sequences stream temperature top_p top_k ' +
    'anthropic_version anthropic_beta betas billing_policy cache_control compaction container context_management ' +
    'diagnostics fallback_credit_token fallbacks inference_geo mcp_servers output_config output_format service_tier ' +
    'speed thread user_profile_id workspace_id ' +
    'effort format task_budget type budget_tokens display block_binding ttl disable_parallel_tool_use user_id edits ' +
    'name description input_schema strict eager_input_streaming defer_loading input_examples allowed_callers'
  ).split(' ')

/** Returns the fields and the beta that an error names, if they may be removed. */
export function refusedBy(error: unknown, body: JsonObject): Refused[] {
  if (!isBedrockError(error, 'service') || error.status !== 400) return []
  const named = betasOf(body).find((beta) => error.message.includes(beta))
  if (named !== undefined && /beta/i.test(error.message)) return [{ beta: named }]
  const known = fieldNames()
  return pathsIn(error).flatMap((path) => {
    const [first = ''] = path
    const isEssential = ['messages', 'system', 'thread'].includes(first) || (path.length === 1 && essential.test(first))
    return isEssential || !path.every((name) => known.includes(name)) ? [] : { path }
  })
}

/** Returns the field that the caller may have meant by an unknown one; `undefined` if all fields are known. */
export function misspeltField(error: unknown): { readonly field: string; readonly meant?: string } | undefined {
  const known = fieldNames()
  const field = pathsIn(error)
    .flat()
    .find((name) => !known.includes(name))
  if (field === undefined) return undefined
  const meant = nearest(field, known)
  return { field, ...(meant && { meant }) }
}

/** Tests whether an error rejects a beta without naming it. */
export function refusesSomeBeta(error: unknown, body: JsonObject): boolean {
  return betasOf(body).length > 0 && isBedrockError(error, 'service') && isOfKind(error, invalidBeta)
}

/**
 * Finds a rejected beta among several by bisection.
 *
 * @param accepts - tests whether the model accepts the given betas
 */
export async function findRefusedBeta(
  betas: readonly string[],
  accepts: (betas: readonly string[]) => Promise<boolean>,
): Promise<string | undefined> {
  // The first `taken` betas are accepted; the first `refused` are not.
  let [taken, refused] = [0, betas.length]
  while (refused - taken > 1) {
    const middle = (taken + refused) >> 1
    if (await accepts(betas.slice(0, middle))) taken = middle
    else refused = middle
  }
  return betas[refused - 1]
}

/** Returns the betas in a body. */
export function betasOf({ anthropic_beta: betas }: JsonObject): string[] {
  return Array.isArray(betas) ? betas.filter((beta) => typeof beta === 'string') : []
}

/** Returns a body without what a model has rejected; the same object if nothing changes. */
export function withoutRefused(body: JsonObject, refused: Refused): JsonObject {
  if ('path' in refused) return without(body, refused.path) as JsonObject
  if (!Array.isArray(body.anthropic_beta) || !body.anthropic_beta.includes(refused.beta)) return body
  const betas = body.anthropic_beta.filter((beta) => beta !== refused.beta)
  const { anthropic_beta: _, ...rest } = body
  return betas.length > 0 ? { ...rest, anthropic_beta: betas } : rest
}

/** Returns the name of what was rejected, in the form of adaptations. */
export function fieldOf(refused: Refused): string {
  return 'beta' in refused ? `anthropic_beta:${refused.beta}` : refused.path.join('.')
}

// `tools.0.custom.strict: Extra inputs are not permitted`: the index and the kind of the tool do not matter.
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
