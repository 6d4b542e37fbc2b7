import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'

/** How long Bedrock keeps a prefix. */
export type CacheTtl = '5m' | '1h'

/** The rules for placing cache points. */
export interface PlacementRules {
  readonly ttl: CacheTtl
  /** The total number of points in a request, including the caller's; Bedrock allows four. */
  readonly breakpoints: number
  /** The minimum number of tokens in a prefix. */
  readonly minimumTokens: number
}

/** A position in a body where a cached prefix ends. */
export interface CachePoint {
  /** Such as `tools[2]`, `system[0]` or `messages[4].content[1]`. */
  readonly path: string
  readonly ttl: CacheTtl
  /** Whether the caller set it. */
  readonly own: boolean
  /** The estimated number of tokens in the prefix. */
  readonly tokens: number
}

/** A body with its points, and the reasons for those left out. */
export interface Placement {
  readonly body: JsonObject
  readonly points: readonly CachePoint[]
  /** Why a useful position has no point. */
  readonly omissions: readonly string[]
}

type Section = 'tools' | 'system' | 'messages'

interface Block {
  readonly section: Section
  readonly path: string
  readonly value: JsonValue
  /** The index of its message. */
  readonly message?: number
  /** The UTF-8 bytes of this block and everything before it; images count by their token cost. */
  end: number
}

const order: readonly Section[] = ['tools', 'system', 'messages']

/**
 * Places cache points where they pay off: at the end of the tools, of the system prompt, of the conversation so far,
 * and where the conversation ended one call earlier. The last one lets a growing conversation hit the cache: Bedrock
 * looks back about 20 blocks from a point, and a turn of tool calls can be longer. Does not change the given body.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
 */
export function placeCachePoints(body: JsonObject, { ttl, breakpoints, minimumTokens }: PlacementRules): Placement {
  const blocks = blocksOf(body)
  const own = blocks.filter(({ value }) => controlOf(value))
  const omissions: string[] = []
  const automatic = isJsonObject(body.cache_control) ? 1 : 0
  let left = Math.min(breakpoints, 4) - own.length - automatic

  const chosen: Block[] = []
  const choose = (what: string, block: Block | undefined): boolean => {
    if (!block || chosen.includes(block)) return false
    // No text has more than one token per two bytes, so this is certain.
    if (block.end / 2 < minimumTokens) {
      omissions.push(`${what}: about ${tokensOf(block)} tokens so far, and the model needs at least ${minimumTokens}`)
    } else if (left <= 0) {
      omissions.push(`${what}: all points are in use`)
    } else {
      left--
      chosen.push(block)
      return true
    }
    return false
  }
  const isTaken = (section: Section): boolean => {
    const taken = own.some((block) => block.section === section) || (section === 'messages' && automatic > 0)
    if (taken) omissions.push(`${section}: has the caller's own points`)
    return taken
  }

  const conversation = blocks.filter(({ section }) => section === 'messages')
  const last = conversation.findLast(({ value }) => canCarry(value))
  // In the order of what they save: the conversation first, then its beginning.
  const hasEnd = last !== undefined && !isTaken('messages') && choose('messages', last)
  for (const section of ['system', 'tools'] as const) {
    const end = blocks.findLast((block) => block.section === section && canCarry(block.value))
    if (end && !isTaken(section)) choose(section, end)
  }
  if (hasEnd) {
    const before = previousTurn(body, last)
    choose(
      'messages of the previous turn',
      conversation.findLast(({ message, value }) => message === before && canCarry(value)),
    )
  }

  const ttls = settleTtls(own, chosen, ttl)
  return {
    body: chosen.length === 0 ? body : withPoints(body, ttls),
    points: blocks
      .filter((block) => own.includes(block) || chosen.includes(block))
      .map((block) => ({
        path: block.path,
        ttl: ttls.get(block) ?? ttlOf(block.value),
        own: own.includes(block),
        tokens: tokensOf(block),
      })),
    omissions,
  }
}

/** Returns a body without cache points. */
export function stripCachePoints(body: JsonObject): JsonObject {
  const strip = (value: JsonValue | undefined): JsonValue | undefined => {
    if (!Array.isArray(value)) return value
    return value.map((item) => {
      if (!isJsonObject(item)) return item
      const { cache_control: _, ...rest } = item
      return Array.isArray(rest.content) ? { ...rest, content: strip(rest.content) as JsonValue } : rest
    })
  }
  const { cache_control: _, ...rest } = body
  const stripped: JsonObject = { ...rest }
  for (const section of order) if (section in body) stripped[section] = strip(body[section])
  return stripped
}

// The last user turn before the one that ends the conversation, where the previous call ended.
function previousTurn({ messages }: JsonObject, last: Block): number {
  const list = Array.isArray(messages) ? messages : []
  const isUser = (message: JsonValue | undefined): boolean => isJsonObject(message) && message.role === 'user'
  for (let i = (last.message ?? 0) - 1; i >= 0; i--) if (isUser(list[i]) && !isUser(list[i + 1])) return i
  return -1
}

function blocksOf(body: JsonObject): Block[] {
  let end = 0
  const add = (section: Section, path: string, value: JsonValue, message?: number): Block => {
    end += sizeOf(value)
    return { section, path, value, end, ...(message !== undefined && { message }) }
  }
  const list = (value: JsonValue | undefined): JsonValue[] =>
    typeof value === 'string' ? [value] : Array.isArray(value) ? value : []
  return [
    ...list(body.tools).map((tool, i) => add('tools', `tools[${i}]`, tool)),
    ...list(body.system).map((block, i) => add('system', `system[${i}]`, block)),
    ...list(body.messages).flatMap((message, i) =>
      list(isJsonObject(message) ? message.content : undefined).map((block, j) =>
        add('messages', `messages[${i}].content[${j}]`, block, i),
      ),
    ),
  ]
}

const encoder = new TextEncoder()

// An image's cost depends on its pixels, not its bytes: about 1,600 tokens at most.
const imageBytes = 4_800

function sizeOf(value: JsonValue): number {
  if (typeof value === 'string') return encoder.encode(value).length
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + sizeOf(item), 0)
  if (!isJsonObject(value)) return String(value).length
  if (value.type === 'image') return imageBytes
  return Object.entries(value).reduce(
    (sum, [key, item]) => sum + (key === 'cache_control' || item === undefined ? 0 : key.length + sizeOf(item)),
    0,
  )
}

const tokensOf = ({ end }: Block): number => Math.ceil(end / 4)

function controlOf(value: JsonValue): JsonObject | undefined {
  return isJsonObject(value) && isJsonObject(value.cache_control) ? value.cache_control : undefined
}

const ttlOf = (value: JsonValue): CacheTtl => (controlOf(value)?.ttl === '1h' ? '1h' : '5m')

// Thinking is cached with the blocks around it but cannot be marked, and a deferred tool is not part of a prefix.
function canCarry(value: JsonValue): boolean {
  if (typeof value === 'string') return value !== ''
  if (!isJsonObject(value) || value.defer_loading === true) return false
  const { type } = value
  return (
    type !== 'thinking' &&
    type !== 'redacted_thinking' &&
    type !== 'tool_reference' &&
    !(type === 'text' && !value.text)
  )
}

// A longer TTL must not come after a shorter one.
function settleTtls(own: readonly Block[], chosen: readonly Block[], ttl: CacheTtl): Map<Block, CacheTtl> {
  return new Map(
    chosen.map((block) => {
      const mustBeShort = own.some(({ end, value }) => end < block.end && ttlOf(value) === '5m')
      const mustBeLong = own.some(({ end, value }) => end > block.end && ttlOf(value) === '1h')
      return [block, mustBeShort ? '5m' : mustBeLong ? '1h' : ttl]
    }),
  )
}

function withPoints(body: JsonObject, ttls: ReadonlyMap<Block, CacheTtl>): JsonObject {
  const byPath = new Map([...ttls].map(([{ path }, ttl]) => [path, ttl]))
  const mark = (value: JsonValue | undefined, prefix: string): JsonValue | undefined => {
    const items = typeof value === 'string' ? [value] : value
    if (!Array.isArray(items) || !items.some((_, i) => byPath.has(`${prefix}[${i}]`))) return value
    return items.map((item, i) => {
      const ttl = byPath.get(`${prefix}[${i}]`)
      if (!ttl) return item
      const block: JsonObject = typeof item === 'string' ? { type: 'text', text: item } : (item as JsonObject)
      return { ...block, cache_control: { type: 'ephemeral', ...(ttl === '1h' && { ttl }) } }
    })
  }
  const messages = Array.isArray(body.messages)
    ? body.messages.map((message, i) => {
        const content = isJsonObject(message) ? mark(message.content, `messages[${i}].content`) : undefined
        return isJsonObject(message) && content !== message.content ? { ...message, content } : message
      })
    : body.messages
  return {
    ...body,
    ...(body.tools !== undefined && { tools: mark(body.tools, 'tools') }),
    ...(body.system !== undefined && { system: mark(body.system, 'system') }),
    messages: messages as JsonValue,
  }
}
