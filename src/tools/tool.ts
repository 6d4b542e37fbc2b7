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

/** The second argument of a tool's `run`. */
export interface ToolContext {
  /** The model's call, with its `id` and `name`. */
  readonly toolUse: ToolUseBlock
  /** Aborts with the signal that was passed to the loop. */
  readonly signal: AbortSignal
}

/** A tool that `runTools` can run: a definition for the model, possibly one of Anthropic's own, with a `run`. */
export type RunnableTool<Input = unknown> = Extract<ToolUnion, { name: string }> & Runnable<Input>

/** A tool in a message's parameters, which may be `as const`. */
export type ToolDefinition = NonNullable<MessageInput<MessageCreateParamsBase>['tools']>[number]

/** The function of a tool. */
export interface Runnable<Input = unknown> {
  /**
   * Does the work. Its result goes to the model: text and content blocks (images, documents) as they are, anything else
   * as JSON. If it throws, the error goes to the model; throw a {@link ToolError} to send content blocks.
   */
  run(input: Input, context: ToolContext): unknown
  /** Converts the model's input. @throws ToolError if it does not match. */
  parse?(input: unknown): Input | Promise<Input>
}

/** Options of {@link tool}. Other fields of a tool, such as `strict` or `cache_control`, are passed on. */
export interface ToolOptions<Schema extends StandardSchema> extends Omit<Tool, 'input_schema' | 'type'> {
  /** The input, as a schema of zod, valibot, arktype, or any other Standard Schema library. */
  readonly inputSchema: Schema
  /** The same as JSON Schema, for libraries that cannot generate it. @default the schema's own */
  readonly jsonSchema?: Readonly<Record<string, unknown>> | undefined
  /** Does the work, with validated input. See {@link RunnableTool.run}. */
  readonly run: (input: InferOutput<Schema>, context: ToolContext) => unknown
}

const optionNames =
  'name description inputSchema jsonSchema run strict cache_control defer_loading eager_input_streaming input_examples allowed_callers'

/**
 * Creates a tool whose input is checked and typed by a schema.
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
 * @throws ConfigurationError for a name or a schema that the API would reject.
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
 */
export function tool<Schema extends StandardSchema>(
  options: ToolOptions<Schema>,
): Tool & Runnable<InferOutput<Schema>> {
  // Other fields of a tool pass, because Anthropic keeps adding to them.
  assertOptions(options, '', optionNames, true)
  const { inputSchema, jsonSchema, run, ...definition } = options
  const what = `the tool ${JSON.stringify(definition.name)}`
  if (!isStandardSchema(inputSchema)) {
    throw new ConfigurationError(`The inputSchema of ${what} does not follow Standard Schema`, {
      hint: 'Pass a schema of zod, valibot or arktype. For a tool with a JSON Schema, use { name, input_schema, run }.',
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
      if (result.issues) throw new ToolError(`The input does not match its schema: ${describeIssues(result.issues)}`)
      return result.value
    },
  }
  assertTool(made)
  return made
}

/** Tests whether a tool can be run here, not only described to the model. */
export function isRunnable(tool: object): tool is RunnableTool {
  return typeof (tool as Partial<RunnableTool>).run === 'function'
}

/** @throws ConfigurationError for a tool that the API would reject. */
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
      hint: 'The input must be an object. Put other types into a property.',
    })
  }
}

// Anthropic's own tools, such as `bash_20250124`, have a type instead of a schema.
function isOwn(tool: RunnableTool): tool is Tool & Runnable {
  return !('type' in tool) || tool.type == null || tool.type === 'custom'
}

/**
 * An error that a tool throws to send content blocks, such as an image, to the model. Other errors send their message.
 */
export class ToolError extends Error {
  override readonly name = 'ToolError'
  /** The content for the model. */
  readonly content: NonNullable<ToolResultBlockParam['content']>

  constructor(content: NonNullable<ToolResultBlockParam['content']>) {
    super(typeof content === 'string' ? content : 'The tool failed')
    this.content = content
  }
}

/** Runs a tool for a call of the model. Never rejects: a failure is a result too. */
export async function callTool(
  tool: RunnableTool | undefined,
  toolUse: ToolUseBlock,
  signal: AbortSignal,
): Promise<ToolResultBlockParam> {
  const result = { type: 'tool_result', tool_use_id: toolUse.id } as const
  try {
    if (!tool) throw new ToolError(`Unknown tool ${JSON.stringify(toolUse.name)}.`)
    // A complete input is an object. A string is the JSON so far.
    if (typeof toolUse.input === 'string') throw new ToolError('The input is incomplete.')
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

// The API requires text for every error. A tool's error may come from anywhere, and may quote a secret.
function describeFailure(error: unknown): NonNullable<ToolResultBlockParam['content']> {
  // By name, because the tool may use another copy of this module.
  if (error instanceof Error && error.name === 'ToolError') return (error as ToolError).content || 'The tool failed'
  return redact(error instanceof Error ? String(error) : typeof error === 'string' ? error : '') || 'The tool failed'
}

/** Returns a tool in the API's format. */
export function definitionOf({ run: _, parse: __, ...definition }: RunnableTool): JsonObject {
  return definition as unknown as JsonObject
}
