import { encodeJson, isJsonObject } from '../core/internal/json.ts'
import type { BedrockRequest, JsonObject, JsonValue } from '../core/types.ts'
import { sha256Hex } from '#platform'

/**
 * What calls have in common that read the same prompt cache: the session of Claude Code, else the user, else the tools and
 * the system prompt, else the first message. A hash: the value itself is not kept.
 */
export async function conversationOf({ headers, body }: BedrockRequest, model: string): Promise<string> {
  const { tools, system, messages, metadata } = body
  const session = headers['x-claude-code-session-id']
  const user = isJsonObject(metadata) && typeof metadata.user_id === 'string' ? metadata.user_id : undefined
  const first = tools === undefined && system === undefined ? (Array.isArray(messages) ? messages[0] : body) : undefined
  const shared = session ? { session } : user ? { user } : { tools, system, first }
  return sha256Hex(encodeJson({ model, ...shared }))
}

/**
 * How strongly a conversation is drawn to a target: of several, it goes to the one with the greatest text. When a target
 * goes, only its own conversations move, in any process alike (rendezvous hashing).
 *
 * @see https://en.wikipedia.org/wiki/Rendezvous_hashing
 */
export async function weightOf(conversation: string, target: string): Promise<string> {
  return sha256Hex(`${conversation} ${target}`)
}

const minute = 60_000

/** How long Bedrock keeps the prompt of a body, in milliseconds: an hour where a cache point asks for it, else five minutes. */
export function cacheLifetime({ tools, system, messages, cache_control: own }: JsonObject): number {
  const isLong = (value: JsonValue | undefined): boolean => {
    if (Array.isArray(value)) return value.some(isLong)
    if (!isJsonObject(value)) return false
    return isHour(value.cache_control) || isLong(value.content)
  }
  return isHour(own) || [tools, system, messages].some(isLong) ? 60 * minute : 5 * minute
}

function isHour(control: JsonValue | undefined): boolean {
  return isJsonObject(control) && control.ttl === '1h'
}
