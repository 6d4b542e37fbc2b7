// The one file that names the Anthropic SDK. The build inlines the declarations below, so that users install nothing.
import type {
  CacheControlEphemeral,
  ContentBlock,
  ContentBlockParam,
  JSONOutputFormat,
  Message as AnthropicMessage,
  MessageCreateParamsBase,
  MessageParam,
  OutputConfig,
  RawContentBlockDelta,
  RawMessageStreamEvent,
  StopReason,
  TextBlock,
  TextBlockParam,
  ThinkingBlock,
  ThinkingConfigParam,
  Tool,
  ToolChoice,
  ToolResultBlockParam,
  ToolUnion,
  ToolUseBlock,
  Usage,
} from '@anthropic-ai/sdk/resources/messages/messages'
import type { JsonObject, ModelRef, ResponseMetadata } from '../types.ts'

export type {
  AnthropicMessage,
  CacheControlEphemeral,
  ContentBlock,
  ContentBlockParam,
  JSONOutputFormat,
  MessageParam,
  OutputConfig,
  RawContentBlockDelta,
  RawMessageStreamEvent,
  StopReason,
  TextBlock,
  TextBlockParam,
  ThinkingBlock,
  ThinkingConfigParam,
  Tool,
  ToolChoice,
  ToolResultBlockParam,
  ToolUnion,
  ToolUseBlock,
  Usage,
}

/** A message as the Anthropic Messages API has it, with what is known of its response. */
export interface Message extends AnthropicMessage {
  /** Not enumerable, so that a message is still plain data when it is logged, copied or sent back. */
  readonly metadata: ResponseMetadata
}

/**
 * The parameters of the Anthropic Messages API, with `model` as this library takes it, and with what Bedrock takes
 * beyond the newest API version.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
 */
export interface MessageCreateParamsNonStreaming extends Omit<MessageCreateParamsBase, 'model' | 'stream'> {
  /** An alias such as `sonnet`, a model ID, an inference profile ID or an ARN. */
  readonly model: string | ModelRef
  readonly stream?: false | undefined
  /** Beta features; they go into the body as `anthropic_beta`. */
  readonly betas?: readonly string[] | undefined
  /** @default 'bedrock-2023-05-31' */
  readonly anthropic_version?: string | undefined
  /** 0 to 1. Models from Opus 4.7 on take none of the three. */
  readonly temperature?: number | undefined
  readonly top_p?: number | undefined
  readonly top_k?: number | undefined
  /** Context editing and compaction (beta). */
  readonly context_management?: JsonObject | null | undefined
}

/** The same, for a stream. */
export interface MessageCreateParamsStreaming extends Omit<MessageCreateParamsNonStreaming, 'stream'> {
  readonly stream: true
}

/** What `messages.stream` takes; `stream` itself may be left out. */
export interface MessageStreamParams extends Omit<MessageCreateParamsNonStreaming, 'stream'> {
  readonly stream?: boolean | undefined
}

/** What `messages.countTokens` takes: what would be sent. `max_tokens` may be left out. */
export interface MessageCountTokensParams extends Omit<MessageCreateParamsNonStreaming, 'stream' | 'max_tokens'> {
  readonly max_tokens?: number | undefined
  /** Reckons in place of asking, without a call; the answer says so. Of the default client only. */
  readonly estimate?: boolean | undefined
}

/** How many tokens an input has. */
export interface MessageTokensCount {
  readonly input_tokens: number
  /** Whether it was reckoned and not counted. */
  readonly estimated?: boolean
}
