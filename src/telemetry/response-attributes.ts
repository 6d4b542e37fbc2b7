import { failureName } from '../core/internal/outcome.ts'
import { isBedrockError } from '../core/errors.ts'
import { redact } from '../core/internal/redact.ts'
import type { ResponseMetadata, TokenUsage } from '../core/types.ts'
import type { Answer } from './collect-answer.ts'
import { attribute, editions, ownAttribute, type TelemetryConventions } from './names.ts'
import type { TelemetryAttributes } from './opentelemetry.ts'
import { defined } from './request-attributes.ts'

/** How a call ended. */
export interface Outcome {
  readonly metadata?: ResponseMetadata | undefined
  readonly answer?: Answer | undefined
  /** What was used and has to be paid for: a stored answer was paid for by the call that made it. */
  readonly usage?: TokenUsage | undefined
  /** What it failed with, or why its caller ended it; `undefined` where it succeeded. */
  readonly error?: unknown
  readonly seconds: number
  /** Until the first event of a stream. */
  readonly secondsToFirstChunk?: number | undefined
}

/** Whether the caller wanted no more of a call, which is no failure of it. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** What went wrong, in words; AWS's and a gateway's own are redacted. */
export function describeError(error: unknown): string {
  return isBedrockError(error) ? error.message : redact(error instanceof Error ? error.message : String(error))
}

/** What a call came to. */
export function responseAttributes(
  { metadata, answer, usage, error, secondsToFirstChunk }: Outcome,
  conventions: TelemetryConventions,
): TelemetryAttributes {
  const { requestId, status, attempts } = { ...metadata, ...errorFacts(error) }
  const { adaptations, guardrail, cache } = metadata ?? {}
  return defined({
    [attribute.responseId]: textOf(answer?.id),
    [attribute.responseModel]: responseModelOf({ answer, metadata }),
    [attribute.responseFinishReasons]: finishReasons(answer, error, conventions),
    [attribute.responseTimeToFirstChunk]: secondsToFirstChunk,
    [attribute.awsRequestId]: requestId,
    [attribute.httpStatusCode]: status,
    [attribute.errorType]: error === undefined ? undefined : failureName(error),
    [ownAttribute.attempts]: attempts,
    [ownAttribute.adaptations]: adaptations?.map(({ action, field, reason }) => `${action} ${field}: ${reason}`),
    [ownAttribute.guardrailAction]: guardrail?.action ?? (isIntervention(error) ? 'INTERVENED' : undefined),
    [ownAttribute.cacheStatus]: cache?.status,
    [ownAttribute.cacheAge]: cache?.age === undefined ? undefined : cache.age / 1000,
    ...(usage && usageAttributes(usage, answer, conventions)),
  })
}

/** The model that answered, as it calls itself. */
export function responseModelOf({ answer, metadata }: Pick<Outcome, 'answer' | 'metadata'>): string | undefined {
  return textOf(answer?.model) ?? metadata?.model.base
}

/** Input tokens as the conventions count them: those of a prompt cache are among them. */
export function inputTokensOf(usage: TokenUsage): number | undefined {
  const { inputTokens, cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = usage
  return inputTokens === undefined ? undefined : inputTokens + cacheReadInputTokens + cacheWriteInputTokens
}

/** Whether a guardrail ended the call. */
export function isIntervention(error: unknown): boolean {
  return isBedrockError(error, 'guardrail_intervened')
}

function usageAttributes(
  usage: TokenUsage,
  answer: Answer | undefined,
  conventions: TelemetryConventions,
): Record<string, number | undefined> {
  return {
    [attribute.usageInputTokens]: inputTokensOf(usage),
    [attribute.usageOutputTokens]: usage.outputTokens,
    [attribute.usageCacheReadInputTokens]: usage.cacheReadInputTokens,
    [editions[conventions].usageCacheWriteInputTokens]: usage.cacheWriteInputTokens,
    [attribute.usageReasoningOutputTokens]: answer?.thinkingTokens,
  }
}

// The current conventions want `error` where a reason was expected and none came.
function finishReasons(
  answer: Answer | undefined,
  error: unknown,
  conventions: TelemetryConventions,
): string[] | undefined {
  const reason = textOf(answer?.stop_reason) ?? (error !== undefined && conventions === 'latest' ? 'error' : undefined)
  return reason === undefined ? undefined : [reason]
}

interface ErrorFacts {
  readonly requestId?: string
  readonly status?: number
  readonly attempts?: number
}

/** What an error knows of the response that it stands for. */
export function errorFacts(error: unknown): ErrorFacts {
  return isBedrockError(error) ? (error as ErrorFacts) : {}
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
