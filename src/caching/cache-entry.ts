import { readOutcome } from '../core/internal/guardrail.ts'
import { isJsonObject, parseJsonObject } from '../core/internal/json.ts'
import type { Adaptation, GuardrailOutcome, JsonObject, ResponseMetadata, TokenUsage } from '../core/types.ts'

// Increment when the format changes: a process reads only entries of its own version.
const version = 1

/** The content of a response: a whole body, or all events of a stream. */
export interface CachedContent {
  readonly body?: JsonObject | undefined
  readonly events?: readonly JsonObject[] | undefined
}

/** A stored response. */
export interface CacheEntry extends CachedContent {
  /** Milliseconds since the epoch. */
  readonly stored: number
  readonly expires: number
  readonly usage: TokenUsage
  /** The guardrail's outcome; left out for a call without a guardrail. */
  readonly guardrail?: GuardrailOutcome | undefined
  readonly adaptations?: readonly Adaptation[] | undefined
}

/** Creates the entry for a response, valid for `ttl` milliseconds. */
export function entryOf(content: CachedContent, metadata: ResponseMetadata, stored: number, ttl: number): CacheEntry {
  const { usage, adaptations } = metadata
  const parts = content.events ?? [content.body ?? {}]
  // The metadata has it only if an inner middleware has read it.
  const guardrail = parts.reduce((known, part) => readOutcome(part, known), metadata.guardrail)
  return { stored, expires: stored + ttl, ...content, usage, guardrail, adaptations }
}

export function encodeEntry(entry: CacheEntry): string {
  return JSON.stringify({ version, ...entry })
}

/** Decodes a stored entry; `undefined` if it is corrupt, stale, or from another version. */
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
 * Tests whether a response is complete: a message needs content and a stop reason, and a stream that begins as a
 * message must end as one. Of other models' answers it only knows that they must not be empty.
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
