import { ServiceError } from '../errors.ts'
import type { CallOptions, Dispatch } from '../types.ts'
import { encodeParams } from './body.ts'
import { MessageStream } from './message-stream.ts'
import { attachMetadata } from './metadata.ts'
import type {
  Message,
  MessageCountTokensParams,
  MessageCreateParamsBase,
  MessageCreateParamsNonStreaming,
  MessageCreateParamsStreaming,
  MessageInput,
  MessageStreamParams,
  MessageTokensCount,
} from './types.ts'

/** The Anthropic Messages API on Bedrock's Invoke API. */
export interface Messages {
  /**
   * Creates a message, and resolves when it is complete. With `wire: 'stream'` it is sent as a stream and assembled
   * here.
   *
   * @example
   * ```ts
   * const message = await bedrock.messages.create({ model: 'sonnet', max_tokens: 1024, messages })
   * console.log(message.content, message.metadata.usage)
   * ```
   * @see https://platform.claude.com/docs/en/api/messages
   * @throws BedrockError
   */
  create(params: MessageInput<MessageCreateParamsNonStreaming>, options?: CallOptions): Promise<Message>
  /** Creates a message as a stream, and resolves once the response has begun. */
  create(params: MessageInput<MessageCreateParamsStreaming>, options?: CallOptions): Promise<MessageStream>
  /** Creates a message, complete or as a stream, depending on `stream`. */
  create(params: MessageInput<MessageCreateParamsBase>, options?: CallOptions): Promise<Message | MessageStream>
  /**
   * Creates a message as a stream. Never throws: errors reject on use.
   *
   * @example
   * ```ts
   * const stream = bedrock.messages.stream({ model: 'sonnet', max_tokens: 1024, messages })
   * for await (const event of stream) console.log(event.type)
   * ```
   */
  stream(params: MessageInput<MessageStreamParams>, options?: CallOptions): MessageStream
  /**
   * Counts the tokens of an input, free of charge.
   *
   * @see https://docs.aws.amazon.com/bedrock/latest/userguide/count-tokens.html
   */
  countTokens(params: MessageInput<MessageCountTokensParams>, options?: CallOptions): Promise<MessageTokensCount>
}

/** Creates the Messages methods on top of a client's middleware. */
export function createMessages(dispatch: Dispatch): Messages {
  const stream = (params: MessageInput<MessageStreamParams>, options: CallOptions = {}): MessageStream =>
    new MessageStream(async (signal) => {
      const operation = 'InvokeModelWithResponseStream'
      return dispatch('stream', { operation, ...encodeParams(params), options, signal })
    }, options?.signal)

  const create = async (
    params: MessageInput<MessageCreateParamsBase>,
    options: CallOptions = {},
  ): Promise<Message | MessageStream> => {
    if (params?.stream) return stream(params, options).started()
    if (options?.wire === 'stream') {
      const message = await stream(params, { ...options, wire: undefined }).finalMessage()
      message.metadata.wire = 'stream'
      return message
    }
    const { body, metadata } = await dispatch('json', { operation: 'InvokeModel', ...encodeParams(params), options })
    if (body.type !== 'message') {
      throw new ServiceError('The model answered something that is not a message', {
        status: metadata.status,
        requestId: metadata.requestId,
        hint: 'messages is for Claude. Call other models with invoke.',
      })
    }
    return attachMetadata(body, metadata)
  }

  return {
    create: create as Messages['create'],
    stream,
    countTokens: async (params, options = {}) => {
      // Bedrock requires the body of a valid call.
      const countable = encodeParams({ ...params, max_tokens: params?.max_tokens ?? 1 })
      const { body, metadata } = await dispatch('json', { operation: 'CountTokens', ...countable, options })
      const { inputTokens, ...rest } = body
      if (typeof inputTokens !== 'number') {
        const { status, requestId } = metadata
        throw new ServiceError('The answer to CountTokens has no inputTokens', { status, requestId })
      }
      return { ...rest, input_tokens: inputTokens }
    },
  }
}
