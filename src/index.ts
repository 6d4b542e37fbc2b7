/**
 * Claude on Amazon Bedrock from anywhere JavaScript runs.
 *
 * @module
 */
export { type BedrockClient, type BedrockClientOptions, createBedrockClient } from './client.ts'
export type { CompatibilityOptions } from './compatibility/compatibility.ts'
export type { CoreClient, InvokeRequest, InvokeResult, InvokeStreamResult } from './core/client.ts'
export type { ClientOptions } from './core/options.ts'
export {
  BedrockError,
  type BedrockErrorByCode,
  type BedrockErrorCode,
  type BedrockErrorOptions,
  ConfigurationError,
  ConnectionError,
  CredentialsError,
  GuardrailError,
  isBedrockError,
  ModelResolutionError,
  ServiceError,
  type ServiceErrorOptions,
  StreamError,
  type StreamErrorCode,
  type StreamErrorOptions,
  TimeoutError,
  type TimeoutPhase,
} from './core/errors.ts'
export { MessageStream } from './core/messages/message-stream.ts'
export { readMessageStream } from './core/messages/read-message-stream.ts'
export type { StreamFormat, StreamResponseInit } from './core/messages/stream-response.ts'
export type { Messages } from './core/messages/messages.ts'
export type {
  AnthropicMessage,
  CacheControlEphemeral,
  ContentBlock,
  ContentBlockParam,
  Message,
  MessageCountTokensParams,
  MessageCreateParamsNonStreaming,
  MessageCreateParamsStreaming,
  MessageParam,
  MessageStreamParams,
  MessageTokensCount,
  RawContentBlockDelta,
  RawMessageStreamEvent,
  StopReason,
  TextBlock,
  TextBlockParam,
  ThinkingBlock,
  ThinkingConfigParam,
  Tool,
  ToolChoice,
  ToolUnion,
  ToolUseBlock,
  Usage,
} from './core/messages/types.ts'
export type {
  Adaptation,
  AwsCredentialIdentity,
  BearerTokenIdentity,
  BedrockFetch,
  BedrockFetchInit,
  BedrockRequest,
  BedrockResponse,
  CacheOutcome,
  CallOptions,
  Clock,
  CredentialProvider,
  CredentialProviderOptions,
  EndpointOptions,
  Environment,
  GuardrailOutcome,
  HeadersOption,
  Identity,
  IdentitySource,
  JsonObject,
  JsonValue,
  Logger,
  Middleware,
  MiddlewareContext,
  ModelRef,
  ModelResolutionContext,
  ModelResolver,
  ModelSource,
  Next,
  Operation,
  ProfileGeo,
  ResponseMetadata,
  RetryOptions,
  Timeouts,
  TokenUsage,
} from './core/types.ts'
export type { CredentialsExplanation, CredentialsStep, IdentityDescription } from './credentials/explain.ts'
export type { InferenceProfile } from './models/discovery.ts'
export type { ModelExplanation } from './models/explanation.ts'
export type { ModelFamily } from './models/families.ts'
export type { AnthropicModelId, ModelResolverOptions } from './models/resolver-options.ts'
