import { compatibilityKey, compatibilityTable, modelBetas } from '../compatibility/table.ts'
import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'
import { parseModelId } from '../core/model-id.ts'

/** Why Bedrock's own copy of the Messages schema would refuse a body for a model; `undefined` for a model nobody knows. */
export function refuseFields(base: string, body: JsonObject): string | undefined {
  const key = compatibilityKey(parseModelId(base))
  const model = compatibilityTable[key]
  const { thinking, output_config: config, tools, anthropic_beta: betas, messages } = body
  const extra = (field: string): string => `${field}: Extra inputs are not permitted`
  const eager = list(tools).findIndex((tool) => isJsonObject(tool) && tool.eager_input_streaming !== undefined)
  if (eager >= 0) return extra(`tools.${eager}.custom.eager_input_streaming`)
  if (!model) return undefined
  const type = isJsonObject(thinking) ? thinking.type : undefined
  if (model.version2026 === 'no' && body.anthropic_version !== 'bedrock-2023-05-31')
    return 'anthropic_version: Input should be bedrock-2023-05-31'
  if (type === 'enabled' && model.budgetThinking === 'no')
    return 'thinking.type.enabled is not supported for this model'
  if (type === 'adaptive' && model.adaptiveThinking === 'no') return 'adaptive thinking is not supported on this model'
  if (type === 'disabled' && model.disabledThinking === 'no')
    return 'thinking.type.disabled is not supported for this model'
  if (isJsonObject(config)) {
    if (config.effort !== undefined && model.effort === 'no') return 'This model does not support the effort parameter'
    if (config.format !== undefined && model.structuredOutputs === 'no') return extra('output_config.format')
    const hasBeta = Array.isArray(betas) && betas.includes('effort-2025-11-24')
    if (config.effort !== undefined && model.effort === 'beta' && !hasBeta) return extra('output_config.effort')
  }
  if (model.sampling === 'no') {
    const field = ['temperature', 'top_p', 'top_k'].find((name) => body[name] !== undefined)
    if (field) return `\`${field}\` is not supported for this model`
  }
  if (model.bothSampling === 'no' && body.temperature !== undefined && body.top_p !== undefined)
    return '`temperature` and `top_p` cannot both be specified for this model'
  if (body.cache_control !== undefined && model.topLevelCaching === 'no') return extra('cache_control')
  const strict = list(tools).findIndex((tool) => isJsonObject(tool) && tool.strict !== undefined)
  if (strict >= 0 && model.structuredOutputs === 'no') return extra(`tools.${strict}.custom.strict`)
  const last = Array.isArray(messages) ? messages.at(-1) : undefined
  if (model.prefill === 'no' && isJsonObject(last) && last.role === 'assistant')
    return 'This model does not support assistant message prefill.'
  for (const beta of list(betas)) {
    const models = modelBetas[String(beta)]
    if (models && !models.includes(key)) return `invalid beta flag: ${String(beta)}`
  }
  return undefined
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : []
}
