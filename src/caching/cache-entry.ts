import { isJsonObject, parseJsonObject } from '../core/internal/json.ts'
import type { GuardrailOutcome, JsonObject, ResponseMetadata, TokenUsage } from '../core/types.ts'

// Raised whenever the form changes; a process does not read what a newer or older one wrote.
const version = 1

/** A response as it is kept. */
export interface CacheEntry {
  readonly version: typeof version
  /** Milliseconds since the epoch. */
  readonly stored: number
  readonly expires: number
  /** A whole answer, or … */
  readonly body?: JsonObject
  /** … the events of a stream. */
  readonly events?: readonly JsonObject[]
  readonly usage: TokenUsage
  readonly guardrail?: GuardrailOutcome | undefined
}

export function encodeEntry(
  content: { readonly body: JsonObject } | { readonly events: readonly JsonObject[] },
  { usage, guardrail }: ResponseMetadata,
  stored: number,
  ttl: number,
): string {
  const entry: CacheEntry = {
    version,
    stored,
    expires: stored + ttl,
    ...content,
    usage,
    ...(guardrail && { guardrail }),
  }
  return JSON.stringify(entry)
}

/** The entry in a stored text; `undefined` for what is corrupt, stale, or of another version or kind. */
export function decodeEntry(text: string, type: 'json' | 'stream', now: number): CacheEntry | undefined {
  const value = parseJsonObject(text)
  if (!value || value.version !== version || typeof value.stored !== 'number' || !isJsonObject(value.usage))
    return undefined
  if (typeof value.expires !== 'number' || value.expires <= now) return undefined
  const isWhole =
    type === 'json' ? isJsonObject(value.body) : Array.isArray(value.events) && value.events.every(isJsonObject)
  return isWhole ? (value as unknown as CacheEntry) : undefined
}
