import { failureName } from '../core/internal/outcome.ts'
import { isBedrockError } from '../core/errors.ts'
import { redact } from '../core/internal/redact.ts'
import type { ResponseMetadata, TokenUsage } from '../core/types.ts'
import type { Answer } from './collect-answer.ts'
import { attribute, editions, ownAttribute, type TelemetryConventions } from './names.ts'
import type { TelemetryAttributes } from './opentelemetry.ts'
import { defined } from './request-attributes.ts'

/** The outcome of a call. */
export interface Outcome {
  readonly metadata?: ResponseMetadata | undefined
  readonly answer?: Answer | undefined
  /** The billed usage; none for a stored answer, which an earlier call has paid for. */
  readonly usage?: TokenUsage | undefined
  /** Its error, or the caller's abort reason; `undefined` for a success. */
  readonly error?: unknown
  readonly seconds: number
  /** The seconds until the first event of a stream. */
  readonly secondsToFirstChunk?: number | undefined
}

/** Tests whether the caller aborted a call, which is not a failure. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** Describes an error in words; the messages of AWS and gateways are redacted. */
export function describeError(error: unknown): string {
  return isBedrockError(error) ? error.message : redact(error instanceof Error ? error.message : String(error))
}

/** Returns the attributes of a call's outcome. */
export function responseAttributes(
  { metadata, answer, usage, error, secondsToFirstChunk }: Outcome,
  conventions: TelemetryConventions,
): TelemetryAttributes {
  const { requestId, status, attempts } = { ...metadata, ...errorMetadata(error) }
  const { adaptations, guardrail, cache, failover, model } = metadata ?? {}
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
    // Another one than was asked, where the call failed over.
    [attribute.cloudRegion]: model?.region,
    [ownAttribute.failoverTarget]: failover?.target,
    [ownAttribute.failoverReason]: failover?.reason,
    [ownAttribute.cacheStatus]: cache?.status,
    [ownAttribute.cacheAge]: cache?.age === undefined ? undefined : cache.age / 1000,
    ...(usage && usageAttributes(usage, answer, conventions)),
  })
}

/** Returns the name that the answering model gives itself. */
export function responseModelOf({ answer, metadata }: Pick<Outcome, 'answer' | 'metadata'>): string | undefined {
  return textOf(answer?.model) ?? metadata?.model.base
}

/** Returns the input tokens as the conventions count them, including those of a prompt cache. */
export function inputTokensOf(usage: TokenUsage): number | undefined {
  const { inputTokens, cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = usage
  return inputTokens === undefined ? undefined : inputTokens + cacheReadInputTokens + cacheWriteInputTokens
}

/** Tests whether a guardrail ended the call. */
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

// The current conventions require `error` if an expected reason is missing.
function finishReasons(
  answer: Answer | undefined,
  error: unknown,
  conventions: TelemetryConventions,
): string[] | undefined {
  const reason = textOf(answer?.stop_reason) ?? (error !== undefined && conventions === 'latest' ? 'error' : undefined)
  return reason === undefined ? undefined : [reason]
}

interface ErrorMetadata {
  readonly requestId?: string
  readonly status?: number
  readonly attempts?: number
}

/** Returns what an error knows about its response. */
export function errorMetadata(error: unknown): ErrorMetadata {
  return isBedrockError(error) ? (error as ErrorMetadata) : {}
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
