// The only file that imports the Anthropic SDK. The build inlines these declarations, so that users install nothing.
import type {
  Message as AnthropicMessage,
  ContentBlockParam,
  MessageCountTokensParams as AnthropicMessageCountTokensParams,
  MessageCreateParamsBase as AnthropicMessageCreateParams,
  ThinkingConfigParam,
  ToolUnion,
} from '@anthropic-ai/sdk/resources/messages/messages'
import type { KnownModel } from '../known-models.ts'
import type { ModelRef, ResponseMetadata } from '../types.ts'

export type {
  AssistantMessageParam,
  Base64ImageSource,
  Base64PDFSource,
  CacheControlEphemeral,
  CacheCreation,
  CitationCharLocation,
  CitationCharLocationParam,
  CitationContentBlockLocation,
  CitationContentBlockLocationParam,
  CitationPageLocation,
  CitationPageLocationParam,
  CitationsConfig,
  CitationsConfigParam,
  CitationsDelta,
  CitationSearchResultLocationParam,
  CitationsSearchResultLocation,
  ClientToolUnion,
  ContentBlock,
  ContentBlockDeltaEvent,
  ContentBlockParam,
  ContentBlockSource,
  ContentBlockSourceContent,
  ContentBlockStartEvent,
  ContentBlockStopEvent,
  DocumentBlock,
  DocumentBlockParam,
  ImageBlockParam,
  ImageTransformationsParam,
  InputJSONDelta,
  JSONOutputFormat,
  MemoryTool20250818,
  MessageContentParam,
  MessageCountTokensTool,
  MessageDeltaEvent,
  MessageDeltaUsage,
  MessageParam,
  MessageStartEvent,
  MessageStopEvent,
  MessageStreamEvent,
  Metadata,
  OutputConfig,
  OutputTokensDetails,
  PlainTextSource,
  RawContentBlockDelta,
  RawContentBlockDeltaEvent,
  RawContentBlockStartEvent,
  RawContentBlockStopEvent,
  RawMessageDeltaEvent,
  RawMessageStartEvent,
  RawMessageStopEvent,
  RawMessageStreamEvent,
  RedactedThinkingBlock,
  RedactedThinkingBlockParam,
  RefusalStopDetails,
  SearchResultBlockParam,
  SignatureDelta,
  StopReason,
  SystemMessageParam,
  TextBlock,
  TextBlockParam,
  TextCitation,
  TextCitationParam,
  TextDelta,
  ThinkingBlock,
  ThinkingBlockParam,
  ThinkingConfigAdaptive,
  ThinkingConfigBetweenTools,
  ThinkingConfigDisabled,
  ThinkingConfigEnabled,
  ThinkingConfigParam,
  ThinkingDelta,
  Tool,
  ToolBash20250124,
  ToolChoice,
  ToolChoiceAny,
  ToolChoiceAuto,
  ToolChoiceNone,
  ToolChoiceTool,
  ToolReferenceBlock,
  ToolReferenceBlockParam,
  ToolResultBlockParam,
  ToolSearchToolBm25_20251119,
  ToolSearchToolRegex20251119,
  ToolSearchToolResultBlock,
  ToolSearchToolResultBlockParam,
  ToolTextEditor20250124,
  ToolTextEditor20250429,
  ToolTextEditor20250728,
  ToolUnion,
  ToolUseBlock,
  ToolUseBlockParam,
  Usage,
  UserMessageParam,
} from '@anthropic-ai/sdk/resources/messages/messages'
export type { AnthropicMessage }

/** A message of the Anthropic Messages API, with the metadata of its response. */
export interface Message extends AnthropicMessage {
  /** Not enumerable, so that a message stays plain data when it is logged, copied or sent back. */
  readonly metadata: ResponseMetadata
}

/** An alias such as `sonnet`, an Anthropic model ID, a Bedrock model ID, an inference profile ID or an ARN. */
export type Model = KnownModel | (string & {})

/**
 * The parameters of the Anthropic Messages API, and those that Bedrock accepts beyond the newest API version. They are
 * compatible with Anthropic's SDK in both directions.
 *
 * @see
 *   https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
 */
export interface MessageCreateParamsBase extends Omit<AnthropicMessageCreateParams, 'model'> {
  /** An alias such as `sonnet`, an Anthropic model ID, a Bedrock model ID, an inference profile ID or an ARN. */
  model: Model
  /** Beta features, sent in the body as `anthropic_beta`. */
  betas?: string[]
  /** @default 'bedrock-2023-05-31' */
  anthropic_version?: string
  /** 0 to 1. Models from Opus 4.7 on accept none of the three. */
  temperature?: number
  top_p?: number
  top_k?: number
  /** Context editing and compaction (beta). */
  context_management?: object | null
}

/** The parameters of a message that is returned when it is complete. */
export interface MessageCreateParamsNonStreaming extends MessageCreateParamsBase {
  stream?: false
}

/** The parameters of a streamed message. */
export interface MessageCreateParamsStreaming extends MessageCreateParamsBase {
  stream: true
}

/** The parameters of `messages.create`. */
export type MessageCreateParams = MessageCreateParamsNonStreaming | MessageCreateParamsStreaming

/** The parameters of `messages.stream`; `stream` itself is optional. */
export type MessageStreamParams = MessageCreateParamsBase

/** The parameters of `messages.countTokens`: those of the message to send. `max_tokens` is optional. */
export interface MessageCountTokensParams
  extends Omit<AnthropicMessageCountTokensParams, 'model'>,
    Partial<Omit<MessageCreateParamsBase, 'stream' | keyof AnthropicMessageCountTokensParams>> {
  model: Model
  /** Estimates without a call, and marks the result. Only in the default client. */
  estimate?: boolean
}

/**
 * Parameters in the widest form that the methods accept: `as const`, with a resolved model, and with additions of the
 * Beta Messages API.
 *
 * @typeParam Params - the parameters by themselves, such as {@link MessageCreateParams}
 */
export type MessageInput<Params extends { model: Model }> = Params extends unknown
  ? ReadonlyDeep<Omit<Params, keyof WidenedParams>> & WidenedParams
  : never

/** Parameters with wider types than their own. */
interface WidenedParams {
  /** An alias such as `sonnet`, an Anthropic model ID, a Bedrock model ID, an inference profile ID or an ARN. */
  readonly model: Model | ModelRef
  /** The conversation so far, beginning with a user message. */
  readonly messages: readonly (
    | { readonly role: 'user' | 'assistant'; readonly content: MessageInputContent }
    // A system message may only add or remove tools (beta).
    | { readonly role: 'system'; readonly content?: MessageInputContent }
  )[]
  /** The tools that the model may call. */
  readonly tools?: readonly (ReadonlyDeep<ToolUnion> | BetaTool)[]
  /** Whether the model thinks before it answers. */
  readonly thinking?: ReadonlyDeep<ThinkingConfigParam> | BetaThinkingConfigParam
}

type MessageInputContent = string | readonly (ReadonlyDeep<ContentBlockParam> | BetaContentBlockParam)[]

/** Blocks that only the Beta Messages API has; their fields are not checked. */
interface BetaContentBlockParam {
  readonly type:
    | 'advisor_tool_result'
    | 'compaction'
    | 'fallback'
    | 'mcp_tool_listing'
    | 'mcp_tool_result'
    | 'mcp_tool_use'
    | 'server_tool_use'
    | 'tool_addition'
    | 'tool_removal'
  // biome-ignore lint/suspicious/noExplicitAny: an interface fits no other index signature.
  readonly [field: string]: any
}

/** Tools that only the Beta Messages API has; their fields are not checked. */
interface BetaTool {
  readonly type:
    | 'advisor_20260301'
    | 'bash_20241022'
    | 'computer_20241022'
    | 'computer_20250124'
    | 'computer_20251124'
    | 'mcp_toolset'
    | 'text_editor_20241022'
  // biome-ignore lint/suspicious/noExplicitAny: an interface fits no other index signature.
  readonly [field: string]: any
}

type BetaThinkingConfigParam = (
  | { readonly type: 'adaptive' }
  | { readonly type: 'enabled'; readonly budget_tokens: number }
) & {
  readonly display?: 'summarized' | 'omitted' | 'updates' | null
  readonly block_binding?: object | null
}

// Two types, so that errors name what is inside: `ReadonlyDeep<TextBlockParam>`. A mapped type makes `{}` of `unknown`.
type ReadonlyDeep<T> = { readonly [Key in keyof T]: ReadonlyMember<T[Key]> }
type ReadonlyMember<T> = unknown extends T ? T : ReadonlyDeep<T>

/** The number of tokens of an input. */
export interface MessageTokensCount {
  readonly input_tokens: number
  /** Whether the number is an estimate. */
  readonly estimated?: boolean
}
