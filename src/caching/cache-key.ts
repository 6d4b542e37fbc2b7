import { isJsonObject } from '../core/internal/json.ts'
import type { BedrockRequest, JsonValue, ModelRef } from '../core/types.ts'
import { sha256Hex } from '#platform'

// What else changes an answer: guardrail, trace, performance, tier, version. Credentials are no part of a request yet.
const meaningful = /^(x-amzn-bedrock-|anthropic-)/

/** The key of a call: the same for calls that mean the same, another one for any others. */
export async function cacheKey(request: BedrockRequest, model: ModelRef, namespace: string): Promise<string> {
  const headers = Object.entries(request.headers).filter(
    ([name]) => meaningful.test(name) && name !== 'x-amzn-bedrock-request-metadata',
  )
  const { guardrail } = request.options as { readonly guardrail?: unknown }
  const parts = [request.operation, model.id, request.body, Object.fromEntries(headers), plain(guardrail), namespace]
  return sha256Hex(canonical(parts as JsonValue))
}

/** JSON with the members of every object in one order. */
function canonical(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isJsonObject(value)) return JSON.stringify(value) ?? 'null'
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`
}

function plain(value: unknown): JsonValue {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as JsonValue)
}
