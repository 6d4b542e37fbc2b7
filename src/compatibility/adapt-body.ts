import { isJsonObject } from '../core/internal/json.ts'
import type { Adaptation, JsonObject, JsonValue, Operation } from '../core/types.ts'
import { compatibilityKey, compatibilityTable, hasBeta, type ModelCompatibility } from './table.ts'

/** An adapted body, and the changes made to it. */
export interface AdaptedBody {
  readonly body: JsonObject
  readonly adaptations: readonly Adaptation[]
}

/** The model to adapt to. Without a family and version, only changes that apply to every model are made. */
export interface AdaptationTarget {
  readonly family?: string | undefined
  readonly version?: string | undefined
  readonly operation?: Operation | undefined
}

const baseVersion = 'bedrock-2023-05-31'
// The version that Anthropic's SDKs send since 1.0: https://platform.claude.com/docs/en/api/versioning
const version2026 = '2026-10-21'

/**
 * Adapts a body to a model: converts fields that have an equivalent, removes those that have none, and adds the betas
 * that fields need. Does not change the given body.
 */
export function adaptBody(given: JsonObject, target: AdaptationTarget): AdaptedBody {
  const key = compatibilityKey(target)
  const model: ModelCompatibility = compatibilityTable[key] ?? {}
  const adaptations: Adaptation[] = []
  const note = (action: Adaptation['action'], field: string, reason: string): void => {
    adaptations.push({ action, field, reason })
  }
  const body: JsonObject = { ...given }
  const drop = (field: string, reason: string): void => {
    if (body[field] === undefined) return
    delete body[field]
    note('removed', field, reason)
  }
  const betas = new Set<JsonValue>(Array.isArray(body.anthropic_beta) ? body.anthropic_beta : [])
  const addBeta = (beta: string, field: string): void => {
    // A beta that the model does not have would be rejected, and the caller did not ask for it.
    if (betas.has(beta) || !hasBeta(key, beta)) return
    betas.add(beta)
    note('added', `anthropic_beta:${beta}`, `${field} needs it`)
  }

  if (model.version2026 === 'no' && body.anthropic_version !== undefined && body.anthropic_version !== baseVersion) {
    body.anthropic_version = baseVersion
    note('replaced', 'anthropic_version', 'this model accepts no other version')
  }

  const thinking = isJsonObject(body.thinking) ? body.thinking : undefined
  if (thinking?.type === 'enabled' && model.budgetThinking === 'no') {
    body.thinking = { type: 'adaptive' }
    note('replaced', 'thinking', 'this model decides for itself how long to think')
  } else if (thinking?.type === 'adaptive' && model.adaptiveThinking === 'no') {
    const budget = Math.floor(Number(body.max_tokens) / 2)
    if (budget >= 1024) {
      body.thinking = { type: 'enabled', budget_tokens: budget }
      note('replaced', 'thinking', 'this model needs a thinking budget: half of max_tokens')
    } else {
      drop(
        'thinking',
        'this model needs a thinking budget of at least 1024 tokens, and max_tokens leaves no room for it',
      )
    }
  } else if (thinking?.type === 'disabled' && model.disabledThinking === 'no') {
    drop('thinking', 'this model always thinks')
  }

  if (isJsonObject(body.output_config)) {
    const { effort, format, ...rest } = body.output_config
    const keepsEffort = effort === undefined || model.effort !== 'no'
    const keepsFormat = format === undefined || model.structuredOutputs !== 'no'
    if (!keepsEffort) note('removed', 'output_config.effort', 'this model does not support effort')
    else if (effort !== undefined && model.effort === 'beta') addBeta('effort-2025-11-24', 'output_config.effort')
    if (!keepsFormat) note('removed', 'output_config.format', 'this model does not support an output format')
    if (!keepsEffort || !keepsFormat) {
      const config = {
        ...rest,
        ...(keepsEffort && effort !== undefined && { effort }),
        ...(keepsFormat && format !== undefined && { format }),
      }
      if (Object.keys(config).length > 0) body.output_config = config
      else delete body.output_config
    }
  }

  const refusesSampling = model.sampling === 'no' ? 'this model' : body.anthropic_version === version2026 && version2026
  if (refusesSampling) {
    for (const field of ['temperature', 'top_p', 'top_k'])
      drop(field, `${refusesSampling} accepts no sampling parameters`)
  } else if (model.bothSampling === 'no' && body.temperature !== undefined) {
    drop('top_p', 'this model accepts temperature or top_p, but not both')
  }

  const { cache_control: automatic } = body
  if (automatic !== undefined && model.topLevelCaching === 'no') {
    delete body.cache_control
    body.messages = withLastPoint(body.messages, automatic)
    note('replaced', 'cache_control', 'this model accepts it only on a block; it was moved to the last one')
  }

  if (Array.isArray(body.tools)) adaptTools(body, model, target.operation, note, addBeta)
  if (isJsonObject(body.context_management)) {
    addBeta('context-management-2025-06-27', 'context_management')
    const edits = JSON.stringify(body.context_management)
    if (edits.includes('compact_20260112')) addBeta('compact-2026-01-12', 'the edit compact_20260112')
  }

  for (const beta of betas) {
    if (hasBeta(key, String(beta))) continue
    betas.delete(beta)
    note('removed', `anthropic_beta:${String(beta)}`, 'this model does not have it')
  }
  if (betas.size > 0) body.anthropic_beta = [...betas]
  else delete body.anthropic_beta
  return adaptations.length > 0 ? { body, adaptations } : { body: given, adaptations }
}

function adaptTools(
  body: JsonObject,
  model: ModelCompatibility,
  operation: Operation | undefined,
  note: (action: Adaptation['action'], field: string, reason: string) => void,
  addBeta: (beta: string, field: string) => void,
): void {
  const removed = new Map<string, string>()
  body.tools = (body.tools as JsonValue[]).map((tool) => {
    if (!isJsonObject(tool)) return tool
    const type = String(tool.type ?? '')
    if (type.startsWith('tool_search_tool')) addBeta('tool-search-tool-2025-10-19', type)
    if (type === 'computer_20250124') addBeta('computer-use-2025-01-24', type)
    if (type === 'computer_20251124') addBeta('computer-use-2025-11-24', type)
    const { eager_input_streaming: eager, strict, ...rest } = tool
    if (eager !== undefined) removed.set('eager_input_streaming', 'Bedrock has a beta for it instead')
    if (eager === true) addBeta('fine-grained-tool-streaming-2025-05-14', 'eager_input_streaming')
    const keepsStrict = model.structuredOutputs !== 'no' && operation !== 'CountTokens'
    if (strict !== undefined && !keepsStrict) {
      removed.set(
        'strict',
        operation === 'CountTokens'
          ? 'CountTokens accepts no extra fields in tools'
          : 'this model does not enforce tool schemas',
      )
    }
    if (operation === 'CountTokens') {
      for (const field of ['defer_loading', 'input_examples', 'allowed_callers']) {
        if (!(field in rest)) continue
        delete rest[field]
        removed.set(field, 'CountTokens accepts no extra fields in tools')
      }
    }
    return keepsStrict && strict !== undefined ? { ...rest, strict } : rest
  })
  for (const [field, reason] of removed) note('removed', `tools.${field}`, reason)
}

function withLastPoint(messages: JsonValue | undefined, point: JsonValue): JsonValue {
  if (!Array.isArray(messages)) return messages ?? []
  const last = messages.at(-1)
  if (!isJsonObject(last)) return messages
  const content: JsonValue[] =
    typeof last.content === 'string'
      ? [{ type: 'text', text: last.content }]
      : Array.isArray(last.content)
        ? last.content
        : []
  const at = content.findLastIndex(
    (block) => isJsonObject(block) && block.type !== 'thinking' && block.type !== 'redacted_thinking',
  )
  if (at < 0) return messages
  const marked = content.map((block, i) => (i === at ? { ...(block as JsonObject), cache_control: point } : block))
  return [...messages.slice(0, -1), { ...last, content: marked }]
}
