import { type EventTap, tapEvents } from '../core/internal/event-iterator.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { failureName } from '../core/internal/outcome.ts'
import { isBedrockError } from '../core/errors.ts'
import { usageFromBody } from '../core/transport/usage.ts'
import type { BedrockRequest, BedrockResponse, FailedAttempt, MiddlewareContext, Next } from '../core/types.ts'
import { type Answer, collectAnswer, readAnswer } from './collect-answer.ts'
import { responseContent } from './content.ts'
import type { Instruments } from './instruments.ts'
import { attribute, failedAttemptEvent, ownAttribute, type TelemetryConventions } from './names.ts'
import { errorStatus, type TelemetryAttributes, type TelemetrySpan } from './opentelemetry.ts'
import { defined } from './request-attributes.ts'
import { describeError, errorMetadata, isAbort, type Outcome, responseAttributes } from './response-attributes.ts'

/** The span and instruments of a call. */
export interface Recording {
  readonly span: TelemetrySpan | undefined
  readonly instruments: Instruments | undefined
  /** The call's attributes in metrics. */
  readonly call: TelemetryAttributes
  readonly conventions: TelemetryConventions
  /** The maximum bytes of content in an attribute; 0 for none. */
  readonly maxBytes: number
  /** The start of the call, in milliseconds since the epoch. */
  readonly started: number
}

/** Makes a call, and records it until its answer has ended. */
export async function observe(
  request: BedrockRequest,
  next: Next,
  context: MiddlewareContext,
  recording: Recording,
): Promise<BedrockResponse> {
  const { onRetry } = request.options
  const observed = (failed: FailedAttempt): void => {
    quietly(context, () => recordFailedAttempt(recording, failed))
    onRetry?.(failed)
  }
  const end = (outcome: Omit<Outcome, 'seconds'>): void => {
    const seconds = (context.clock.now() - recording.started) / 1000
    quietly(context, () => recordEnd(recording, { ...outcome, seconds }))
  }
  try {
    const response = await next({ ...request, options: { ...request.options, onRetry: observed } })
    if (response.type === 'stream') return watchStream(response, request, context, recording, end)
    end({ metadata: response.metadata, answer: readAnswer(response.body) })
    return response
  } catch (error) {
    end({ error, answer: blockedAnswer(error) })
    throw error
  }
}

/** Runs code that only records a call: if it throws, the error is logged and does not fail the call. */
export function quietly<T>({ logger }: MiddlewareContext, record: () => T): T | undefined {
  try {
    return record()
  } catch (error) {
    logger.error('telemetry: a call could not be recorded', error)
    return undefined
  }
}

function watchStream(
  response: BedrockResponse & { readonly type: 'stream' },
  { signal }: BedrockRequest,
  context: MiddlewareContext,
  { instruments, call, started, maxBytes }: Recording,
  end: (outcome: Omit<Outcome, 'seconds'>) => void,
): BedrockResponse {
  const { metadata } = response
  const { clock } = context
  const collector = collectAnswer(maxBytes > 0)
  let firstAt: number | undefined
  let lastAt: number | undefined
  const tap: EventTap = {
    event(event) {
      collector.add(event)
      firstAt ??= clock.now()
      if (!instruments || event.type !== 'content_block_delta') return
      const now = clock.now()
      const seconds = lastAt === undefined ? undefined : (now - lastAt) / 1000
      lastAt = now
      if (seconds !== undefined) quietly(context, () => instruments.chunk(call, seconds))
    },
    end: () => collector.end(),
    closed(fault) {
      const { answer } = collector
      // A reader that leaves or aborts a stream after its last event has the whole answer.
      const error = answer.isWhole ? (isAbort(fault) ? undefined : fault) : (fault ?? left)
      const first = metadata.firstByteLatency ?? (firstAt === undefined ? undefined : firstAt - started)
      end({ metadata, answer, error, secondsToFirstChunk: first === undefined ? undefined : first / 1000 })
    },
  }
  return { ...response, events: tapEvents(response.events, tap, signal) }
}

const left = Object.assign(new Error('The reader left the stream before its end'), { name: 'AbortError' })

/** The answer that a guardrail blocked, which is still billed. */
function blockedAnswer(error: unknown): Answer | undefined {
  return isBedrockError(error, 'guardrail_intervened') && isJsonObject(error.response)
    ? readAnswer(error.response)
    : undefined
}

function recordFailedAttempt({ span, instruments, call }: Recording, failed: FailedAttempt): void {
  const { attempt, error, delay } = failed
  const { status, requestId } = errorMetadata(error)
  span?.addEvent(
    failedAttemptEvent,
    defined({
      [ownAttribute.attempt]: attempt,
      [attribute.errorType]: failureName(error),
      [attribute.httpStatusCode]: status,
      [attribute.awsRequestId]: requestId,
      [ownAttribute.retryDelay]: delay / 1000,
    }),
  )
  instruments?.attemptFailed(call, failed)
}

function recordEnd({ span, instruments, call, conventions, maxBytes }: Recording, known: Outcome): void {
  const { metadata, answer, error } = known
  const usage = metadata ? metadata.usage : answer && usageFromBody(answer.usage)
  // The call that produced a stored answer has already been counted.
  const outcome = { ...known, usage: metadata?.cache?.status === 'hit' ? undefined : usage }
  instruments?.ended(call, outcome)
  if (!span) return
  span.setAttributes({
    ...responseAttributes(outcome, conventions),
    ...(maxBytes > 0 && answer && responseContent(answer, maxBytes, conventions)),
  })
  if (error !== undefined && !isAbort(error)) span.setStatus({ code: errorStatus, message: describeError(error) })
  span.end()
}
