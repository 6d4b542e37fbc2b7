import { isBedrockError } from '../core/errors.ts'
import { capacity, dailyQuota, isOfKind, throttling } from '../core/internal/error-kinds.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { isIoBoundToRequest } from '../core/internal/single-flight.ts'
import type { BedrockRequest, FailedAttempt, JsonObject, MiddlewareContext, TokenUsage } from '../core/types.ts'
import { countedTokens, type Estimate } from './estimate.ts'
import type { CallOutcome, ModelBudget } from './model-budget.ts'
import type { LimitTicket } from './store.ts'

/** A call in progress. However it ends, it is settled once. */
export interface OpenCall {
  /** Called for attempts that are retried. */
  retried(failed: FailedAttempt): void
  /** Called for a stream's events, to measure the output so far. */
  see(event: JsonObject): void
  /** Called when the answer is complete. */
  end(usage: TokenUsage): Promise<void> | undefined
  /** Called when a stream ends early, by a fault or because its reader left. The output so far counts. */
  leave(usage: TokenUsage, error: unknown): void
  /** Called when there is no answer. */
  fail(error: unknown): void
}

/** Options of an open call. */
export interface OpenCallOptions {
  readonly budget: ModelBudget
  readonly ticket: LimitTicket
  readonly estimate: Estimate
  readonly burndown: number
  readonly request: BedrockRequest
  readonly context: MiddlewareContext
}

export function openCall({ budget, ticket, estimate, burndown, request, context }: OpenCallOptions): OpenCall {
  let isOver = false
  let written = 0
  const settle = (outcome: CallOutcome): Promise<void> | undefined => {
    if (isOver) return undefined
    isOver = outcome.used !== undefined
    return budget.settle(ticket, outcome, context)
  }
  return {
    retried({ error }) {
      const refusal = refusalOf(error)
      if (refusal) settle(refusal)
    },
    see({ type, delta }) {
      if (type !== 'content_block_delta' || !isJsonObject(delta)) return
      const { text, thinking, partial_json } = delta
      for (const piece of [text, thinking, partial_json]) if (typeof piece === 'string') written += piece.length
    },
    end(usage) {
      if (isOver) return undefined
      budget.estimator.learn(request.body, usage)
      const settled = settle({ used: countedTokens(usage, burndown) })
      // On Cloudflare Workers no work continues after the response.
      return isIoBoundToRequest() ? settled : undefined
    },
    leave(usage, error) {
      if (isOver) return
      const { inputTokens = estimate.input, outputTokens = 0 } = usage
      const output = Math.max(outputTokens, Math.ceil(written / 4))
      const used = countedTokens({ ...usage, inputTokens, outputTokens: output }, burndown)
      settle({ ...refusalOf(error), used })
    },
    fail(error) {
      // Bedrock reads the input of an aborted call, and may have processed all of it.
      const wasGivenUp = request.signal?.aborted || isBedrockError(error, 'timeout')
      settle({ ...refusalOf(error), used: wasGivenUp ? estimate.input : 0 })
    },
  }
}

/** Returns the quota for which Bedrock throttled a call, if it did. */
function refusalOf(error: unknown): Pick<CallOutcome, 'throttled' | 'pause'> | undefined {
  if (!isBedrockError(error, 'service') && !isBedrockError(error, 'stream_exception')) return undefined
  const { type = '', message } = error
  const pause = 'retryAfter' in error ? error.retryAfter : undefined
  if (isOfKind({ type, message }, dailyQuota)) return { throttled: 'day', pause }
  if (!isOfKind({ type, message }, throttling, capacity)) return undefined
  return { throttled: /too many requests/i.test(message) ? 'requests' : 'tokens', pause }
}
