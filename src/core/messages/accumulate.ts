import { StreamError } from '../errors.ts'
import { isJsonObject, parseJsonObject } from '../internal/json.ts'
import { redact } from '../internal/redact.ts'
import type { JsonObject, JsonValue } from '../types.ts'

// Names that would change more than a field; with those that only `message_start` or `content_block_start` may set; and
// with the event's own fields. (Bedrock's metrics are in the metadata's usage.)
const unsafe = /^(__proto__|constructor)$/
const ofMessage = /^(__proto__|constructor|id|type|role|model|content|usage)$/
const ofBlock = /^(__proto__|constructor|id|type|name|input)$/
const ofEvent =
  /^(__proto__|constructor|id|type|role|model|content|usage|amazon-bedrock-invocationMetrics|index|message|content_block|delta|stop_reason|stop_sequence)$/

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
export class MessageAccumulator {
  /** The message so far; `undefined` before `message_start`. */
  message: (JsonObject & { readonly content: JsonValue[] }) | undefined
  readonly #blocks = new Map<unknown, JsonObject>()
  // Blocks whose input is incomplete.
  readonly #open = new Set<JsonObject>()

  /** @throws StreamError for an event that does not fit the previous ones, and for an error event */
  add(event: JsonObject): void {
    const { type } = event
    if (type === 'error') throw errorOf(event)
    if (type === 'message_start') this.#begin(event.message)
    const { message } = this
    if (!message) return
    const block = this.#blocks.get(event.index ?? undefined)
    if (type === 'content_block_delta') this.#addDelta(event.delta, block)
    else if (type === 'content_block_start') this.#addBlock(event.content_block, message.content, event.index)
    else if (type === 'content_block_stop') this.#closeInput(block)
    else if (type === 'message_stop') for (const block of this.#open) this.#closeInput(block)
    else if (type === 'message_delta') layOver(message, event.delta, ofMessage)
    const { usage } = event
    if (isJsonObject(usage)) message.usage = mergeUsage(message.usage, usage)
    layOver(message, event, ofEvent)
  }

  #begin(begun: JsonValue | undefined): void {
    if (!isJsonObject(begun)) return
    if (this.message?.content.length) throw corrupt('it begins twice')
    const content: JsonValue[] = []
    if (Array.isArray(begun.content)) for (const each of begun.content) this.#addBlock(each, content)
    this.message = { ...copyOf(begun), content }
  }

  #addBlock(begun: JsonValue | undefined, content: JsonValue[], at?: JsonValue): void {
    if (!isJsonObject(begun)) return
    const index = at ?? content.length
    // A gateway that removes blocks leaves a gap; a gap this wide means damage.
    if (!Number.isInteger(index) || (index as number) < 0 || (index as number) > content.length + 1_000)
      throw corrupt('a block has a wrong index')
    const block = copyOf(begun)
    if (isJsonObject(block.input) && Object.keys(block.input).length === 0) this.#openInput(block)
    this.#blocks.set(index, block).set(undefined, block)
    content.push(block)
  }

  #addDelta(delta: JsonValue | undefined, block: JsonObject | undefined): void {
    if (!isJsonObject(delta)) return
    if (!block) throw corrupt('a delta has no block')
    if (delta.type !== 'input_json_delta') applyDelta(block, delta)
    else if (typeof delta.partial_json === 'string') {
      if (!this.#open.has(block)) this.#openInput(block)
      block.input += delta.partial_json
    }
  }

  #openInput(block: JsonObject): void {
    this.#open.add(block)
    block.input = ''
  }

  #closeInput(block: JsonObject | undefined): void {
    // A tool without parameters may have no input text.
    if (block && this.#open.delete(block)) block.input = parseJsonObject((block.input as string) || '{}') ?? block.input
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

function layOver(message: JsonObject, source: JsonValue | undefined, except: RegExp): void {
  if (!isJsonObject(source)) return
  for (const key in source) {
    // A later event never reverts a guardrail's intervention.
    if (!except.test(key) && message[key] !== 'INTERVENED') message[key] = source[key]
  }
}

function applyDelta(block: JsonObject, delta: JsonObject): void {
  for (const key in delta) {
    if (ofBlock.test(key)) continue
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
