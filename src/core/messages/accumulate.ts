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

// Names that would change more than a field; what only `message_start` and `content_block_start` may say; and what an event
// has for itself. (Bedrock's metrics are in the metadata's usage.)
const unsafe = /^(__proto__|constructor)$/
const ofMessage = /^(id|type|role|model|content|usage)$/
const ofBlock = /^(id|type|name|input)$/
const ofEvent = /^(amazon-bedrock-invocationMetrics|index|message|content_block|delta|stop_reason|stop_sequence)$/

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
  let message: (JsonObject & { readonly content: JsonValue[] }) | undefined
  const blocks = new Map<unknown, JsonObject>()
  // Those whose input is not whole.
  const open = new Set<JsonObject>()

  const addBlock = (begun: JsonObject, content: JsonValue[], index: unknown = content.length): void => {
    // A gateway that takes blocks out leaves a gap; one as wide as this is damage.
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
    // A tool without parameters may send no text.
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
        if (!block) throw corrupt('a delta is of no block')
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

/** A copy whose lists may be added to. */
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
    // Once a guardrail intervened, a later event does not take that back.
    if (!unsafe.test(key) && !ofMessage.test(key) && !except.test(key) && message[key] !== 'INTERVENED')
      message[key] = source[key]
  }
}

function applyDelta(block: JsonObject, delta: JsonObject): void {
  for (const key in delta) {
    if (unsafe.test(key) || ofBlock.test(key)) continue
    // A citation is one more of a list.
    const [name, value] = key === 'citation' ? ['citations', [delta[key] ?? null]] : [key, delta[key]]
    const known = Object.hasOwn(block, name) ? block[name] : undefined
    if (Array.isArray(known) && Array.isArray(value)) for (const item of value) known.push(item)
    else if (typeof known === 'string' && typeof value === 'string') block[name] = known + value
    // Nothing new takes nothing back.
    else if (known === undefined || (value !== null && value !== undefined)) block[name] = ownList(value)
  }
}

// Figures in `message_delta` are cumulative; those that it leaves out or gives as null stand as they were.
function mergeUsage(known: JsonValue | undefined, usage: JsonObject): JsonObject {
  const merged: JsonObject = isJsonObject(known) ? { ...known } : {}
  for (const key in usage) if (!unsafe.test(key)) merged[key] = usage[key] ?? merged[key]
  return merged
}

function corrupt(why: string): StreamError {
  return new StreamError('stream_corrupt', `The events do not make a message: ${why}`)
}

// Those on the wire end the stream before they come here; those of a middleware do not.
function errorOf({ error }: JsonObject): StreamError {
  const said = isJsonObject(error) ? error.message : error
  return new StreamError('stream_exception', typeof said === 'string' ? redact(said) : 'The stream ended with an error')
}
