import { readOutcome } from '../core/internal/guardrail.ts'
import { isJsonObject, parseJsonObject } from '../core/internal/json.ts'
import type { Adaptation, GuardrailOutcome, JsonObject, ResponseMetadata, TokenUsage } from '../core/types.ts'

// Raised whenever the form changes; a process does not read what a newer or older one wrote.
const version = 1

/** What came in: a whole body, or all events of a stream. */
export interface CachedContent {
  readonly body?: JsonObject | undefined
  readonly events?: readonly JsonObject[] | undefined
}

/** A response as it is kept. */
export interface CacheEntry extends CachedContent {
  /** Milliseconds since the epoch. */
  readonly stored: number
  readonly expires: number
  readonly usage: TokenUsage
  /** What a guardrail found; left out where none was there. */
  readonly guardrail?: GuardrailOutcome | undefined
  readonly adaptations?: readonly Adaptation[] | undefined
}

/** What is kept of a response, for `ttl` milliseconds. */
export function entryOf(content: CachedContent, metadata: ResponseMetadata, stored: number, ttl: number): CacheEntry {
  const { usage, adaptations } = metadata
  const parts = content.events ?? [content.body ?? {}]
  // The metadata knows only where a layer inside has read it.
  const guardrail = parts.reduce((known, part) => readOutcome(part, known), metadata.guardrail)
  return { stored, expires: stored + ttl, ...content, usage, guardrail, adaptations }
}

export function encodeEntry(entry: CacheEntry): string {
  return JSON.stringify({ version, ...entry })
}

/** The entry in a stored text; `undefined` for what is corrupt, stale, or of another version. */
export function decodeEntry(text: unknown, now: number): CacheEntry | undefined {
  const value = typeof text === 'string' ? parseJsonObject(text) : undefined
  if (value?.version !== version) return undefined
  const { stored, expires, body, events, usage, guardrail, adaptations } = value
  const isIntact =
    typeof stored === 'number' &&
    typeof expires === 'number' &&
    (isJsonObject(body) || isListOfObjects(events)) &&
    isJsonObject(usage) &&
    Object.values(usage).every((count) => typeof count === 'number') &&
    (guardrail === undefined || (isJsonObject(guardrail) && isListOfObjects(guardrail.assessments))) &&
    (adaptations === undefined || isListOfObjects(adaptations))
  return isIntact && expires > now ? (value as unknown as CacheEntry) : undefined
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every(isJsonObject)
}

/**
 * Whether a response is whole: a message has its content and why it stopped, and a stream that begins as a message ends
 * as one. Answers of other models are not empty, and more is not known of them.
 */
export function isWhole({ body = {}, events }: CachedContent, isMessage: boolean): boolean {
  if (events) {
    const has = (type: string): boolean => events.some((event) => event.type === type)
    return isMessage || has('message_start') ? has('message_start') && has('message_stop') : events.length > 0
  }
  return isMessage || body.type === 'message'
    ? body.type === 'message' && Array.isArray(body.content) && typeof body.stop_reason === 'string'
    : Object.keys(body).length > 0
}
