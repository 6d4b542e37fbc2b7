import { isJsonObject } from '../core/internal/json.ts'
import { MessageAccumulator } from '../core/messages/accumulate.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'

/** The information in an answer so far. */
export interface Answer {
  readonly id?: JsonValue | undefined
  readonly model?: JsonValue | undefined
  readonly stop_reason?: JsonValue | undefined
  readonly content?: JsonValue | undefined
  /** For a JSON answer. A stream's usage is in its metadata. */
  readonly usage?: JsonValue | undefined
  /** The output tokens used for thinking. */
  readonly thinkingTokens?: number | undefined
  /** Whether the answer is complete. */
  readonly isWhole: boolean
}

/** Reads the information in a JSON answer. */
export function readAnswer(body: JsonObject): Answer {
  const { id, model, stop_reason, content, usage } = body
  return { id, model, stop_reason, content, usage, thinkingTokens: thinkingTokensOf(usage), isWhole: true }
}

/** Collects the information in a stream's events. */
export interface AnswerCollector {
  readonly answer: Answer
  add(event: JsonObject): void
  /** Called at the stream's regular end. */
  end(): void
}

/** @param withContent - whether to keep the content too */
export function collectAnswer(withContent: boolean): AnswerCollector {
  let accumulator = withContent ? new MessageAccumulator() : undefined
  let answer: Answer = { isWhole: false }
  return {
    get answer() {
      return { ...answer, content: accumulator?.message?.content }
    },
    add(event) {
      const { type, message, delta, usage } = event
      if (type === 'message_start' && isJsonObject(message))
        answer = { ...answer, id: message.id, model: message.model }
      if (type === 'message_delta') {
        const stop_reason = isJsonObject(delta) ? delta.stop_reason : undefined
        answer = { ...answer, stop_reason, thinkingTokens: thinkingTokensOf(usage) }
      }
      if (type === 'message_stop') answer = { ...answer, isWhole: true }
      try {
        accumulator?.add(event)
      } catch {
        // The reader of the stream gets the error for events that do not fit.
        accumulator = undefined
      }
    },
    end() {
      answer = { ...answer, isWhole: true }
    },
  }
}

function thinkingTokensOf(usage: JsonValue | undefined): number | undefined {
  const details = isJsonObject(usage) ? usage.output_tokens_details : undefined
  const tokens = isJsonObject(details) ? details.thinking_tokens : undefined
  return typeof tokens === 'number' ? tokens : undefined
}
