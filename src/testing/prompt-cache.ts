import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'
import { catalogModel } from '../models/catalog.ts'
import type { FakeState } from './respond.ts'
import type { FakeCall } from './types.ts'
import { textOf } from './untrusted.ts'

/** The number of blocks before a point that are searched for a cached prefix. */
const lookBack = 20

/**
 * Computes the usage that Bedrock's prompt cache would report for a call: everything up to the last cached point is
 * read, from there to the last point is written, and the rest is plain input. `keep` writes it, which a call that is
 * refused does not.
 */
export function cacheUsage(
  state: FakeState,
  { body, region, identity }: FakeCall,
  base: string,
  { input_tokens }: JsonObject,
): { readonly usage: JsonObject; readonly keep: () => void } {
  const blocks = blocksOf(body)
  const points = blocks.flatMap(({ ttl }, i) => (ttl ? [{ index: i, ttl }] : []))
  if (points.length === 0) return { usage: {}, keep: () => {} }
  const minimum = catalogModel(base)?.promptCaching?.minimumTokens ?? 1024
  const now = state.now()
  const prefix = (index: number): string =>
    `${identity}/${region}/${base}/${blocks
      .slice(0, index + 1)
      .map(({ text }) => text)
      .join('\n')}`
  const tokens = (index: number): number =>
    Math.ceil(blocks.slice(0, index + 1).reduce((sum, { text }) => sum + text.length, 0) / 4)
  const isCached = (index: number): boolean => (state.cachedPrompts.get(prefix(index)) ?? 0) > now

  let read = -1
  for (const { index } of points) {
    for (let i = index; i > read && i > index - lookBack; i--) if (isCached(i)) read = i
  }
  const large = points.filter(({ index }) => tokens(index) >= minimum)
  const written = Math.max(-1, ...large.map(({ index }) => index).filter((index) => index > read))
  const readTokens = read >= 0 ? tokens(read) : 0
  const writtenTokens = written >= 0 ? tokens(written) - readTokens : 0
  return {
    usage: {
      input_tokens: Math.max(0, Number(input_tokens) - readTokens - writtenTokens),
      cache_read_input_tokens: readTokens,
      cache_creation_input_tokens: writtenTokens,
    },
    keep() {
      for (const { index, ttl } of large)
        state.cachedPrompts.set(prefix(index), now + (ttl === '1h' ? 3_600_000 : 300_000))
    },
  }
}

/** Returns tools, system and messages as blocks, in caching order. */
function blocksOf({ tools, system, messages }: JsonObject): { text: string; ttl: string | undefined }[] {
  const list = (value: JsonValue | undefined): JsonValue[] =>
    Array.isArray(value) ? value : typeof value === 'string' ? [{ type: 'text', text: value }] : []
  const turns = list(messages).flatMap((message) =>
    isJsonObject(message) ? list(message.content).map((block) => ({ role: message.role, block })) : [],
  )
  return [...list(tools), ...list(system), ...turns].map((value) => {
    const block: JsonValue = isJsonObject(value) && isJsonObject(value.block) ? value.block : (value as JsonValue)
    const control = isJsonObject(block) && isJsonObject(block.cache_control) ? block.cache_control : undefined
    return {
      text: JSON.stringify(value, (key, each) => (key === 'cache_control' ? undefined : each)),
      ttl: control ? textOf(control.ttl) || '5m' : undefined,
    }
  })
}
