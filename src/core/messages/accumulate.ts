import { isJsonObject, parseJson } from '../internal/json.ts'
import type { JsonObject, JsonValue } from '../types.ts'

/** Collects the events of a stream into the message that they tell. */
export interface MessageAccumulator {
  /** The message so far; `undefined` before `message_start`. */
  readonly message: JsonObject | undefined
  add(event: JsonObject): void
}

/**
 * Makes an accumulator. What it does not know it keeps: unknown blocks as they came, unknown deltas laid over their
 * block (text appended to text, lists to lists), unknown fields of events laid over the message.
 *
 * The input of a tool is an object once its block has ended. Where its JSON was cut short, by `max_tokens` say, `input`
 * is the text as far as it came: no object could be told from one that was meant.
 */
export function createMessageAccumulator(): MessageAccumulator {
  let message: JsonObject | undefined
  // Tool input by block, as it comes in pieces of JSON.
  const inputs = new Map<JsonObject, string>()

  const blockOf = ({ index }: JsonObject): JsonObject | undefined => {
    const block = Array.isArray(message?.content) ? message.content[index as number] : undefined
    return isJsonObject(block) ? block : undefined
  }

  return {
    get message() {
      return message
    },
    add(event) {
      const { type, message: started, content_block, delta, usage, index, ...rest } = event
      switch (type) {
        case 'message_start':
          if (isJsonObject(started))
            message = { ...started, content: Array.isArray(started.content) ? [...started.content] : [] }
          break
        case 'content_block_start':
          if (message && isJsonObject(content_block))
            (message.content as JsonValue[])[index as number] = { ...content_block }
          break
        case 'content_block_delta': {
          const block = blockOf(event)
          if (!block || !isJsonObject(delta)) break
          if (delta.type === 'input_json_delta')
            inputs.set(block, (inputs.get(block) ?? '') + String(delta.partial_json ?? ''))
          else applyDelta(block, delta)
          break
        }
        case 'content_block_stop': {
          const block = blockOf(event)
          const json = block && inputs.get(block)
          // A tool without parameters may send an empty text, and keeps the `{}` that it began with.
          if (block && json) block.input = parseJson(json) ?? json
          break
        }
        case 'message_delta':
          if (message && isJsonObject(delta)) Object.assign(message, delta)
          break
      }
      if (!message) return
      if (isJsonObject(usage)) message.usage = mergeUsage(message.usage, usage)
      for (const key in rest) {
        // Once a guardrail intervened, a later chunk does not take that back.
        if (key !== 'type' && message[key] !== 'INTERVENED') message[key] = rest[key]
      }
    },
  }
}

function applyDelta(block: JsonObject, delta: JsonObject): void {
  for (const key in delta) {
    const value = delta[key]
    const known = block[key]
    if (key === 'type') continue
    if (key === 'citation')
      block.citations = [...(Array.isArray(block.citations) ? block.citations : []), value ?? null]
    else if (typeof known === 'string' && typeof value === 'string') block[key] = known + value
    else if (Array.isArray(known) && Array.isArray(value)) block[key] = [...known, ...value]
    else block[key] = value
  }
}

// Figures in `message_delta` are cumulative; those that it leaves out or gives as null stand as they were.
function mergeUsage(known: JsonValue | undefined, usage: JsonObject): JsonObject {
  const merged: JsonObject = isJsonObject(known) ? { ...known } : {}
  for (const key in usage) if (usage[key] !== null && usage[key] !== undefined) merged[key] = usage[key]
  return merged
}
