import type { CoreClient } from '../core/client.ts'
import { ConfigurationError, LimitError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { raceSignal } from '../core/internal/signal.ts'
import type { MessageStream } from '../core/messages/message-stream.ts'
import type {
  Message,
  MessageCreateParamsBase,
  MessageInput,
  MessageParam,
  ToolResultBlockParam,
  ToolUnion,
  ToolUseBlock,
} from '../core/messages/types.ts'
import type { CallOptions, TokenUsage } from '../core/types.ts'
import { assertTool, callTool, definitionOf, isRunnable, type RunnableTool, type ToolDefinition } from './tool.ts'

/** Limits that end a tool loop before the model does. All are at least 1; `Infinity` turns a limit off. */
export interface ToolLimits {
  /** Calls to the model. @default 20 */
  readonly turns?: number | undefined
  /** Tool runs, counting all tools. @default Infinity */
  readonly toolCalls?: number | undefined
  /** Tokens of all turns, input (cached or not) and output. Checked after each turn. @default Infinity */
  readonly tokens?: number | undefined
}

/** Parameters of {@link runTools}: those of a message, with runnable tools. */
export interface RunToolsParams extends Omit<MessageInput<MessageCreateParamsBase>, 'stream' | 'tools'> {
  /**
   * Tools created by `tool`, or definitions with a `run`. A definition without one is only described to the model, and
   * a call to it ends the loop, so that you can answer the message yourself.
   */
  readonly tools: readonly (RunnableTool | ToolDefinition)[]
  readonly limits?: ToolLimits | undefined
  /** Whether each turn is a stream. @default false */
  readonly stream?: boolean | undefined
}

/**
 * A tool loop. Iterate over it for the model's turns as they arrive, or await it for the last message. It starts on
 * first use, and can be iterated once.
 */
export interface ToolRunner<Turn extends Message | MessageStream = Message>
  extends AsyncIterable<Turn>,
    PromiseLike<Message> {
  /** The conversation so far, with the model's messages and the tool results, ready for the next call. */
  readonly messages: readonly MessageParam[]
  /** The tokens of all turns so far. */
  readonly usage: TokenUsage
  /** Resolves to the last message, at the end of the loop. */
  finalMessage(): Promise<Message>
}

/**
 * Calls the model, runs the tools that it asks for, all calls of a turn concurrently, and sends back the results, until
 * it asks for no more.
 *
 * If a tool throws, an input does not match, or a tool does not exist, the model is told, so that it can try again. A
 * `tool_choice` that forces a call applies only to the first turn. The loop ends with the message of a turn that
 * stopped for another reason than `tool_use`, such as `max_tokens`, after which the last call may be cut.
 *
 * @example
 * ```ts
 * import { runTools, tool } from 'outcrop/tools'
 *
 * const message = await runTools(bedrock, { model: 'sonnet', max_tokens: 1024, messages, tools: [weather] })
 *
 * for await (const stream of runTools(bedrock, { model: 'sonnet', max_tokens: 1024, messages, tools, stream: true })) {
 *   for await (const text of stream.textStream) process.stdout.write(text)
 * }
 * ```
 * @throws ConfigurationError for invalid tools or limits. The loop rejects with a `LimitError` when it reaches a limit,
 *   with the error of any failed model call, and with the reason of `options.signal`.
 */
export function runTools(
  bedrock: Pick<CoreClient, 'messages'>,
  params: RunToolsParams & { readonly stream: true },
  options?: CallOptions,
): ToolRunner<MessageStream>
export function runTools(
  bedrock: Pick<CoreClient, 'messages'>,
  params: RunToolsParams & { readonly stream?: false | undefined },
  options?: CallOptions,
): ToolRunner<Message>
export function runTools(
  bedrock: Pick<CoreClient, 'messages'>,
  params: RunToolsParams,
  options?: CallOptions,
): ToolRunner<Message | MessageStream>
export function runTools(
  bedrock: Pick<CoreClient, 'messages'>,
  { tools, limits = {}, stream: streams = false, ...params }: RunToolsParams,
  options: CallOptions = {},
): ToolRunner<Message | MessageStream> {
  const named = namedTools(tools)
  const { turns, toolCalls, tokens } = checkLimits(limits)
  const definitions = tools.map((each) => (isRunnable(each) ? definitionOf(each) : each)) as ToolUnion[]
  const signal = options.signal ?? new AbortController().signal
  const messages = [...params.messages] as MessageParam[]
  let usage: TokenUsage = {}
  let calls = 0
  let last: Message | undefined
  let toolChoice = params.tool_choice

  async function* loop(): AsyncGenerator<Message | MessageStream, void> {
    for (let turn = 1; ; turn++) {
      const call = {
        ...params,
        messages: [...messages],
        tools: definitions,
        ...(toolChoice && { tool_choice: toolChoice }),
      }
      const message = streams
        ? yield* streamed(bedrock.messages.stream(call, options))
        : await bedrock.messages.create(call, options)
      last = message
      usage = addUsage(usage, message.metadata.usage)
      messages.push({ role: 'assistant', content: message.content })
      if (!streams) yield message
      if (message.stop_reason !== 'tool_use') return

      const uses = message.content.filter((block): block is ToolUseBlock => block.type === 'tool_use')
      if (uses.some(({ name }) => named.has(name) && !named.get(name))) return
      calls += uses.length
      if (turn >= turns) throw reached('turns', turns, message)
      if (calls > toolCalls) throw reached('toolCalls', toolCalls, message)
      if (total(usage) >= tokens) throw reached('tokens', tokens, message)

      signal.throwIfAborted()
      const results = uses.map((use) => callTool(named.get(use.name) || undefined, use, signal))
      messages.push({ role: 'user', content: await raceSignal<ToolResultBlockParam[]>(Promise.all(results), signal) })
      if (toolChoice?.type === 'tool' || toolChoice?.type === 'any') {
        const { disable_parallel_tool_use } = toolChoice
        toolChoice = { type: 'auto', ...(disable_parallel_tool_use !== undefined && { disable_parallel_tool_use }) }
      }
    }
  }

  let settle!: { resolve(message: Message): void; reject(error: unknown): void }
  const final = new Promise<Message>((resolve, reject) => {
    settle = { resolve, reject }
  })
  // Only callers that ask for it should see the rejection.
  final.catch(() => {})

  async function* iterate(): AsyncGenerator<Message | MessageStream, void> {
    try {
      yield* loop()
    } catch (error) {
      settle.reject(error)
      throw error
    } finally {
      if (last) settle.resolve(last)
      else settle.reject(new ConfigurationError('The loop was left before its first message'))
    }
  }
  let turnsOfLoop: AsyncGenerator<Message | MessageStream, void> | undefined
  const finalMessage = (): Promise<Message> => {
    if (!turnsOfLoop) {
      turnsOfLoop = iterate()
      drain(turnsOfLoop)
    }
    return final
  }

  return {
    get messages() {
      return messages
    },
    get usage() {
      return usage
    },
    [Symbol.asyncIterator]() {
      if (turnsOfLoop) throw new ConfigurationError('A loop of tool calls can be iterated only once')
      turnsOfLoop = iterate()
      return turnsOfLoop
    },
    finalMessage,
    // biome-ignore lint/suspicious/noThenProperty: awaiting a runner is what people do first.
    then: (onfulfilled, onrejected) => finalMessage().then(onfulfilled, onrejected),
  }
}

/**
 * Yields a stream to the reader of the loop, then waits for its message. A reader that leaves the loop ends the stream.
 */
async function* streamed(stream: MessageStream): AsyncGenerator<MessageStream, Message> {
  let message: Message | undefined
  try {
    yield stream
    message = await stream.finalMessage()
    return message
  } finally {
    if (!message) stream.abort()
  }
}

async function drain(turns: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const _ of turns);
  } catch {
    // `finalMessage` rejects with it.
  }
}

/** Maps the tools by name, with `undefined` for those that are only described. */
function namedTools(tools: readonly (RunnableTool | ToolDefinition)[]): ReadonlyMap<string, RunnableTool | undefined> {
  if (!Array.isArray(tools) || tools.some((each) => typeof each !== 'object' || each === null))
    throw new ConfigurationError('tools must be a list of tools')
  const named = new Map<string, RunnableTool | undefined>()
  for (const each of tools as readonly (RunnableTool | ToolDefinition)[]) {
    if (isRunnable(each)) assertTool(each)
    if (!('name' in each)) continue
    if (named.has(each.name)) throw new ConfigurationError(`Two tools have the name ${JSON.stringify(each.name)}`)
    named.set(each.name, isRunnable(each) ? each : undefined)
  }
  return named
}

const defaultLimits = { turns: 20, toolCalls: Number.POSITIVE_INFINITY, tokens: Number.POSITIVE_INFINITY }

function checkLimits(given: ToolLimits): Readonly<Record<keyof ToolLimits, number>> {
  const limits = { ...defaultLimits }
  assertOptions(given, 'limits', Object.keys(limits).join(' '))
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!(value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value >= 1)))
      throw new ConfigurationError(`limits.${name} must be a whole number, 1 or more`)
    limits[name as keyof ToolLimits] = value
  }
  return limits
}

function reached(limit: keyof ToolLimits, value: number, response: Message): LimitError {
  const what = { turns: 'calls to the model', toolCalls: 'tool runs', tokens: 'tokens' }[limit]
  return new LimitError(`The tool loop reached its limit of ${value} ${what}`, {
    limit,
    response,
    hint: `Raise limits.${limit}, or continue from the runner's messages.`,
  })
}

const counts = ['inputTokens', 'outputTokens', 'cacheReadInputTokens', 'cacheWriteInputTokens'] as const

function addUsage(sum: TokenUsage, usage: TokenUsage): TokenUsage {
  const known = counts.filter((name) => sum[name] !== undefined || usage[name] !== undefined)
  return Object.fromEntries(known.map((name) => [name, (sum[name] ?? 0) + (usage[name] ?? 0)]))
}

function total(usage: TokenUsage): number {
  return counts.reduce((sum, name) => sum + (usage[name] ?? 0), 0)
}
