import { isJsonObject } from '../internal/json.ts'
import type { JsonObject, JsonValue, TokenUsage } from '../types.ts'

// The names of the same four numbers in each place.
const names = {
  body: ['input_tokens', 'output_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'],
  metrics: ['inputTokenCount', 'outputTokenCount', 'cacheReadInputTokenCount', 'cacheWriteInputTokenCount'],
  headers: [
    'x-amzn-bedrock-input-token-count',
    'x-amzn-bedrock-output-token-count',
    'x-amzn-bedrock-cache-read-input-token-count',
    'x-amzn-bedrock-cache-write-input-token-count',
  ],
} as const
const fields = ['inputTokens', 'outputTokens', 'cacheReadInputTokens', 'cacheWriteInputTokens'] as const

/** Reads token counts from an InvokeModel response's headers; undocumented, and the only ones for some providers. */
export function usageFromHeaders(headers: Readonly<Record<string, string>>): TokenUsage {
  return pick(headers, names.headers)
}

/** Reads token counts from an Anthropic message's `usage`. */
export function usageFromBody(usage: JsonValue | undefined): TokenUsage {
  if (!isJsonObject(usage)) return {}
  const { iterations } = usage
  if (!Array.isArray(iterations) || iterations.length === 0) return pick(usage, names.body)
  // With compaction, the top level leaves out the cost of compacting; the iterations include it.
  const sum: Record<string, number> = {}
  for (const iteration of iterations) {
    const part = usageFromBody(iteration)
    for (const field of fields) if (part[field] !== undefined) sum[field] = (sum[field] ?? 0) + part[field]
  }
  return sum
}

/** Merges token counts in a stream event with those known so far. Later numbers are cumulative and win. */
export function usageFromEvent(event: JsonObject, known: TokenUsage): TokenUsage {
  const message = isJsonObject(event.message) ? event.message.usage : undefined
  const metrics = event['amazon-bedrock-invocationMetrics']
  if (!event.usage && !message && !metrics) return known
  return {
    ...(isJsonObject(metrics) ? pick(metrics, names.metrics) : undefined),
    ...known,
    ...usageFromBody(message),
    ...usageFromBody(event.usage),
  }
}

function pick(from: Readonly<Record<string, JsonValue | undefined>>, keys: readonly string[]): TokenUsage {
  const usage: Record<string, number> = {}
  fields.forEach((field, i) => {
    const value = from[keys[i] as string]
    if (value !== undefined && value !== null && value !== '' && Number.isFinite(Number(value)))
      usage[field] = Number(value)
  })
  return usage
}
