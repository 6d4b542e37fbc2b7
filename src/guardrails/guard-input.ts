import { isJsonObject } from '../core/internal/json.ts'
import { localMetadata } from '../core/internal/local-metadata.ts'
import type { BedrockRequest, BedrockResponse, JsonObject, JsonValue, MiddlewareContext } from '../core/types.ts'
import { applyGuardrail, type GuardrailContent } from './apply-guardrail.ts'
import type { GuardrailIdentity } from './config.ts'

/**
 * Checks the last user turn, and gives the answer of the guardrail where it intervenes. The answer has the form that
 * Bedrock's own would have.
 */
export async function guardLastTurn(
  request: BedrockRequest,
  guardrail: GuardrailIdentity,
  { fetch, model, clock }: MiddlewareContext,
): Promise<BedrockResponse | undefined> {
  const content = lastUserContent(request.body)
  if (content.length === 0) return undefined
  const started = clock.now()
  const { identifier, version } = guardrail
  const { action, outputs, assessments } = await applyGuardrail(
    { fetch },
    { identifier, version, source: 'INPUT', content, signal: request.signal },
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
  if (request.operation === 'InvokeModel') {
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

function lastUserContent({ messages }: JsonObject): GuardrailContent[] {
  const last = Array.isArray(messages) ? messages.at(-1) : undefined
  if (!isJsonObject(last) || last.role !== 'user') return []
  return typeof last.content === 'string' ? contentOf({ type: 'text', text: last.content }) : contentOf(last.content)
}

// What a user's turn can hide text in: blocks, tool results with blocks of their own, documents given as text.
function contentOf(block: JsonValue | undefined): GuardrailContent[] {
  if (Array.isArray(block)) return block.flatMap(contentOf)
  if (!isJsonObject(block)) return []
  const { type, text, content, source } = block
  if (type === 'text' && typeof text === 'string' && text) return [{ text: { text } }]
  if (type === 'tool_result')
    return typeof content === 'string' ? contentOf({ type: 'text', text: content }) : contentOf(content)
  if (!isJsonObject(source) || typeof source.data !== 'string') return []
  if (type === 'document' && source.type === 'text') return contentOf({ type: 'text', text: source.data })
  const format = /^image\/(png|jpeg)$/.exec(String(source.media_type))?.[1] as 'png' | 'jpeg' | undefined
  return type === 'image' && format ? [{ image: { format, source: { bytes: source.data } } }] : []
}
