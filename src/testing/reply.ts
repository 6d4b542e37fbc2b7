import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'
import type { FakeCall, FakeMessage, FakeReply } from './types.ts'

/** Makes the message that a call is answered with, whole or streamed. */
export function createMessage(call: FakeCall, reply: FakeReply | undefined, model: string): FakeMessage {
  const given = typeof reply === 'function' ? reply(call) : reply
  const body = call.body
  const content =
    typeof given === 'string'
      ? [{ type: 'text', text: given }]
      : Array.isArray(given) || !given
        ? defaultContent(body)
        : (given as FakeMessage).content
  const isToolUse = content.some((block) => block.type === 'tool_use')
  return {
    id: `msg_bdrk_${hash(JSON.stringify(body)).toString(16).padStart(8, '0')}`,
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: isToolUse ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: {
      input_tokens: countTokens(body),
      output_tokens: estimate(content.map((block) => JSON.stringify(block)).join('')),
    },
    ...(typeof given === 'object' && !Array.isArray(given) ? (given as Partial<FakeMessage>) : undefined),
  }
}

/** The events of a stream, for a reply that gives them; `undefined` for any other. */
export function repliedEvents(call: FakeCall, reply: FakeReply | undefined): readonly JsonObject[] | undefined {
  const given = typeof reply === 'function' ? reply(call) : reply
  return Array.isArray(given) ? (given as readonly JsonObject[]) : undefined
}

/** The same message as the events of a stream. */
export function eventsOf({ content, stop_reason, stop_sequence, usage, ...message }: FakeMessage): JsonObject[] {
  const { output_tokens, ...input } = usage
  const blocks = content.flatMap((block, index): JsonObject[] => {
    const [start, deltas] = splitBlock(block)
    return [
      { type: 'content_block_start', index, content_block: start },
      ...deltas.map((delta): JsonObject => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]
  })
  return [
    {
      type: 'message_start',
      message: {
        ...(message as JsonObject),
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...input, output_tokens: 1 },
      },
    },
    { type: 'ping' },
    ...blocks,
    { type: 'message_delta', delta: { stop_reason, stop_sequence }, usage: { output_tokens: output_tokens ?? 0 } },
    { type: 'message_stop' },
  ]
}

function splitBlock(block: JsonObject): [start: JsonObject, deltas: JsonObject[]] {
  switch (block.type) {
    case 'text': {
      const citations = Array.isArray(block.citations) ? block.citations : []
      return [
        { ...block, text: '', ...(citations.length > 0 && { citations: [] }) },
        [
          ...pieces(String(block.text)).map((text) => ({ type: 'text_delta', text })),
          ...citations.map((citation) => ({ type: 'citations_delta', citation })),
        ],
      ]
    }
    case 'thinking':
      return [
        { ...block, thinking: '', signature: '' },
        [
          ...pieces(String(block.thinking)).map((thinking) => ({ type: 'thinking_delta', thinking })),
          { type: 'signature_delta', signature: block.signature ?? '' },
        ],
      ]
    case 'tool_use':
      return [
        { ...block, input: {} },
        pieces(JSON.stringify(block.input)).map((partial_json) => ({ type: 'input_json_delta', partial_json })),
      ]
    default:
      return [block, []]
  }
}

// Models send a few tokens at a time.
function pieces(text: string): string[] {
  return text.match(/[\s\S]{1,12}(?=\s|$)|[\s\S]{1,12}/g) ?? []
}

function defaultContent(body: JsonObject): JsonObject[] {
  const prompt = lastText(body)
  const content: JsonObject[] = []
  if (isJsonObject(body.thinking) && body.thinking.type !== 'disabled') {
    content.push({
      type: 'thinking',
      thinking: `The user asks: ${prompt}. A short answer will do.`,
      signature: `c2lnbmF0dXJl${hash(prompt).toString(36)}`,
    })
  }
  const tool = calledTool(body, prompt)
  if (tool) {
    content.push({ type: 'text', text: `I will use ${tool.name}.` })
    content.push({
      type: 'tool_use',
      id: `toolu_bdrk_${hash(prompt).toString(36)}`,
      name: tool.name ?? '',
      input: sample(tool.input_schema),
    })
    return content
  }
  const about = /outcrop/i.test(prompt)
    ? 'An outcrop is bedrock that shows at the surface, where everything above it has worn away. Geologists read them like pages.'
    : `You said: ${prompt.length > 400 ? `${prompt.slice(0, 400)}…` : prompt}`
  return [...content, { type: 'text', text: about }]
}

// The tool that was asked for by choice, or that the prompt names.
function calledTool({ tools, tool_choice, messages }: JsonObject, prompt: string): JsonObject | undefined {
  const offered = Array.isArray(tools) ? tools.filter(isJsonObject) : []
  const choice = isJsonObject(tool_choice) ? tool_choice : {}
  const last = Array.isArray(messages) ? messages.at(-1) : undefined
  const isAnswered =
    isJsonObject(last) &&
    Array.isArray(last.content) &&
    last.content.some((block) => isJsonObject(block) && block.type === 'tool_result')
  if (isAnswered || choice.type === 'none') return undefined
  if (choice.type === 'tool') return offered.find(({ name }) => name === choice.name)
  return offered.find(({ name }) => prompt.includes(String(name))) ?? (choice.type === 'any' ? offered[0] : undefined)
}

/** A value that fits a JSON schema. */
function sample(schema: JsonValue | undefined): JsonValue {
  if (!isJsonObject(schema)) return {}
  if (Array.isArray(schema.enum)) return schema.enum[0] ?? null
  switch (schema.type) {
    case 'string':
      return 'example'
    case 'number':
    case 'integer':
      return 1
    case 'boolean':
      return true
    case 'array':
      return [sample(schema.items)]
    default: {
      const properties = isJsonObject(schema.properties) ? schema.properties : {}
      const required = Array.isArray(schema.required) ? schema.required.map(String) : Object.keys(properties)
      return Object.fromEntries(required.map((name) => [name, sample(properties[name])]))
    }
  }
}

function lastText({ messages }: JsonObject): string {
  const last = Array.isArray(messages) ? messages.at(-1) : undefined
  const content = isJsonObject(last) ? last.content : undefined
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .flatMap((block) => (isJsonObject(block) && typeof block.text === 'string' ? [block.text] : []))
    .join(' ')
}

/** A count of tokens that grows with the input: about four characters each. */
export function countTokens({ messages, system, tools }: JsonObject): number {
  return estimate(JSON.stringify([messages, system, tools]))
}

function estimate(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4))
}

// FNV-1a: equal requests get equal IDs.
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}
