import { failureName } from '../core/internal/outcome.ts'
import type { FailedAttempt } from '../core/types.ts'
import { attribute, editions, metric, ownAttribute, type TelemetryConventions } from './names.ts'
import type { TelemetryAttributes, TelemetryCounter, TelemetryHistogram, TelemetryMeter } from './opentelemetry.ts'
import { inputTokensOf, isIntervention, type Outcome, responseModelOf } from './response-attributes.ts'
import { defined } from './request-attributes.ts'

/** Measures calls. */
export interface Instruments {
  /** An attempt that failed and is repeated. */
  attemptFailed(call: TelemetryAttributes, failed: FailedAttempt): void
  /** Seconds between two chunks of a stream. */
  chunk(call: TelemetryAttributes, seconds: number): void
  /** The end of a call. */
  ended(call: TelemetryAttributes, outcome: Outcome): void
}

// As the conventions want them.
const secondsBuckets = Array.from({ length: 14 }, (_, i) => 2 ** i / 100)
const tokenBuckets = Array.from({ length: 14 }, (_, i) => 4 ** i)

/** Makes the instruments of a meter; `undefined` for a meter that does nothing with them. */
export function createInstruments(meter: TelemetryMeter, conventions: TelemetryConventions): Instruments | undefined {
  const histogram = (name: string, description: string, unit = 's'): TelemetryHistogram =>
    meter.createHistogram(name, {
      description,
      unit,
      advice: { explicitBucketBoundaries: unit === 's' ? secondsBuckets : tokenBuckets },
    })
  const counter = (name: string, description: string, unit: string): TelemetryCounter =>
    meter.createCounter(name, { description, unit })

  const names = metric[conventions]
  const duration = histogram(names.duration, 'How long inference took, to its end.')
  const timeToFirstChunk = histogram(names.timeToFirstChunk, 'Until the first chunk of a stream.')
  // Without an SDK the API has one histogram for all, which records nothing.
  if (duration === timeToFirstChunk) return undefined
  const timePerOutputChunk = histogram(names.timePerOutputChunk, 'Between two chunks of a stream.')
  const operationDuration =
    names.duration === metric.operationDuration
      ? duration
      : histogram(metric.operationDuration, 'How long an operation took that infers nothing.')
  const retries = counter(metric.retries, 'Attempts that failed and were repeated.', '{attempt}')
  const interventions = counter(metric.interventions, 'Calls in which a guardrail intervened.', '{call}')
  const recordTokens = (conventions === 'latest' ? tokenCounters : tokenUsage)({ histogram, counter })

  return {
    attemptFailed(call, { error }) {
      retries.add(1, { ...call, [attribute.errorType]: failureName(error) })
    },
    chunk(call, seconds) {
      timePerOutputChunk.record(seconds, call)
    },
    ended(call, outcome) {
      const { metadata, error, seconds, secondsToFirstChunk } = outcome
      const attributes = {
        ...call,
        ...defined({
          [attribute.responseModel]: responseModelOf(outcome),
          [attribute.errorType]: error === undefined ? undefined : failureName(error),
        }),
      }
      const cacheStatus = defined({ [ownAttribute.cacheStatus]: metadata?.cache?.status })
      const isInference = call[attribute.operationName] !== 'count_tokens'
      const timer = isInference ? duration : operationDuration
      timer.record(seconds, { ...attributes, ...cacheStatus })
      if (secondsToFirstChunk !== undefined) timeToFirstChunk.record(secondsToFirstChunk, attributes)
      if (metadata?.guardrail?.action === 'INTERVENED' || isIntervention(error)) interventions.add(1, call)
      if (isInference && metadata?.cache?.status !== 'hit') recordTokens(attributes, outcome)
    },
  }
}

interface Factories {
  readonly histogram: (name: string, description: string, unit: string) => TelemetryHistogram
  readonly counter: (name: string, description: string, unit: string) => TelemetryCounter
}
type RecordTokens = (attributes: TelemetryAttributes, outcome: Outcome) => void

/** Counters of what was used, and histograms of how much a call uses. */
function tokenCounters({ histogram, counter }: Factories): RecordTokens {
  const names = metric.latest
  const input = counter(names.inputTokens, 'Input tokens, those of a prompt cache among them.', '{token}')
  const output = counter(names.outputTokens, 'Output tokens, those of thinking among them.', '{token}')
  const cacheRead = counter(names.cacheReadInputTokens, 'Input tokens read from a prompt cache.', '{token}')
  const cacheWrite = counter(names.cacheWriteInputTokens, 'Input tokens written to a prompt cache.', '{token}')
  const reasoning = counter(names.reasoningOutputTokens, 'Output tokens that went into thinking.', '{token}')
  const perInput = histogram(names.operationInputTokens, 'Input tokens of a call.', '{token}')
  const perOutput = histogram(names.operationOutputTokens, 'Output tokens of a call.', '{token}')
  return (attributes, { usage = {}, answer }) => {
    // The counters tell of calls, failed ones too; Bedrock does not tell tokens of texts from those of images.
    const { [attribute.errorType]: _, ...call } = attributes
    const counted = { ...call, [editions.latest.tokenModality]: 'unknown' }
    const [inputTokens = 0, outputTokens = 0] = [inputTokensOf(usage), usage.outputTokens]
    input.add(inputTokens, counted)
    output.add(outputTokens, counted)
    if (usage.cacheReadInputTokens) cacheRead.add(usage.cacheReadInputTokens, counted)
    if (usage.cacheWriteInputTokens) cacheWrite.add(usage.cacheWriteInputTokens, counted)
    if (answer?.thinkingTokens) reasoning.add(answer.thinkingTokens, counted)
    perInput.record(inputTokens, attributes)
    perOutput.record(outputTokens, attributes)
  }
}

/** The one histogram that was before them. */
function tokenUsage({ histogram }: Factories): RecordTokens {
  const tokens = histogram(metric['1.41'].tokenUsage, 'Tokens of a call.', '{token}')
  const record = (type: string, value: number | undefined, attributes: TelemetryAttributes): void => {
    if (value !== undefined) tokens.record(value, { ...attributes, [editions['1.41'].tokenType]: type })
  }
  return (attributes, { usage = {} }) => {
    record('input', inputTokensOf(usage), attributes)
    record('output', usage.outputTokens, attributes)
  }
}
