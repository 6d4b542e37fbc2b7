import { isJsonObject } from '../core/internal/json.ts'
import { withoutSecrets } from '../core/internal/redact.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'
import type { Answer } from './collect-answer.ts'
import { attribute, ownAttribute, type TelemetryConventions } from './names.ts'
import type { TelemetryAttributes } from './opentelemetry.ts'

/**
 * Formats a request's content as in the conventions: JSON in a string. Only Messages bodies have content.
 *
 * @param maxBytes - the maximum size of each attribute
 */
export function requestContent({ messages, system, tools }: JsonObject, maxBytes: number): TelemetryAttributes {
  if (!Array.isArray(messages)) return {}
  const said = messages.filter(isJsonObject).map(({ role, content }) => ({ role, parts: partsOf(content) }))
  return {
    ...write(attribute.inputMessages, said, maxBytes),
    ...(system !== undefined && write(attribute.systemInstructions, partsOf(system), maxBytes)),
    ...(Array.isArray(tools) &&
      write(attribute.toolDefinitions, tools.filter(isJsonObject).map(definitionOf), maxBytes)),
  }
}

/** Formats the model's answer. */
export function responseContent(
  { content, stop_reason }: Answer,
  maxBytes: number,
  conventions: TelemetryConventions,
): TelemetryAttributes {
  if (!Array.isArray(content)) return {}
  const reason = conventions === '1.41' && { finish_reason: stop_reason ?? 'error' }
  return write(attribute.outputMessages, [{ role: 'assistant', parts: partsOf(content), ...reason }], maxBytes)
}

const definitionOf = ({ name, type }: JsonObject): JsonObject => ({ type: 'function', name: name ?? type })

function partsOf(content: JsonValue | undefined): JsonObject[] {
  if (typeof content === 'string') return [{ type: 'text', content }]
  return Array.isArray(content) ? content.filter(isJsonObject).map(partOf) : []
}

/** Converts a block to a part. Of images, documents and blocks unknown to the conventions, it keeps only the type. */
function partOf(block: JsonObject): JsonObject {
  switch (block.type) {
    case 'text':
      return { type: 'text', content: block.text }
    case 'thinking':
      return { type: 'reasoning', content: block.thinking }
    case 'tool_use':
      return { type: 'tool_call', id: block.id, name: block.name, arguments: block.input }
    case 'tool_result':
      return { type: 'tool_call_response', id: block.tool_use_id, response: partsOf(block.content) }
    default:
      return { type: block.type }
  }
}

/** Writes a list into an attribute. If it is too long, only the last items are kept, which matter most. */
function write(name: string, items: readonly JsonObject[], maxBytes: number): TelemetryAttributes {
  const kept: string[] = []
  // Without the brackets. Each item but the first takes a comma too.
  let room = maxBytes - 2
  let isWhole = true
  for (const item of [...items].reverse()) {
    const text = encode(item)
    isWhole = size(text) <= room
    const fitting = isWhole ? text : shorten(item, room)
    if (fitting !== undefined) kept.unshift(fitting)
    if (!isWhole) break
    room -= size(text) + 1
  }
  return { [name]: `[${kept.join()}]`, ...(!isWhole && { [ownAttribute.contentTruncated]: true }) }
}

/**
 * Returns the beginning of a message or a part, in at most `room` bytes; `undefined` if even an empty one is too long.
 */
function shorten(item: JsonObject, room: number): string | undefined {
  const { parts, content } = item
  if (Array.isArray(parts)) {
    const kept: JsonObject[] = []
    const withParts = (more: JsonObject[]): string => encode({ ...item, parts: [...kept, ...more] })
    if (size(withParts([])) > room) return undefined
    for (const part of parts as JsonObject[]) {
      const left = room - size(withParts([])) - 1
      const text = size(encode(part)) <= left ? encode(part) : shorten(part, left)
      if (text === undefined) break
      kept.push(JSON.parse(text) as JsonObject)
    }
    return kept.length > 0 ? withParts([]) : undefined
  }
  if (typeof content !== 'string') return undefined
  // Escaped characters take more bytes in JSON.
  for (let length = room; length > 0; length = Math.floor(length * 0.8)) {
    const text = encode({ ...item, content: `${cut(withoutSecrets(content), length)}…` })
    if (size(text) <= room) return text
  }
  return undefined
}

const encode = (value: JsonObject): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'string' ? withoutSecrets(each) : each))

const encoder = new TextEncoder()
const size = (text: string): number => encoder.encode(text).length

/** Cuts a text to a number of bytes, between characters. */
function cut(text: string, bytes: number): string {
  return new TextDecoder().decode(encoder.encode(text).subarray(0, bytes)).replace(/\ufffd$/, '')
}
