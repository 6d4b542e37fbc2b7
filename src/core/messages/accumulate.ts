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

// Names that would change more than a field; names that only `message_start` and `content_block_start` may set; and the
// event's own fields. (Bedrock's metrics are in the metadata's usage.)
const unsafe = /^(__proto__|constructor)$/
const ofMessage = /^(id|type|role|model|content|usage)$/
const ofBlock = /^(id|type|name|input)$/
const ofEvent = /^(amazon-bedrock-invocationMetrics|index|message|content_block|delta|stop_reason|stop_sequence)$/

/**
 * Creates an accumulator. It keeps what it does not know: unknown blocks stay as they are, unknown deltas are merged
 * into their block (text is appended to text, lists to lists), and unknown event fields are merged into the message.
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

  const addBlock = (begun: JsonObject, content: JsonValue[], index: unknown = content.length): void => {
    // A gateway that removes blocks leaves a gap; a gap this wide means damage.
    if (!Number.isInteger(index) || (index as number) < 0 || (index as number) > content.length + 1_000)
      throw corrupt('a block has a wrong index')
    const block = copyOf(begun)
    if (isJsonObject(block.input) && Object.keys(block.input).length === 0) openInput(block)
    blocks.set(index, block).set(undefined, block)
    content.push(block)
  }
  const openInput = (block: JsonObject): void => {
    open.add(block)
    block.input = ''
  }
  const closeInput = (block: JsonObject): void => {
    // A tool without parameters may have no input text.
    if (open.delete(block)) block.input = parseJsonObject((block.input as string) || '{}') ?? block.input
  }

  return {
    get message() {
      return message
    },
    add(event) {
      const { type, message: begun, content_block, delta, usage } = event
      const index = event.index ?? undefined
      if (type === 'error') throw errorOf(event)
      if (type === 'message_start' && isJsonObject(begun)) {
        if (message?.content.length) throw corrupt('it begins twice')
        const content: JsonValue[] = []
        if (Array.isArray(begun.content))
          for (const each of begun.content) if (isJsonObject(each)) addBlock(each, content)
        message = { ...copyOf(begun), content }
      }
      if (!message) return
      if (type === 'content_block_start' && isJsonObject(content_block)) addBlock(content_block, message.content, index)
      const block = blocks.get(index)
      if (type === 'content_block_delta' && isJsonObject(delta)) {
        if (!block) throw corrupt('a delta has no block')
        if (delta.type !== 'input_json_delta') applyDelta(block, delta)
        else if (typeof delta.partial_json === 'string') {
          if (!open.has(block)) openInput(block)
          block.input += delta.partial_json
        }
      }
      if (type === 'content_block_stop' && block) closeInput(block)
      if (type === 'message_stop') open.forEach(closeInput)
      if (type === 'message_delta' && isJsonObject(delta)) layOver(message, delta)
      if (isJsonObject(usage)) message.usage = mergeUsage(message.usage, usage)
      layOver(message, event, ofEvent)
    },
  }
}

/** Copies an object whose lists may be extended. */
function copyOf(source: JsonObject): JsonObject {
  const copy: JsonObject = {}
  for (const key in source) if (!unsafe.test(key)) copy[key] = ownList(source[key])
  return copy
}

function ownList(value: JsonValue | undefined): JsonValue | undefined {
  return Array.isArray(value) ? [...value] : value
}

function layOver(message: JsonObject, source: JsonObject, except = unsafe): void {
  for (const key in source) {
    // A later event never reverts a guardrail's intervention.
    if (!unsafe.test(key) && !ofMessage.test(key) && !except.test(key) && message[key] !== 'INTERVENED')
      message[key] = source[key]
  }
}

function applyDelta(block: JsonObject, delta: JsonObject): void {
  for (const key in delta) {
    if (unsafe.test(key) || ofBlock.test(key)) continue
    // A citation extends a list.
    const [name, value] = key === 'citation' ? ['citations', [delta[key] ?? null]] : [key, delta[key]]
    const known = Object.hasOwn(block, name) ? block[name] : undefined
    if (Array.isArray(known) && Array.isArray(value)) for (const item of value) known.push(item)
    else if (typeof known === 'string' && typeof value === 'string') block[name] = known + value
    // An empty value never replaces an existing one.
    else if (known === undefined || (value !== null && value !== undefined)) block[name] = ownList(value)
  }
}

// Numbers in `message_delta` are cumulative. Those that are missing or null keep their value.
function mergeUsage(known: JsonValue | undefined, usage: JsonObject): JsonObject {
  const merged: JsonObject = isJsonObject(known) ? { ...known } : {}
  for (const key in usage) if (!unsafe.test(key)) merged[key] = usage[key] ?? merged[key]
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
