import { failureName } from '../core/internal/outcome.ts'
import type { FailedAttempt } from '../core/types.ts'
import { attribute, editions, metric, ownAttribute, type TelemetryConventions } from './names.ts'
import type { TelemetryAttributes, TelemetryCounter, TelemetryHistogram, TelemetryMeter } from './opentelemetry.ts'
import { inputTokensOf, isIntervention, type Outcome, responseModelOf } from './response-attributes.ts'
import { defined } from './request-attributes.ts'

/** Records measurements of calls. */
export interface Instruments {
  /** Records a failed attempt that is retried. */
  attemptFailed(call: TelemetryAttributes, failed: FailedAttempt): void
  /** Records the seconds between two chunks of a stream. */
  chunk(call: TelemetryAttributes, seconds: number): void
  /** Records the end of a call. */
  ended(call: TelemetryAttributes, outcome: Outcome): void
}

// The conventions define these.
const secondsBuckets = Array.from({ length: 14 }, (_, i) => 2 ** i / 100)
const tokenBuckets = Array.from({ length: 14 }, (_, i) => 4 ** i)

/** Creates the instruments of a meter; `undefined` for a meter that records nothing. */
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
  const duration = histogram(names.duration, 'Duration of inference, until its end.')
  const timeToFirstChunk = histogram(names.timeToFirstChunk, 'Time to the first chunk of a stream.')
  // Without an SDK, the API returns the same histogram for all names, which records nothing.
  if (duration === timeToFirstChunk) return undefined
  const timePerOutputChunk = histogram(names.timePerOutputChunk, 'Time between two chunks of a stream.')
  const operationDuration =
    names.duration === metric.operationDuration
      ? duration
      : histogram(metric.operationDuration, 'Duration of operations without inference.')
  const retries = counter(metric.retries, 'Failed attempts that were retried.', '{attempt}')
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

/** Creates counters of used tokens, and histograms of tokens per call. */
function tokenCounters({ histogram, counter }: Factories): RecordTokens {
  const names = metric.latest
  const input = counter(names.inputTokens, 'Input tokens, including those of a prompt cache.', '{token}')
  const output = counter(names.outputTokens, 'Output tokens, including those for thinking.', '{token}')
  const cacheRead = counter(names.cacheReadInputTokens, 'Input tokens read from a prompt cache.', '{token}')
  const cacheWrite = counter(names.cacheWriteInputTokens, 'Input tokens written to a prompt cache.', '{token}')
  const reasoning = counter(names.reasoningOutputTokens, 'Output tokens for thinking.', '{token}')
  const perInput = histogram(names.operationInputTokens, 'Input tokens per call.', '{token}')
  const perOutput = histogram(names.operationOutputTokens, 'Output tokens per call.', '{token}')
  return (attributes, { usage = {}, answer }) => {
    // The counters include failed calls. Bedrock does not distinguish tokens of text from those of images.
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

/** Creates the single histogram of the older edition. */
function tokenUsage({ histogram }: Factories): RecordTokens {
  const tokens = histogram(metric['1.41'].tokenUsage, 'Tokens per call.', '{token}')
  const record = (type: string, value: number | undefined, attributes: TelemetryAttributes): void => {
    if (value !== undefined) tokens.record(value, { ...attributes, [editions['1.41'].tokenType]: type })
  }
  return (attributes, { usage = {} }) => {
    record('input', inputTokensOf(usage), attributes)
    record('output', usage.outputTokens, attributes)
  }
}
