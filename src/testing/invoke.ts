import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject } from '../core/types.ts'
import { parseModelId } from '../core/model-id.ts'
import { decodeBase64, encodeEvent } from './frames.ts'
import { guardEvents, guardMessage, refuseGuardrail } from './guardrails.ts'
import { baseOf, refuseModel } from './models.ts'
import { cacheUsage } from './prompt-cache.ts'
import { type Admission, admit } from './quotas.ts'
import { countTokens, createMessage, eventsOf, type GivenReply } from './reply.ts'
import { errorResponse, type FakeState, framesResponse, jsonResponse } from './respond.ts'
import { refuseFields, takesCountTokens } from './schema.ts'
import type { FakeCall, FakeMessage } from './types.ts'
import { parseBody, textOf } from './untrusted.ts'
import type { Refusal } from './verify-signature.ts'

/** Answers InvokeModel. */
export function invokeAnswer(state: FakeState, call: FakeCall): Response {
  const outcome = outcomeOf(state, call)
  if ('refusal' in outcome) return errorResponse(state, outcome.refusal)
  const { message, admission } = outcome
  admission.settle(1)
  const { input_tokens, output_tokens, cache_read_input_tokens = 0, cache_creation_input_tokens = 0 } = message.usage
  return jsonResponse(state, guardMessage(state, call, message as unknown as JsonObject), {
    headers: {
      'x-amzn-bedrock-input-token-count': String(input_tokens),
      'x-amzn-bedrock-output-token-count': String(output_tokens),
      'x-amzn-bedrock-cache-read-input-token-count': String(cache_read_input_tokens),
      'x-amzn-bedrock-cache-write-input-token-count': String(cache_creation_input_tokens),
      'x-amzn-bedrock-invocation-latency': '42',
    },
  })
}

/** Answers InvokeModelWithResponseStream. */
export function streamAnswer(state: FakeState, call: FakeCall): Response {
  const outcome = outcomeOf(state, call)
  if ('refusal' in outcome) return errorResponse(state, outcome.refusal)
  const { message, admission } = outcome
  const events = guardEvents(state, call, outcome.events ?? eventsOf(message))
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
  return framesResponse(state, events.map(encodeEvent), admission.settle)
}

/** Returns the body whose tokens CountTokens should count; `undefined` if there is none. */
export function countedBody(request: JsonObject | undefined): JsonObject | undefined {
  const { invokeModel } = isJsonObject(request?.input) ? request.input : {}
  // A body in Converse's form is returned as it is, to be rejected later.
  if (!isJsonObject(invokeModel)) return request
  return parseBody(decodeBase64(textOf(invokeModel.body)) ?? '')
}

/** Answers CountTokens. */
export function countTokensAnswer(state: FakeState, call: FakeCall): Response {
  const { model = '', body } = call
  const isCountable =
    parseModelId(model).kind === 'foundation-model' &&
    isAnthropic(model) &&
    !isJsonObject(body.input) &&
    takesCountTokens(model)
  const refusal = isCountable ? refuseBody(body, model) : invalid("The provided model doesn't support counting tokens.")
  return refusal ? errorResponse(state, refusal) : jsonResponse(state, { inputTokens: countTokens(body) })
}

type Outcome =
  | { readonly refusal: Refusal }
  | { readonly message: FakeMessage; readonly admission: Admission; readonly events?: JsonObject[] }

// The outcome of a call. A stream's events may be given; otherwise they are derived from the message.
function outcomeOf(state: FakeState, call: FakeCall): Outcome {
  const base = baseOf(state, call.model ?? '') ?? call.model ?? ''
  const guardrail = refuseGuardrail(state, call)
  const refusal =
    refuseModel(state, call) ?? refuseBody(call.body, base) ?? (guardrail ? invalid(guardrail) : undefined)
  if (refusal) return { refusal }
  let reply: GivenReply
  try {
    reply = typeof state.options.reply === 'function' ? state.options.reply(call) : state.options.reply
  } catch (error) {
    const message = `The reply function of the fake Bedrock threw: ${(error as Error)?.message ?? error}`
    return { refusal: { status: 500, type: 'InternalServerException', message } }
  }
  const message = createMessage(call, reply, base.replace(/^anthropic\.|-v\d(:\d)?$/g, ''))
  const cache = cacheUsage(state, call, base, message.usage)
  const usage = { ...message.usage, ...cache.usage }
  const admission = admit(state, call, usage)
  if ('refusal' in admission) return admission
  cache.keep()
  return {
    message: { ...message, usage },
    admission,
    ...(Array.isArray(reply) && { events: [...reply] }),
  }
}

function invalid(message: string): Refusal {
  return { status: 400, type: 'ValidationException', message }
}

/** Tests whether a model may be Anthropic's. Some ARNs do not reveal their model. */
function isAnthropic(base: string): boolean {
  return (parseModelId(base).provider ?? 'anthropic') === 'anthropic'
}

// Bedrock validates bodies against its own schema, and rejects unknown fields.
const fields = new Set(
  'anthropic_version anthropic_beta max_tokens messages system temperature top_p top_k tools tool_choice stop_sequences thinking metadata output_config context_management cache_control amazon-bedrock-guardrailConfig'.split(
    ' ',
  ),
)

function refuseBody(body: JsonObject, base = ''): Refusal | undefined {
  // Other providers have their own schemas.
  if (!isAnthropic(base)) return undefined
  if (body.anthropic_version === undefined) return invalid('anthropic_version: Field required')
  if (!/^(bedrock-2023-05-31|2026-10-21)$/.test(textOf(body.anthropic_version)))
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
