import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'
import type { FakeCall, FakeMessage, FakeReply, FakeReplyFunction } from './types.ts'
import { formatOf, sample } from './json-schema.ts'
import { textOf } from './untrusted.ts'

/** A reply that is not a function. */
export type GivenReply = Exclude<FakeReply, FakeReplyFunction> | undefined

/** Creates the message for a call, whole or streamed. */
export function createMessage({ body }: FakeCall, given: GivenReply, model: string): FakeMessage {
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

/** Converts a message to the events of a stream. */
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
  const tool = toolToCall(body, prompt)
  if (tool) {
    content.push({ type: 'text', text: `I will use ${textOf(tool.name)}.` })
    content.push({
      type: 'tool_use',
      id: `toolu_bdrk_${hash(JSON.stringify(body.messages)).toString(36)}`,
      name: textOf(tool.name),
      input: sample(tool.input_schema),
    })
    return content
  }
  const format = formatOf(body)
  if (format) return [...content, { type: 'text', text: JSON.stringify(sample(format.schema)) }]
  const result = toolResult(body)
  const about = /outcrop/i.test(prompt)
    ? 'An outcrop is bedrock that shows at the surface, where everything above it has worn away. Geologists read them like pages.'
    : result === undefined
      ? `You said: ${shortened(prompt)}`
      : `The tool answered: ${shortened(result)}`
  return [...content, { type: 'text', text: about }]
}

// The tool that `tool_choice` requires or that the prompt names. Each is called once per turn, so that agent loops end.
function toolToCall({ tools, tool_choice, messages }: JsonObject, prompt: string): JsonObject | undefined {
  const choice = isJsonObject(tool_choice) ? tool_choice : {}
  const called = new Set(blocksOfTurn(messages).flatMap(({ type, name }) => (type === 'tool_use' ? [name] : [])))
  const offered = objects(tools).filter(({ name }) => typeof name === 'string' && !called.has(name))
  if (choice.type === 'none') return undefined
  if (choice.type === 'tool') return offered.find(({ name }) => name === choice.name)
  const named = offered.find(({ name }) => prompt.includes(textOf(name)))
  return named ?? (choice.type === 'any' && called.size === 0 ? offered[0] : undefined)
}

// A turn begins after the last answer without a tool call.
function blocksOfTurn(messages: JsonValue | undefined): JsonObject[] {
  const all = objects(messages)
  const isCall = ({ content }: JsonObject): boolean => objects(content).some(({ type }) => type === 'tool_use')
  const start = all.findLastIndex((message) => message.role === 'assistant' && !isCall(message)) + 1
  return all.slice(start).flatMap(({ content }) => objects(content))
}

// The tool result in the last message.
function toolResult({ messages }: JsonObject): string | undefined {
  const result = objects(objects(messages).at(-1)?.content).findLast(({ type }) => type === 'tool_result')
  if (!result) return undefined
  const { content } = result
  return typeof content === 'string'
    ? content
    : objects(content)
        .map(({ text }) => textOf(text))
        .join(' ')
}

function objects(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

function shortened(text: string): string {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text
}

function lastText({ messages }: JsonObject): string {
  const content = objects(messages).at(-1)?.content
  if (typeof content === 'string') return content
  return objects(content)
    .flatMap(({ text }) => (typeof text === 'string' ? [text] : []))
    .join(' ')
}

/** Counts tokens, roughly: four characters each. */
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
