import { StreamError } from '../errors.ts'
import { isJsonObject, parseJsonObject } from '../internal/json.ts'
import { redact } from '../internal/redact.ts'
import type { JsonObject, JsonValue } from '../types.ts'

/** Collects the events of a stream into the message that they tell. */
export interface MessageAccumulator {
  /** The message so far; `undefined` before `message_start`. */
  readonly message: JsonObject | undefined
  /** @throws StreamError for an event that does not fit those before it, and for one that is an error */
  add(event: JsonObject): void
}

// Names that would change more than a field.
const unsafe = ['__proto__', 'constructor']
// What `message_start` and `content_block_start` alone may say.
const ofMessage = new Set([...unsafe, 'id', 'type', 'role', 'model', 'content', 'usage'])
const ofBlock = new Set([...unsafe, 'id', 'type', 'name', 'input'])
// What an event has for itself.
const ofEvent = new Set([...ofMessage, 'index', 'message', 'content_block', 'delta', 'stop_reason', 'stop_sequence'])

/**
 * Makes an accumulator. What it does not know it keeps: unknown blocks as they came, unknown deltas laid over their
 * block (text appended to text, lists to lists), unknown fields of events laid over the message.
 *
 * The input of a tool that is not whole is a text, the JSON as far as it came: while its block is open, in `snapshot` and
 * in an error's `partial`, and for good where the JSON was cut short, by `max_tokens` say. No object could be told from
 * one that was meant; a whole input is never a text.
 *
 * Gateways may leave an index out (it is the next block's, or the last one's), leave gaps between indexes, use one again
 * for another block, and leave out `content_block_stop`.
 */
export function createMessageAccumulator(): MessageAccumulator {
  let message: JsonObject | undefined
  let content: JsonValue[] = []
  const blocks = new Map<number, JsonObject>()
  // The blocks whose input is not whole, and what it began as.
  const inputs = new Map<JsonObject, JsonValue | undefined>()

  const startMessage = (begun: JsonObject): void => {
    if (content.length > 0) throw corrupt('a second message_start')
    content = Array.isArray(begun.content) ? [...begun.content] : []
    message = { ...copyOf(begun), content }
    content.forEach((block, index) => {
      if (isJsonObject(block)) blocks.set(index, block)
    })
  }
  const startBlock = (index = content.length, begun: JsonObject): void => {
    // A gateway that takes blocks out leaves a gap; one as wide as this is damage.
    if (index > content.length + 1_000) throw corrupt(`index ${index} in place of ${content.length}`)
    const block = copyOf(begun)
    if (isJsonObject(block.input) && Object.keys(block.input).length === 0) openInput(block)
    blocks.set(index, block)
    content.push(block)
  }
  const openInput = (block: JsonObject): void => {
    inputs.set(block, block.input)
    block.input = ''
  }
  const closeInput = (block: JsonValue | undefined): void => {
    if (!isJsonObject(block) || !inputs.has(block)) return
    // A tool without parameters may send no text.
    block.input = block.input ? (parseJsonObject(block.input as string) ?? block.input) : inputs.get(block)
    inputs.delete(block)
  }
  const blockAt = (index: number | undefined): JsonObject => {
    const block = index === undefined ? content.at(-1) : blocks.get(index)
    if (!isJsonObject(block)) throw corrupt(`index ${index}, where no block has begun`)
    return block
  }

  return {
    get message() {
      return message
    },
    add(event) {
      const { type, content_block: begun, delta, usage } = event
      if (type === 'error') throw errorOf(event)
      if (type === 'message_start' && isJsonObject(event.message)) startMessage(event.message)
      if (!message) return
      switch (type) {
        case 'content_block_start':
          if (isJsonObject(begun)) startBlock(indexOf(event), begun)
          break
        case 'content_block_delta': {
          if (!isJsonObject(delta)) break
          const block = blockAt(indexOf(event))
          if (delta.type === 'input_json_delta') {
            if (!inputs.has(block)) openInput(block)
            if (typeof delta.partial_json === 'string') block.input += delta.partial_json
          } else applyDelta(block, delta)
          break
        }
        case 'content_block_stop': {
          const index = indexOf(event)
          closeInput(index === undefined ? content.at(-1) : blocks.get(index))
          break
        }
        case 'message_delta':
          if (isJsonObject(delta)) layOver(message, delta, ofMessage)
          break
        case 'message_stop':
          for (const block of inputs.keys()) closeInput(block)
          break
      }
      if (isJsonObject(usage)) message.usage = mergeUsage(message.usage, usage)
      layOver(message, event, ofEvent)
    },
  }
}

function indexOf({ index }: JsonObject): number | undefined {
  if (index === undefined || index === null) return undefined
  if (!Number.isInteger(index) || (index as number) < 0) throw corrupt('an index that is none')
  return index as number
}

/** A copy whose lists may be added to. */
function copyOf(source: JsonObject): JsonObject {
  const copy: JsonObject = {}
  for (const key in source) {
    const value = source[key]
    if (!unsafe.includes(key)) copy[key] = Array.isArray(value) ? [...value] : value
  }
  return copy
}

function layOver(target: JsonObject, source: JsonObject, except: ReadonlySet<string>): void {
  for (const key in source) {
    // Once a guardrail intervened, a later event does not take that back.
    if (!except.has(key) && target[key] !== 'INTERVENED') target[key] = source[key]
  }
}

function applyDelta(block: JsonObject, delta: JsonObject): void {
  for (const key in delta) {
    if (ofBlock.has(key)) continue
    const value = delta[key]
    const known = Object.hasOwn(block, key) ? block[key] : undefined
    if (key === 'citation') {
      if (Array.isArray(block.citations)) block.citations.push(value ?? null)
      else block.citations = [value ?? null]
    } else if (typeof known === 'string' && typeof value === 'string') block[key] = known + value
    else if (Array.isArray(known) && Array.isArray(value)) for (const item of value) known.push(item)
    // Nothing new takes nothing back.
    else if (known === undefined || (value !== null && value !== undefined))
      block[key] = Array.isArray(value) ? [...value] : value
  }
}

// Figures in `message_delta` are cumulative; those that it leaves out or gives as null stand as they were.
function mergeUsage(known: JsonValue | undefined, usage: JsonObject): JsonObject {
  const merged: JsonObject = isJsonObject(known) ? { ...known } : {}
  for (const key in usage) {
    const value = usage[key]
    if (!unsafe.includes(key) && value !== null && value !== undefined) merged[key] = value
  }
  return merged
}

function corrupt(what: string): StreamError {
  return new StreamError('stream_corrupt', `The events do not make a message: ${what}`)
}

// Those on the wire end the stream before they come here; a middleware's own do not.
function errorOf({ error }: JsonObject): StreamError {
  const said = isJsonObject(error) ? error.message : error
  return new StreamError('stream_exception', typeof said === 'string' ? redact(said) : 'The stream ended with an error')
}
