import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject } from '../core/types.ts'
import { parseModelId } from '../core/model-id.ts'
import { encodeEvent } from './frames.ts'
import { guardEvents, guardMessage, refuseGuardrail } from './guardrails.ts'
import { baseOf, refuseModel } from './models.ts'
import { cacheUsage } from './prompt-cache.ts'
import { countTokens, createMessage, eventsOf, repliedEvents } from './reply.ts'
import { errorResponse, type FakeState, framesResponse, jsonResponse } from './respond.ts'
import { refuseFields } from './schema.ts'
import type { FakeCall, FakeMessage } from './types.ts'
import type { Refusal } from './verify-signature.ts'

/** InvokeModel. */
export function invokeAnswer(state: FakeState, call: FakeCall): Response {
  const refusal = refuse(state, call)
  if (refusal) return errorResponse(state, refusal)
  const message = messageFor(state, call)
  const { input_tokens, output_tokens, cache_read_input_tokens = 0, cache_creation_input_tokens = 0 } = message.usage
  return jsonResponse(state, guardMessage(state, call, message as unknown as JsonObject), {
    'x-amzn-bedrock-input-token-count': String(input_tokens),
    'x-amzn-bedrock-output-token-count': String(output_tokens),
    'x-amzn-bedrock-cache-read-input-token-count': String(cache_read_input_tokens),
    'x-amzn-bedrock-cache-write-input-token-count': String(cache_creation_input_tokens),
    'x-amzn-bedrock-invocation-latency': '42',
  })
}

/** InvokeModelWithResponseStream. */
export function streamAnswer(state: FakeState, call: FakeCall): Response {
  const refusal = refuse(state, call)
  if (refusal) return errorResponse(state, refusal)
  const message = messageFor(state, call)
  const events = guardEvents(state, call, [...(repliedEvents(call, state.options.reply) ?? eventsOf(message))])
  const last = events.at(-1)
  if (last?.type === 'message_stop') {
    events[events.length - 1] = {
      ...last,
      'amazon-bedrock-invocationMetrics': {
        inputTokenCount: message.usage.input_tokens ?? 0,
        outputTokenCount: message.usage.output_tokens ?? 0,
        invocationLatency: 42,
        firstByteLatency: 7,
        cacheReadInputTokenCount: message.usage.cache_read_input_tokens ?? 0,
        cacheWriteInputTokenCount: message.usage.cache_creation_input_tokens ?? 0,
      },
    }
  }
  return framesResponse(state, events.map(encodeEvent))
}

/** CountTokens. */
export function countTokensAnswer(state: FakeState, call: FakeCall): Response {
  const { kind } = parseModelId(call.model ?? '')
  const refusal: Refusal | undefined =
    kind === 'foundation-model'
      ? refuseBody(call.body, call.model)
      : { status: 400, type: 'ValidationException', message: "The provided model doesn't support counting tokens." }
  return refusal ? errorResponse(state, refusal) : jsonResponse(state, { inputTokens: countTokens(call.body) })
}

function messageFor(state: FakeState, call: FakeCall): FakeMessage {
  const base = baseOf(state, call.model ?? '') ?? call.model ?? ''
  const message = createMessage(call, state.options.reply, base.replace(/^anthropic\.|-v\d(:\d)?$/g, ''))
  return { ...message, usage: { ...message.usage, ...cacheUsage(state, call, base, message.usage) } }
}

function refuse(state: FakeState, call: FakeCall): Refusal | undefined {
  const guardrail = refuseGuardrail(state, call)
  return (
    refuseModel(state, call) ??
    refuseBody(call.body, baseOf(state, call.model ?? '')) ??
    (guardrail ? { status: 400, type: 'ValidationException', message: guardrail } : undefined)
  )
}

// Bedrock checks bodies against a schema of its own, and takes no field that it does not know.
const fields = new Set(
  'anthropic_version anthropic_beta max_tokens messages system temperature top_p top_k tools tool_choice stop_sequences thinking metadata output_config context_management cache_control amazon-bedrock-guardrailConfig'.split(
    ' ',
  ),
)

function refuseBody(body: JsonObject, base = ''): Refusal | undefined {
  const invalid = (message: string): Refusal => ({ status: 400, type: 'ValidationException', message })
  if (body.anthropic_version === undefined) return invalid('anthropic_version: Field required')
  if (!/^(bedrock-2023-05-31|2026-10-21)$/.test(String(body.anthropic_version)))
    return invalid(`anthropic_version: Input should be 'bedrock-2023-05-31'`)
  if (typeof body.max_tokens !== 'number') return invalid('max_tokens: Field required')
  if (!Array.isArray(body.messages) || body.messages.length === 0)
    return invalid('messages: at least one message is required')
  const unknown = Object.keys(body).find((field) => !fields.has(field))
  if (unknown) return invalid(`${unknown}: Extra inputs are not permitted`)
  if (isJsonObject(body.system)) return invalid('system: Input should be a valid list')
  const refused = refuseFields(base, body)
  return refused ? invalid(refused) : undefined
}
