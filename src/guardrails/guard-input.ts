import { ConfigurationError } from '../core/errors.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { localMetadata } from '../core/internal/local-metadata.ts'
import { operations } from '../core/internal/operations.ts'
import type { BedrockRequest, BedrockResponse, JsonObject, JsonValue, MiddlewareContext } from '../core/types.ts'
import { applyGuardrail, type GuardrailContent } from './apply-guardrail.ts'
import type { GuardrailIdentity } from './config.ts'

/**
 * Checks the last user turn. If the guardrail intervenes, returns its answer in the same form as Bedrock's own.
 */
export async function guardLastTurn(
  request: BedrockRequest,
  guardrail: GuardrailIdentity,
  { fetch, model, clock, timeout }: MiddlewareContext,
): Promise<BedrockResponse | undefined> {
  const content = lastUserContent(request.body)
  if (content.length === 0) return undefined
  const started = clock.now()
  const { identifier, version } = guardrail
  const { action, outputs, assessments } = await applyGuardrail(
    { fetch },
    { identifier, version, source: 'INPUT', content, signal: request.signal, timeout, retry: request.options.retry },
  )
  if (action === 'NONE') return undefined

  const metadata = localMetadata(model, { inputTokens: 0, outputTokens: 0 }, clock.now() - started)
  const text = outputs.join('\n')
  const outcome = {
    'amazon-bedrock-guardrailAction': 'INTERVENED',
    'amazon-bedrock-trace': { guardrail: { input: { [identifier]: [...assessments] } } },
  }
  const message = {
    id: `msg_guardrail_${started.toString(36)}`,
    type: 'message',
    role: 'assistant',
    model: model.base ?? model.id,
    stop_sequence: null,
    usage: { input_tokens: 0, output_tokens: 0 },
  }
  if (operations[request.operation].answers === 'json') {
    return {
      type: 'json',
      metadata,
      body: { ...message, content: [{ type: 'text', text }], stop_reason: 'end_turn', ...outcome },
    }
  }
  const events: JsonObject[] = [
    { type: 'message_start', message: { ...message, content: [], stop_reason: null } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 0 } },
    { type: 'message_stop', ...outcome },
  ]
  return {
    type: 'stream',
    metadata,
    events: (async function* () {
      yield* events
    })(),
  }
}

// A turn may consist of several user messages, and a prefilled answer may follow it.
function lastUserContent({ messages }: JsonObject): GuardrailContent[] {
  if (!Array.isArray(messages))
    throw new ConfigurationError('guardInput checks messages, but the body has none', {
      hint: 'Check the input with applyGuardrail before the call.',
    })
  const isUser = (message: JsonValue | undefined): boolean => isJsonObject(message) && message.role === 'user'
  const end = messages.findLastIndex(isUser) + 1
  const start = messages.slice(0, end).findLastIndex((message) => !isUser(message)) + 1
  return messages.slice(start, end).flatMap((message) => contentOf((message as JsonObject).content))
}

// The parts of a turn with text: blocks, tool results and search results with their own blocks, documents.
function contentOf(value: JsonValue | undefined, depth = 0): GuardrailContent[] {
  if (depth > 50) throw new ConfigurationError('The last turn is nested too deeply to be checked')
  if (typeof value === 'string') return value ? [{ text: { text: value } }] : []
  if (Array.isArray(value)) return value.flatMap((each) => contentOf(each, depth + 1))
  if (!isJsonObject(value)) return []
  const { title, context, text, content, source } = value
  const texts = [title, context, text, content].flatMap((each) => contentOf(each, depth + 1))
  return isJsonObject(source) ? [...texts, ...contentOfSource(source, depth + 1)] : texts
}

function contentOfSource({ type, media_type, data, content }: JsonObject, depth: number): GuardrailContent[] {
  if (typeof data !== 'string') return contentOf(content, depth)
  if (type === 'text') return contentOf(data)
  const format = /^image\/(png|jpeg)$/.exec(String(media_type))?.[1] as 'png' | 'jpeg' | undefined
  return format ? [{ image: { format, source: { bytes: data } } }] : []
}
