import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { redact } from '../core/internal/redact.ts'
import type {
  MessageCreateParamsBase,
  MessageInput,
  Tool,
  ToolResultBlockParam,
  ToolUnion,
  ToolUseBlock,
} from '../core/messages/types.ts'
import type { JsonObject } from '../core/types.ts'
import {
  assertJsonSchema,
  describeIssues,
  type InferOutput,
  isStandardSchema,
  jsonSchemaOf,
  type StandardSchema,
} from './standard-schema.ts'

/** What a tool may use beside its input. */
export interface ToolContext {
  /** The model's call, with its `id` and `name`. */
  readonly toolUse: ToolUseBlock
  /** Aborts with the signal that the loop was given. */
  readonly signal: AbortSignal
}

/** A tool that `runTools` can run: its definition for the model, Anthropic's own tools included, and what it does. */
export type RunnableTool<Input = unknown> = Extract<ToolUnion, { name: string }> & Runnable<Input>

/** A tool as a message's parameters have it, which may be `as const`. */
export type ToolDefinition = NonNullable<MessageInput<MessageCreateParamsBase>['tools']>[number]

/** What a tool does. */
export interface Runnable<Input = unknown> {
  /**
   * Does the work. What it gives goes to the model: text and content blocks (images, documents) as they are, anything
   * else as JSON. What it throws goes to the model as an error; throw a {@link ToolError} to say it in blocks.
   */
  run(input: Input, context: ToolContext): unknown
  /** Turns what the model wrote into the input. @throws ToolError for what does not fit. */
  parse?(input: unknown): Input | Promise<Input>
}

/** What {@link tool} makes a tool from. Other fields of a tool, such as `strict` or `cache_control`, go along. */
export interface ToolOptions<Schema extends StandardSchema> extends Omit<Tool, 'input_schema' | 'type'> {
  /** The input, as a schema of zod, valibot, arktype, or any library that follows Standard Schema. */
  readonly inputSchema: Schema
  /** The same as JSON Schema, for libraries that cannot tell it themselves. @default the schema's own */
  readonly jsonSchema?: Readonly<Record<string, unknown>> | undefined
  /** Does the work, with an input that the schema has let through. See {@link RunnableTool.run}. */
  readonly run: (input: InferOutput<Schema>, context: ToolContext) => unknown
}

const optionNames =
  'name description inputSchema jsonSchema run strict cache_control defer_loading eager_input_streaming input_examples allowed_callers'

/**
 * Makes a tool whose input is checked, and typed, by a schema.
 *
 * @example
 * ```ts
 * import { tool } from 'outcrop/tools'
 * import { z } from 'zod'
 *
 * const weather = tool({
 *   name: 'weather',
 *   description: 'Tells the weather in a city.',
 *   inputSchema: z.object({ city: z.string() }),
 *   run: ({ city }) => `Sunny in ${city}, 21 degrees`,
 * })
 * ```
 * @throws ConfigurationError for a name or a schema that the API would refuse.
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
 */
export function tool<Schema extends StandardSchema>(
  options: ToolOptions<Schema>,
): Tool & Runnable<InferOutput<Schema>> {
  // Other fields of a tool pass: Anthropic's list of them grows.
  assertOptions(options, '', optionNames, true)
  const { inputSchema, jsonSchema, run, ...definition } = options
  const what = `the tool ${JSON.stringify(definition.name)}`
  if (!isStandardSchema(inputSchema)) {
    throw new ConfigurationError(`The inputSchema of ${what} does not follow Standard Schema`, {
      hint: 'Give a schema of zod, valibot or arktype; a tool with a JSON Schema alone is { name, input_schema, run }.',
    })
  }
  const schema: unknown = jsonSchema ?? jsonSchemaOf(inputSchema, what)
  assertJsonSchema(schema, what)
  const made: Tool & Runnable<InferOutput<Schema>> = {
    ...definition,
    input_schema: schema as Tool.InputSchema,
    run,
    parse: async (input) => {
      const result = await inputSchema['~standard'].validate(input)
      if (result.issues) throw new ToolError(`The input does not fit its schema: ${describeIssues(result.issues)}`)
      return result.value
    },
  }
  assertTool(made)
  return made
}

/** Whether a tool can be run here, and not only be described to the model. */
export function isRunnable(tool: object): tool is RunnableTool {
  return typeof (tool as Partial<RunnableTool>).run === 'function'
}

/** @throws ConfigurationError for a tool that the API would refuse. */
export function assertTool(tool: RunnableTool): void {
  const { name, run } = tool
  const what = `the tool ${JSON.stringify(name)}`
  if (typeof name !== 'string' || !/^[\w-]{1,128}$/.test(name)) {
    throw new ConfigurationError(`The name of ${what} is not valid`, {
      hint: 'Use 1 to 128 letters, digits, underscores and hyphens.',
    })
  }
  if (typeof run !== 'function') throw new ConfigurationError(`The run of ${what} is not a function`)
  if (isOwn(tool) && tool.input_schema?.type !== 'object') {
    throw new ConfigurationError(`The input of ${what} is not an object`, {
      hint: 'A tool takes an object: put other types into a property.',
    })
  }
}

// Anthropic's own tools, such as `bash_20250124`, have a type in place of a schema.
function isOwn(tool: RunnableTool): tool is Tool & Runnable {
  return !('type' in tool) || tool.type == null || tool.type === 'custom'
}

/** What a tool throws to tell the model of a failure in blocks, an image among them. Any other error tells its message. */
export class ToolError extends Error {
  override readonly name = 'ToolError'
  /** What the model gets to see. */
  readonly content: NonNullable<ToolResultBlockParam['content']>

  constructor(content: NonNullable<ToolResultBlockParam['content']>) {
    super(typeof content === 'string' ? content : 'The tool failed')
    this.content = content
  }
}

/** Runs a tool for a call of the model. Never rejects: what fails is a result too. */
export async function callTool(
  tool: RunnableTool | undefined,
  toolUse: ToolUseBlock,
  signal: AbortSignal,
): Promise<ToolResultBlockParam> {
  const result = { type: 'tool_result', tool_use_id: toolUse.id } as const
  try {
    if (!tool) throw new ToolError(`Unknown tool ${JSON.stringify(toolUse.name)}.`)
    // A whole input is an object; a text is as much of its JSON as came.
    if (typeof toolUse.input === 'string') throw new ToolError('The input is not whole.')
    const input = tool.parse ? await tool.parse(toolUse.input) : toolUse.input
    return { ...result, ...toContent(await tool.run(input, { toolUse, signal })) }
  } catch (error) {
    return { ...result, content: describeFailure(error), is_error: true }
  }
}

const blockTypes = new Set<unknown>(['text', 'image', 'document', 'search_result', 'tool_reference'])

function toContent(value: unknown): Pick<ToolResultBlockParam, 'content'> {
  if (value === undefined || value === '') return {}
  if (typeof value === 'string') return { content: value }
  if (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((each) => isJsonObject(each) && blockTypes.has(each.type))
  )
    return { content: value as NonNullable<ToolResultBlockParam['content']> }
  return { content: JSON.stringify(value) }
}

// The API wants a text with every error. What a tool throws comes from anywhere, and may quote a secret.
function describeFailure(error: unknown): NonNullable<ToolResultBlockParam['content']> {
  // By name: the tool may have another copy of this module.
  if (error instanceof Error && error.name === 'ToolError') return (error as ToolError).content || 'The tool failed'
  return redact(error instanceof Error ? String(error) : typeof error === 'string' ? error : '') || 'The tool failed'
}

/** A tool as the API takes it. */
export function definitionOf({ run: _, parse: __, ...definition }: RunnableTool): JsonObject {
  return definition as unknown as JsonObject
}
