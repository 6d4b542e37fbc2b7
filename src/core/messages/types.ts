// The one file that names the Anthropic SDK. The build inlines the declarations below, so that users install nothing.
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

/** A message as the Anthropic Messages API has it, with what is known of its response. */
export interface Message extends AnthropicMessage {
  /** Not enumerable, so that a message is still plain data when it is logged, copied or sent back. */
  readonly metadata: ResponseMetadata
}

/** An alias such as `sonnet`, an Anthropic model ID, a Bedrock model ID, an inference profile ID or an ARN. */
export type Model = KnownModel | (string & {})

/**
 * The parameters of the Anthropic Messages API, with what Bedrock takes beyond the newest API version. They fit
 * Anthropic's SDK, and its parameters fit here.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
 */
export interface MessageCreateParamsBase extends Omit<AnthropicMessageCreateParams, 'model'> {
  /** An alias such as `sonnet`, an Anthropic model ID, a Bedrock model ID, an inference profile ID or an ARN. */
  model: Model
  /** Beta features; they go into the body as `anthropic_beta`. */
  betas?: string[]
  /** @default 'bedrock-2023-05-31' */
  anthropic_version?: string
  /** 0 to 1. Models from Opus 4.7 on take none of the three. */
  temperature?: number
  top_p?: number
  top_k?: number
  /** Context editing and compaction (beta). */
  context_management?: object | null
}

/** The parameters of a message that is given when it is whole. */
export interface MessageCreateParamsNonStreaming extends MessageCreateParamsBase {
  stream?: false
}

/** The parameters of a message that is given as it comes. */
export interface MessageCreateParamsStreaming extends MessageCreateParamsBase {
  stream: true
}

/** What `messages.create` takes. */
export type MessageCreateParams = MessageCreateParamsNonStreaming | MessageCreateParamsStreaming

/** What `messages.stream` takes; `stream` itself may be left out. */
export type MessageStreamParams = MessageCreateParamsBase

/** What `messages.countTokens` takes: what would be sent. `max_tokens` may be left out. */
export interface MessageCountTokensParams
  extends Omit<AnthropicMessageCountTokensParams, 'model'>,
    Partial<Omit<MessageCreateParamsBase, 'stream' | keyof AnthropicMessageCountTokensParams>> {
  model: Model
  /** Reckons in place of asking, without a call; the answer says so. Of the default client only. */
  estimate?: boolean
}

/**
 * Parameters as the methods take them: also from an `as const`, with a model already resolved, and with what the Beta
 * Messages API adds.
 *
 * @typeParam Params - the parameters by themselves, such as {@link MessageCreateParams}
 */
export type MessageInput<Params extends { model: Model }> = Params extends unknown
  ? ReadonlyDeep<Omit<Params, keyof WidenedParams>> & WidenedParams
  : never

/** Parameters that take more than their own types say. */
interface WidenedParams {
  /** An alias such as `sonnet`, an Anthropic model ID, a Bedrock model ID, an inference profile ID or an ARN. */
  readonly model: Model | ModelRef
  /** The conversation so far, beginning with a message of the user. */
  readonly messages: readonly (
    | { readonly role: 'user' | 'assistant'; readonly content: MessageInputContent }
    // A system message may only add or remove tools (beta).
    | { readonly role: 'system'; readonly content?: MessageInputContent }
  )[]
  /** What the model may call. */
  readonly tools?: readonly (ReadonlyDeep<ToolUnion> | BetaTool)[]
  /** Whether the model thinks before it answers. */
  readonly thinking?: ReadonlyDeep<ThinkingConfigParam> | BetaThinkingConfigParam
}

type MessageInputContent = string | readonly (ReadonlyDeep<ContentBlockParam> | BetaContentBlockParam)[]

/** Blocks of the Beta Messages API alone; their fields are not checked. */
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

/** Tools of the Beta Messages API alone; their fields are not checked. */
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

/** How many tokens an input has. */
export interface MessageTokensCount {
  readonly input_tokens: number
  /** Whether it was reckoned and not counted. */
  readonly estimated?: boolean
}
