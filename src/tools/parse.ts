import { compatibilityKey, compatibilityTable } from '../compatibility/table.ts'
import type { CoreClient } from '../core/client.ts'
import { ConfigurationError, OutputError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { isJsonObject, parseJson } from '../core/internal/json.ts'
import { assertModel } from '../core/messages/body.ts'
import { attachMetadata } from '../core/messages/metadata.ts'
import type {
  ContentBlock,
  JSONOutputFormat,
  Message,
  MessageCreateParamsNonStreaming,
  MessageInput,
  OutputConfig,
  Tool,
  ToolChoice,
  ToolUnion,
  ToolUseBlock,
} from '../core/messages/types.ts'
import type { CallOptions, JsonObject } from '../core/types.ts'
import { inObject, toStrictSchema } from './json-schema.ts'
import {
  assertJsonSchema,
  describeIssues,
  type InferOutput,
  isStandardSchema,
  jsonSchemaOf,
  type SchemaIssue,
  type StandardSchema,
} from './standard-schema.ts'
import { definitionOf, isRunnable, type RunnableTool, type ToolDefinition } from './tool.ts'

/** A JSON Schema with a function that parses the model's output. Anthropic's `zodOutputFormat` returns one. */
export interface OutputFormat<Output = unknown> extends JSONOutputFormat {
  /** Parses the model's JSON into the value. */
  parse(content: string): Output | Promise<Output>
}

/** Parameters of {@link parse}: those of a message, with a schema as `output_config.format`. */
export interface ParseParams<Format extends StandardSchema | OutputFormat>
  extends Omit<MessageInput<MessageCreateParamsNonStreaming>, 'output_config' | 'tools'> {
  readonly output_config: Omit<OutputConfig, 'format'> & {
    /** A schema of zod, valibot, arktype or any other Standard Schema library, or the result of `outputFormat`. */
    readonly format: Format
  }
  /**
   * Tools that the model may call before it answers. `parse` runs none of them: a message that calls one has no output
   * yet.
   */
  readonly tools?: readonly (RunnableTool | ToolDefinition)[] | undefined
}

/** The type of the value behind a schema or an output format. */
export type ParsedOutput<Format extends StandardSchema | OutputFormat> = Format extends StandardSchema
  ? InferOutput<Format>
  : Format extends OutputFormat<infer Output>
    ? Output
    : never

/** A message whose text is JSON, with the parsed value. */
export interface ParsedMessage<Output> extends Message {
  /** `null` if the model calls tools first, as in Anthropic's SDK. */
  readonly parsed_output: Output
}

/**
 * Creates an output format from a schema that cannot provide its JSON Schema, or whose JSON Schema you write yourself.
 *
 * @example
 * ```ts
 * const format = outputFormat(Answer, { jsonSchema: { type: 'object', properties: { sum: { type: 'number' } } } })
 * ```
 * @throws ConfigurationError if there is no JSON Schema.
 */
export function outputFormat<Schema extends StandardSchema>(
  schema: Schema,
  options: { readonly jsonSchema?: Readonly<Record<string, unknown>> | undefined } = {},
): OutputFormat<InferOutput<Schema>> {
  assertOptions(options, '', 'jsonSchema')
  const { jsonSchema } = options
  const written: unknown = jsonSchema ?? jsonSchemaOf(schema, 'the output')
  assertJsonSchema(written, 'the output')
  return {
    type: 'json_schema',
    schema: written,
    parse: async (content) => {
      const result = await schema['~standard'].validate(JSON.parse(content))
      if (result.issues) throw new SchemaMismatch(result.issues)
      return result.value
    },
  }
}

/** Carries a format's issues to the error. */
class SchemaMismatch extends Error {
  readonly issues: readonly SchemaIssue[]

  constructor(issues: readonly SchemaIssue[]) {
    super(`The output does not match its schema: ${describeIssues(issues)}`)
    this.issues = issues
  }
}

// The tool that replaces an output format.
const outputTool = 'output'

/**
 * Creates a message whose text is JSON that matches a schema, with the checked and typed value as `parsed_output`.
 *
 * For models that support `output_config.format` on Bedrock (Claude 4.5 and 4.6), the API enforces the schema. For all
 * others, and for schemas that it cannot express (recursion, open maps, tuples), `parse` uses a forced tool call;
 * `metadata.adaptations` reports it, and the message looks the same. `thinking` rules out a forced call, so then the
 * tool is optional.
 *
 * With your own `tools` the model may call them first: then `parsed_output` is `null` and `stop_reason` is `tool_use`.
 * Answer the calls, and call `parse` again with the whole conversation.
 *
 * @example
 * ```ts
 * import { parse } from 'outcrop/tools'
 * import { z } from 'zod'
 *
 * const { parsed_output } = await parse(bedrock, {
 *   model: 'sonnet',
 *   max_tokens: 1024,
 *   messages: [{ role: 'user', content: 'Name three rocks.' }],
 *   output_config: { format: z.object({ rocks: z.array(z.string()) }) },
 * })
 * console.log(parsed_output.rocks)
 * ```
 * @throws OutputError if the output does not match, was cut, or is a refusal; with the message as `response`.
 * @throws ConfigurationError for a schema without a JSON Schema.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
 */
export async function parse<Format extends StandardSchema | OutputFormat>(
  bedrock: Pick<CoreClient, 'messages' | 'models'>,
  params: ParseParams<Format> & { readonly tools?: undefined },
  options?: CallOptions,
): Promise<ParsedMessage<ParsedOutput<Format>>>
export async function parse<Format extends StandardSchema | OutputFormat>(
  bedrock: Pick<CoreClient, 'messages' | 'models'>,
  params: ParseParams<Format>,
  options?: CallOptions,
): Promise<ParsedMessage<ParsedOutput<Format> | null>>
export async function parse<Format extends StandardSchema | OutputFormat>(
  bedrock: Pick<CoreClient, 'messages' | 'models'>,
  { output_config, tools: givenTools = [], ...params }: ParseParams<Format>,
  options?: CallOptions,
): Promise<ParsedMessage<ParsedOutput<Format> | null>> {
  const { format: given, ...config } = output_config ?? {}
  const format: OutputFormat = isStandardSchema(given) ? outputFormat(given) : (given as OutputFormat)
  if (format?.type !== 'json_schema' || typeof format.parse !== 'function') {
    throw new ConfigurationError('output_config.format is neither a schema nor an output format', {
      hint: 'Pass a schema of a Standard Schema library, or the result of outputFormat().',
    })
  }
  if ((params as { readonly stream?: unknown }).stream)
    throw new ConfigurationError('parse does not stream', { hint: 'Stream with messages.stream, and parse its text.' })
  const tools = definitionsOf(givenTools)
  assertJsonSchema(format.schema, 'the output')

  const isObject = format.schema.type === 'object'
  const schema = isObject ? format.schema : inObject(format.schema)
  assertModel(params.model)
  const model = typeof params.model === 'string' ? await bedrock.models.resolve(params.model) : params.model
  const takesFormat = compatibilityTable[compatibilityKey(model)]?.structuredOutputs === 'yes'
  const strict = takesFormat ? toStrictSchema(schema) : undefined

  const call = { ...params, model, ...(tools.length > 0 && { tools }) }
  let message: Message
  if (strict) {
    const written = { ...config, format: { type: 'json_schema', schema: strict } as const }
    message = await bedrock.messages.create({ ...call, output_config: written }, options)
  } else {
    const { name, params: byTool } = offerOutput(schema, call)
    const rest = Object.keys(config).length > 0 && { output_config: config }
    const answered = await bedrock.messages.create({ ...call, ...byTool, ...rest }, options)
    const reason = takesFormat
      ? 'the format cannot express this schema'
      : 'this model does not support an output format'
    message = asText(answered, name, reason)
  }
  // The model has called the caller's tools, and answers after their results.
  const isCalling = message.stop_reason === 'tool_use'
  const parsed_output = isCalling ? null : ((await read(message, format, isObject)) as ParsedOutput<Format>)
  return attachMetadata({ ...message, parsed_output } as unknown as JsonObject, message.metadata) as ParsedMessage<
    typeof parsed_output
  >
}

function definitionsOf(tools: readonly (RunnableTool | ToolDefinition)[]): ToolUnion[] {
  if (!Array.isArray(tools) || tools.some((each) => typeof each !== 'object' || each === null))
    throw new ConfigurationError('tools must be a list of tools')
  return tools.map((each) => (isRunnable(each) ? definitionOf(each) : each)) as ToolUnion[]
}

/** Adds a tool for the answer to a call's tools, unless the caller forces another one. */
function offerOutput(
  schema: JsonObject,
  {
    tools = [],
    tool_choice: choice,
    thinking,
  }: Pick<ParseParams<OutputFormat>, 'tool_choice' | 'thinking'> & {
    readonly tools?: ToolUnion[]
  },
): { readonly name: string; readonly params: { tools: ToolUnion[]; tool_choice: ToolChoice } } {
  let name = outputTool
  while (tools.some((tool) => 'name' in tool && tool.name === name)) name += '_'
  if (tools.length > 0 && (choice?.type === 'any' || choice?.type === 'tool'))
    return { name, params: { tools, tool_choice: choice } }
  const others = choice?.type === 'none' ? [] : tools
  const isThinking = thinking !== undefined && thinking.type !== 'disabled'
  const description =
    others.length > 0
      ? 'Takes your final answer. Call this tool, once, when you need no other one, and write nothing else.'
      : 'Takes your answer. Always answer by calling this tool, once, and write nothing else.'
  return {
    name,
    params: {
      tools: [...others, { name, description, input_schema: schema as Tool.InputSchema }],
      // Thinking rules out a forced tool call.
      // https://platform.claude.com/docs/en/build-with-claude/extended-thinking#extended-thinking-with-tool-use
      tool_choice:
        isThinking || others.length > 0 ? { ...choice, type: isThinking ? 'auto' : 'any' } : { type: 'tool', name },
    },
  }
}

/**
 * Rewrites the message as if the model had used the format, so that it fits into a conversation without a tool result.
 */
function asText(message: Message, outputTool: string, reason: string): Message {
  const adaptations = [
    ...(message.metadata.adaptations ?? []),
    { field: 'output_config.format', action: 'replaced', reason: `${reason}; a tool received the answer` } as const,
  ]
  const isCall = (block: ContentBlock): block is ToolUseBlock => block.type === 'tool_use'
  const use = message.content.filter(isCall).find(({ name }) => name === outputTool)
  const isCalling = message.content.some((block) => isCall(block) && block !== use)
  const content = message.content.flatMap((block): ContentBlock[] => {
    // An answer next to other calls was written before their results.
    if (!use || isCalling) return block === use ? [] : [block]
    if (block === use) return [{ type: 'text', text: JSON.stringify(use.input), citations: null }]
    return block.type === 'thinking' || block.type === 'redacted_thinking' ? [block] : []
  })
  const stop_reason = message.stop_reason === 'tool_use' && !isCalling ? 'end_turn' : message.stop_reason
  return attachMetadata({ ...message, content, stop_reason } as unknown as JsonObject, {
    ...message.metadata,
    adaptations,
  })
}

async function read(response: Message, format: OutputFormat, isObject: boolean): Promise<unknown> {
  if (response.stop_reason === 'refusal') throw new OutputError('The model refused to answer', { response })
  if (response.stop_reason === 'max_tokens' || response.stop_reason === 'model_context_window_exceeded') {
    throw new OutputError(`The output was cut: ${response.stop_reason}`, {
      response,
      hint: 'Raise max_tokens, or ask for less.',
    })
  }
  const text = response.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
  const value = parseJson(text)
  if (value === undefined) throw new OutputError('The output is not JSON', { response })
  try {
    return await format.parse(isObject ? text : JSON.stringify(isJsonObject(value) ? value.value : value))
  } catch (error) {
    throw new OutputError(error instanceof Error ? error.message : String(error), {
      response,
      cause: error,
      issues: error instanceof SchemaMismatch ? error.issues : undefined,
    })
  }
}
