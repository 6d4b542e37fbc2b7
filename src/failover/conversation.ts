import { encodeJson, isJsonObject } from '../core/internal/json.ts'
import type { BedrockRequest, JsonObject, JsonValue } from '../core/types.ts'
import { sha256Hex } from '#platform'

/**
 * Returns a hash of what the calls of a conversation have in common: the session of Claude Code, else the user, else the
 * tools and the system prompt, else the first message.
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
 * Returns the weight of a target for a conversation, which goes to the target with the greatest. All processes agree, and
 * if a target is removed, only its own conversations move (rendezvous hashing).
 *
 * @see https://en.wikipedia.org/wiki/Rendezvous_hashing
 */
export async function weightOf(conversation: string, target: string): Promise<string> {
  return sha256Hex(`${conversation} ${target}`)
}

const minute = 60_000

/** Returns how long Bedrock caches a prompt, in milliseconds: an hour if a cache point asks for it, else five minutes. */
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
