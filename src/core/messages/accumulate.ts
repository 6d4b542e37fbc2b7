import { StreamError } from '../errors.ts'
import { isJsonObject, parseJsonObject } from '../internal/json.ts'
import { redact } from '../internal/redact.ts'
import type { JsonObject, JsonValue } from '../types.ts'

/** Assembles the events of a stream into a message. */
export interface MessageAccumulator {
  /** The message so far; `undefined` before `message_start`. */
  readonly message: JsonObject | undefined
  /** @throws StreamError for an event that does not fit the previous ones, and for an error event */
  add(event: JsonObject): void
}

// Names that would change more than a field; with those that only `message_start` or `content_block_start` may set; and
// with the event's own fields. (Bedrock's metrics are in the metadata's usage.)
const unsafe = ['__proto__', 'constructor']
const ofBlock = [...unsafe, 'type', 'id', 'name', 'input']
const ofMessage = [...unsafe, 'type', 'id', 'role', 'model', 'content', 'usage']
const ofEvent = [
  'type',
  'index',
  'delta',
  'message',
  'content_block',
  'stop_reason',
  'stop_sequence',
  'amazon-bedrock-invocationMetrics',
  ...ofMessage,
]

/**
 * Assembles the events of a stream into a message. Keeps what it does not know: unknown blocks stay as they are, unknown
 * deltas are merged into their block (text is appended to text, lists to lists), and unknown event fields are merged
 * into the message.
 *
 * The input of an incomplete tool call is a string, the JSON so far: while its block is open, in `snapshot` and in an
 * error's `partial`, and for good if the JSON was cut, such as by `max_tokens`. An object could not be told from a
 * complete input, which is never a string.
 *
 * Gateways may leave out an index (it then means the next block, or the last one), leave gaps between indexes, reuse
 * one for another block, and leave out `content_block_stop`.
 */
export function createMessageAccumulator(): MessageAccumulator {
  let message: (JsonObject & { readonly content: JsonValue[] }) | undefined
  const blocks = new Map<unknown, JsonObject>()
  // Blocks whose input is incomplete.
  const open = new Set<JsonObject>()

  const addBlock = (begun: JsonValue | undefined, content: JsonValue[], at?: JsonValue): void => {
    if (!isJsonObject(begun)) return
    const index = at ?? content.length
    // A gateway that removes blocks leaves a gap; a gap this wide means damage.
    if (!Number.isInteger(index) || (index as number) < 0 || (index as number) > content.length + 1_000)
      throw corrupt('a block has a wrong index')
    const block = copyOf(begun)
    if (isJsonObject(block.input) && Object.keys(block.input).length === 0) openInput(block)
    blocks.set(index, block).set(undefined, block)
    content.push(block)
  }
  const addDelta = (delta: JsonValue | undefined, block: JsonObject | undefined): void => {
    if (!isJsonObject(delta)) return
    if (!block) throw corrupt('a delta has no block')
    if (delta.type !== 'input_json_delta') applyDelta(block, delta)
    else if (typeof delta.partial_json === 'string') {
      if (!open.has(block)) openInput(block)
      block.input += delta.partial_json
    }
  }
  const openInput = (block: JsonObject): void => {
    open.add(block)
    block.input = ''
  }
  const closeInput = (block: JsonObject | undefined): void => {
    // A tool without parameters may have no input text.
    if (block && open.delete(block)) block.input = parseJsonObject((block.input as string) || '{}') ?? block.input
  }

  return {
    get message() {
      return message
    },
    add(event) {
      const { type, message: begun } = event
      if (type === 'error') throw errorOf(event)
      if (type === 'message_start' && isJsonObject(begun)) {
        if (message?.content.length) throw corrupt('it begins twice')
        const content: JsonValue[] = []
        if (Array.isArray(begun.content)) for (const each of begun.content) addBlock(each, content)
        message = { ...copyOf(begun), content }
      }
      if (!message) return
      const block = blocks.get(event.index ?? undefined)
      if (type === 'content_block_delta') addDelta(event.delta, block)
      else if (type === 'content_block_start') addBlock(event.content_block, message.content, event.index)
      else if (type === 'content_block_stop') closeInput(block)
      else if (type === 'message_stop') open.forEach(closeInput)
      else if (type === 'message_delta') layOver(message, event.delta, ofMessage)
      const { usage } = event
      if (isJsonObject(usage)) message.usage = mergeUsage(message.usage, usage)
      layOver(message, event, ofEvent)
    },
  }
}

/** Copies an object whose lists may be extended. */
function copyOf(source: JsonObject): JsonObject {
  const copy: JsonObject = {}
  for (const key in source) if (!unsafe.includes(key)) copy[key] = ownList(source[key])
  return copy
}

function ownList(value: JsonValue | undefined): JsonValue | undefined {
  return Array.isArray(value) ? [...value] : value
}

function layOver(message: JsonObject, source: JsonValue | undefined, except: readonly string[]): void {
  if (!isJsonObject(source)) return
  for (const key in source) {
    // A later event never reverts a guardrail's intervention.
    if (!except.includes(key) && message[key] !== 'INTERVENED') message[key] = source[key]
  }
}

function applyDelta(block: JsonObject, delta: JsonObject): void {
  for (const key in delta) {
    if (ofBlock.includes(key)) continue
    // A citation extends a list.
    const name = key === 'citation' ? 'citations' : key
    const value = key === 'citation' ? [delta[key] ?? null] : delta[key]
    const known = Object.hasOwn(block, name) ? block[name] : undefined
    if (typeof known === 'string' && typeof value === 'string') block[name] = known + value
    else if (Array.isArray(known) && Array.isArray(value)) for (const item of value) known.push(item)
    // An empty value never replaces an existing one.
    else if (known === undefined || (value !== null && value !== undefined)) block[name] = ownList(value)
  }
}

// Numbers in `message_delta` are cumulative. Those that are missing or null keep their value.
function mergeUsage(known: JsonValue | undefined, usage: JsonObject): JsonObject {
  const merged: JsonObject = isJsonObject(known) ? { ...known } : {}
  for (const key in usage) if (!unsafe.includes(key)) merged[key] = usage[key] ?? merged[key]
  return merged
}

function corrupt(why: string): StreamError {
  return new StreamError('stream_corrupt', `The events do not form a message: ${why}`)
}

// The decoder ends a stream with such events before they get here; a middleware does not.
function errorOf({ error }: JsonObject): StreamError {
  const said = isJsonObject(error) ? error.message : error
  return new StreamError('stream_exception', typeof said === 'string' ? redact(said) : 'The stream ended with an error')
}
