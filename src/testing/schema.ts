import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'
import { formatOf, refuseGrammar } from './json-schema.ts'
import { textOf } from './untrusted.ts'

// The features that models accept, one by one, from AWS's and Anthropic's pages: model cards, feature pages and the
// request reference, as read in the autumn of 2026. It is kept independent of the client's table, so that tests detect
// a fact that is wrong on one side.
// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
// https://platform.claude.com/docs/en/build-with-claude/claude-on-amazon-bedrock-legacy

const names = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** Opus 4.6 and older, served by the older path: no automatic caching, and only the first API version. */
const older = names('opus-4-6 sonnet-4-6 opus-4-5 sonnet-4-5 haiku-4-5 opus-4-1 sonnet-4')
/** Adaptive thinking instead of a budget: 4.7 and newer. */
const newer = names('opus-4-7 opus-4-8 opus-5 opus-5-5 sonnet-5 sonnet-5-5 fable-5')
/** Adaptive thinking came with 4.6. */
const withoutAdaptiveThinking = names('opus-4-5 sonnet-4-5 haiku-4-5 opus-4-1 sonnet-4')
const alwaysThinking = names('opus-5-5')
/** Effort is generally available from 4.6 on; Opus 4.5 has it behind a beta. */
const withoutEffort = names('sonnet-4-5 haiku-4-5 opus-4-1 sonnet-4')
const effortBehindBeta = names('opus-4-5')
const withoutStructuredOutputs = names('opus-4-7 opus-4-8 opus-5 opus-5-5 sonnet-5 sonnet-5-5 fable-5')
/** Neither temperature nor top_p nor top_k. */
const withoutSampling = names('opus-4-7 opus-4-8 opus-5 opus-5-5')
/** Either temperature or top_p. */
const oneSampling = names('sonnet-4-5 haiku-4-5')
/** Rejected from 4.6 on. */
const withoutPrefill = names('opus-4-6 sonnet-4-6 opus-4-7 opus-4-8 opus-5 opus-5-5 sonnet-5 sonnet-5-5 fable-5')
/** A system message in the middle of a conversation. */
const withoutSystemMessages = names(`sonnet-5 ${[...older].join(' ')}`)
const withoutCountTokens = names('opus-5 opus-5-5')

/** Betas of certain models, and betas for features that Bedrock does not have. */
const betaModels = new Map([
  ['effort-2025-11-24', effortBehindBeta],
  ['tool-examples-2025-10-29', names('opus-4-5')],
  ['compact-2026-01-12', names('opus-4-6 sonnet-4-6')],
  ['compact-2026-09-04', names('opus-5-5')],
  ['context-1m-2025-08-07', names('sonnet-4 sonnet-4-6 opus-4-6')],
  ['files-api-2025-04-14', names('')],
  ['mcp-client-2025-11-20', names('')],
  ['mcp-servers-2025-12-04', names('')],
  ['skills-2025-10-02', names('')],
])

/** Tools that Anthropic runs, which Bedrock does not. */
const serverTool = /^(web_search|web_fetch|code_execution|advisor)_\d/

/** Tests whether Bedrock counts tokens for a model. */
export function takesCountTokens(base: string): boolean {
  return !withoutCountTokens.has(nameOf(base))
}

/** Says why Bedrock's copy of the Messages schema would reject a body for a model, in Bedrock's words. */
export function refuseFields(base: string, body: JsonObject): string | undefined {
  const name = nameOf(base)
  return (
    refuseTools(name, list(body.tools)) ??
    refuseThinking(name, body) ??
    refuseOutput(name, body) ??
    refuseSampling(name, body) ??
    refuseMessages(name, body) ??
    refuseBetas(name, body)
  )
}

function refuseTools(name: string, tools: readonly JsonObject[]): string | undefined {
  for (const [i, tool] of tools.entries()) {
    if (serverTool.test(textOf(tool.type))) return `tool type '${textOf(tool.type)}' is not supported`
    if (tool.eager_input_streaming !== undefined) return extra(`tools.${i}.custom.eager_input_streaming`)
    if (tool.strict !== undefined && withoutStructuredOutputs.has(name)) return extra(`tools.${i}.custom.strict`)
  }
  return undefined
}

function refuseThinking(name: string, { thinking, tool_choice: choice }: JsonObject): string | undefined {
  const type = isJsonObject(thinking) ? thinking.type : undefined
  if (type === 'enabled' && isJsonObject(choice) && (choice.type === 'any' || choice.type === 'tool'))
    return 'Thinking may not be enabled when tool_choice forces tool use.'
  if (type === 'enabled' && newer.has(name)) return 'thinking.type.enabled is not supported for this model'
  if (type === 'adaptive' && withoutAdaptiveThinking.has(name))
    return 'adaptive thinking is not supported on this model'
  if (type === 'disabled' && alwaysThinking.has(name)) return 'thinking.type.disabled is not supported for this model'
  return undefined
}

function refuseOutput(name: string, { output_config: config, anthropic_beta: betas }: JsonObject): string | undefined {
  if (!isJsonObject(config)) return undefined
  if (config.effort !== undefined && withoutEffort.has(name)) return 'This model does not support the effort parameter'
  if (config.format !== undefined && withoutStructuredOutputs.has(name)) return extra('output_config.format')
  const refusal = refuseGrammar(formatOf({ output_config: config })?.schema)
  if (refusal) return `output_config.format.schema: ${refusal}`
  const hasBeta = Array.isArray(betas) && betas.includes('effort-2025-11-24')
  if (config.effort !== undefined && effortBehindBeta.has(name) && !hasBeta) return extra('output_config.effort')
  return undefined
}

function refuseSampling(name: string, body: JsonObject): string | undefined {
  const isNewVersion = body.anthropic_version === '2026-10-21'
  if (isNewVersion && older.has(name)) return 'anthropic_version: Input should be bedrock-2023-05-31'
  if (isNewVersion || withoutSampling.has(name)) {
    const field = ['temperature', 'top_p', 'top_k'].find((each) => body[each] !== undefined)
    if (field) return `\`${field}\` is not supported for this model`
  }
  if (oneSampling.has(name) && body.temperature !== undefined && body.top_p !== undefined)
    return '`temperature` and `top_p` cannot both be specified for this model'
  return undefined
}

function refuseMessages(name: string, body: JsonObject): string | undefined {
  if (body.cache_control !== undefined && older.has(name)) return extra('cache_control')
  const messages = list(body.messages)
  if (withoutSystemMessages.has(name) && messages.some(({ role }) => role === 'system'))
    return 'messages: Unexpected role "system"'
  if (withoutPrefill.has(name) && messages.at(-1)?.role === 'assistant')
    return 'This model does not support assistant message prefill.'
  return undefined
}

// Bedrock does not name the beta.
function refuseBetas(name: string, { anthropic_beta: betas }: JsonObject): string | undefined {
  if (!isDocumented(name) || !Array.isArray(betas)) return undefined
  const isUnknown = betas.some((beta) => betaModels.get(textOf(beta))?.has(name) === false)
  return isUnknown ? 'invalid beta flag' : undefined
}

/** Returns `opus-4-5` for `anthropic.claude-opus-4-5-20251101-v1:0`. */
function nameOf(base: string): string {
  return base.replace(/^anthropic\.claude-/, '').split(/-(?:\d{8}|v\d)/)[0] as string
}

function isDocumented(name: string): boolean {
  return older.has(name) || newer.has(name)
}

function extra(field: string): string {
  return `${field}: Extra inputs are not permitted`
}

function list(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}
