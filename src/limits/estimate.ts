import { estimateTokens } from '../core/internal/estimate-tokens.ts'
import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject, JsonValue, TokenUsage } from '../core/types.ts'
import { catalogModel } from '../models/catalog.ts'

/** What a call is thought to count for, in tokens of the quota. */
export interface Estimate {
  /** Input, without what a prompt cache will probably give. */
  readonly input: number
  /** What Bedrock sets aside: input and `max_tokens`. */
  readonly hold: number
  /** What the call will probably count for when it is settled. */
  readonly expected: number
}

/** Estimates calls, and learns from how they came out. */
export interface Estimator {
  estimate(body: JsonObject, base: string | undefined, burndown: number): Estimate
  /** Learns from a call that came to its end. */
  learn(body: JsonObject, usage: TokenUsage): void
}

// How far one call moves what was learned.
const step = 0.5
const maxPrefixes = 500
// For models whose longest answer nobody has documented; https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html
const longestAnswer = 64_000

interface Learned {
  /** Input that counted, by what was estimated. */
  input: number
  output: number
}

/**
 * Makes an estimator. What it learns, it keeps for each prefix (system and tools): conversations with the same one have
 * the same share of their input in the prompt cache, and answers of about the same length.
 */
export function createEstimator(): Estimator {
  // A Map keeps the order in which keys were set: the first is the one that was not used for longest.
  const prefixes = new Map<string, Learned>()
  return {
    estimate(body, base, burndown) {
      const learned = prefixes.get(prefixOf(body))
      const input = Math.ceil(rawInput(body) * (learned?.input ?? 1))
      const maxTokens = maxTokensOf(body) ?? catalogModel(base)?.maxOutput ?? longestAnswer
      const hold = Math.max(1, input + maxTokens)
      // Of a new prefix nothing is known but what Bedrock sets aside for it.
      const output = learned && Math.min(maxTokens, learned.output)
      return { input, hold, expected: output === undefined ? hold : Math.max(1, input + output * burndown) }
    },
    learn(body, { inputTokens, cacheWriteInputTokens = 0, outputTokens }) {
      if (inputTokens === undefined || outputTokens === undefined) return
      const key = prefixOf(body)
      const raw = Math.max(1, rawInput(body))
      const input = (inputTokens + cacheWriteInputTokens) / raw
      const known = prefixes.get(key)
      prefixes.delete(key)
      prefixes.set(key, {
        input: known ? known.input + step * (input - known.input) : input,
        output: known ? known.output + step * (outputTokens - known.output) : outputTokens,
      })
      for (const oldest of prefixes.keys()) {
        if (prefixes.size <= maxPrefixes) break
        prefixes.delete(oldest)
      }
    },
  }
}

/** What a settled call counts for: cache reads are free, an output token takes several of the quota. */
export function countedTokens(usage: TokenUsage, burndown: number): number {
  const { inputTokens = 0, cacheWriteInputTokens = 0, outputTokens = 0 } = usage
  return inputTokens + cacheWriteInputTokens + outputTokens * burndown
}

// A body that cannot be serialised is refused later, by name; here it must not overflow the stack.
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

// Enough of a text to tell conversations apart, at no great cost: its length, its beginning and its end.
function fingerprint(value: JsonValue | undefined): string {
  if (value === undefined) return ''
  try {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `${text.length}:${text.slice(0, 200)}:${text.slice(-100)}`
  } catch {
    return ''
  }
}
