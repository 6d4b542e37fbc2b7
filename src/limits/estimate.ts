import { estimateTokens } from '../core/internal/estimate-tokens.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { setNewest } from '../core/internal/set-newest.ts'
import type { JsonObject, JsonValue, TokenUsage } from '../core/types.ts'
import { longestAnswerOf } from '../models/catalog.ts'

/** The estimated cost of a call, in tokens of the quota. */
export interface Estimate {
  /** Input, without the part that the prompt cache will probably provide. */
  readonly input: number
  /** The tokens that Bedrock reserves: input and `max_tokens`. */
  readonly hold: number
  /** The probable cost when the call is settled. */
  readonly expected: number
  /** Whether the request sets `max_tokens`. Without it, Bedrock reserves the model's longest answer. */
  readonly hasMaxTokens: boolean
}

/** Estimates calls, and learns from their actual usage. */
export interface Estimator {
  estimate(body: JsonObject, base: string | undefined, burndown: number): Estimate
  /** Learns from a finished call. */
  learn(body: JsonObject, usage: TokenUsage): void
}

// The weight of one call in the learned averages.
const step = 0.5
const maxPrefixes = 500

interface Learned {
  /** The ratio of counted to estimated input. */
  input: number
  output: number
}

/**
 * Creates an estimator. It learns separately for each prefix (system and tools), because conversations with the same
 * prefix have a similar cached share of input, and answers of similar length.
 */
export function createEstimator(): Estimator {
  const prefixes = new Map<string, Learned>()
  return {
    estimate(body, base, burndown) {
      const learned = prefixes.get(prefixOf(body))
      const input = Math.ceil(rawInput(body) * (learned?.input ?? 1))
      const given = maxTokensOf(body)
      const maxTokens = given ?? longestAnswerOf(base)
      const hasMaxTokens = given !== undefined
      const hold = Math.max(1, input + maxTokens)
      // For a new prefix, use what Bedrock reserves.
      const output = learned && Math.min(maxTokens, learned.output)
      const expected = output === undefined ? hold : Math.max(1, input + output * burndown)
      return { input, hold, expected, hasMaxTokens }
    },
    learn(body, { inputTokens, cacheWriteInputTokens = 0, outputTokens }) {
      if (inputTokens === undefined || outputTokens === undefined) return
      const key = prefixOf(body)
      const raw = Math.max(1, rawInput(body))
      const input = (inputTokens + cacheWriteInputTokens) / raw
      const known = prefixes.get(key)
      const learned = {
        input: known ? known.input + step * (input - known.input) : input,
        output: known ? known.output + step * (outputTokens - known.output) : outputTokens,
      }
      setNewest(prefixes, key, learned, maxPrefixes)
    },
  }
}

/** Returns the cost of a settled call: cache reads are free, and an output token takes several tokens of the quota. */
export function countedTokens(usage: TokenUsage, burndown: number): number {
  const { inputTokens = 0, cacheWriteInputTokens = 0, outputTokens = 0 } = usage
  return inputTokens + cacheWriteInputTokens + outputTokens * burndown
}

// An invalid body is rejected later, with a proper error; here it must not overflow the stack.
function rawInput(body: JsonObject): number {
  try {
    if (Array.isArray(body.messages)) return estimateTokens(body)
    return Math.ceil(JSON.stringify(body).length / 4)
  } catch {
    return 0
  }
}

function maxTokensOf({ max_tokens, max_completion_tokens, inferenceConfig }: JsonObject): number | undefined {
  const given = [
    max_tokens,
    max_completion_tokens,
    isJsonObject(inferenceConfig) ? inferenceConfig.maxTokens : undefined,
  ]
  return given.find((value): value is number => typeof value === 'number' && value >= 0)
}

function prefixOf({ system, tools }: JsonObject): string {
  return `${fingerprint(system)}/${fingerprint(tools)}`
}

// Enough of a text to distinguish conversations cheaply: its length, its beginning and its end.
function fingerprint(value: JsonValue | undefined): string {
  if (value === undefined) return ''
  try {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `${text.length}:${text.slice(0, 200)}:${text.slice(-100)}`
  } catch {
    return ''
  }
}
