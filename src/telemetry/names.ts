// The names in OpenTelemetry's conventions for generative AI, copied because their package exports them from an
// unstable entry point, and lags behind. test/telemetry/names.test.ts compares them.

/**
 * The edition of the conventions: the current one, or that of the semantic conventions 1.41, the last that included
 * generative AI.
 *
 * @see https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/client-inference.md
 * @see https://github.com/open-telemetry/semantic-conventions/blob/v1.41.0/docs/gen-ai/gen-ai-spans.md
 */
export type TelemetryConventions = 'latest' | '1.41'

/** Attributes with the same name in both editions. */
export const attribute = {
  operationName: 'gen_ai.operation.name',
  providerName: 'gen_ai.provider.name',
  conversationId: 'gen_ai.conversation.id',
  outputType: 'gen_ai.output.type',
  requestModel: 'gen_ai.request.model',
  requestStream: 'gen_ai.request.stream',
  requestMaxTokens: 'gen_ai.request.max_tokens',
  requestTemperature: 'gen_ai.request.temperature',
  requestTopP: 'gen_ai.request.top_p',
  requestTopK: 'gen_ai.request.top_k',
  requestStopSequences: 'gen_ai.request.stop_sequences',
  responseId: 'gen_ai.response.id',
  responseModel: 'gen_ai.response.model',
  responseFinishReasons: 'gen_ai.response.finish_reasons',
  responseTimeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  usageInputTokens: 'gen_ai.usage.input_tokens',
  usageOutputTokens: 'gen_ai.usage.output_tokens',
  usageCacheReadInputTokens: 'gen_ai.usage.cache_read.input_tokens',
  usageReasoningOutputTokens: 'gen_ai.usage.reasoning.output_tokens',
  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
  systemInstructions: 'gen_ai.system_instructions',
  toolDefinitions: 'gen_ai.tool.definitions',
  errorType: 'error.type',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  httpStatusCode: 'http.response.status_code',
  cloudRegion: 'cloud.region',
  awsRequestId: 'aws.request_id',
  guardrailId: 'aws.bedrock.guardrail.id',
} as const

/** Attributes without a name in the conventions. */
export const ownAttribute = {
  attempts: 'outcrop.attempts',
  attempt: 'outcrop.attempt',
  retryDelay: 'outcrop.retry.delay',
  modelSource: 'outcrop.model.source',
  modelBase: 'outcrop.model.base',
  adaptations: 'outcrop.adaptations',
  cacheStatus: 'outcrop.cache.status',
  cacheAge: 'outcrop.cache.age',
  guardrailAction: 'outcrop.guardrail.action',
  failoverTarget: 'outcrop.failover.target',
  failoverReason: 'outcrop.failover.reason',
  contentTruncated: 'outcrop.content.truncated',
} as const

/** Attributes with different names in the editions; `undefined` if an edition has none. */
export const editions = {
  latest: {
    requestReasoningLevel: 'gen_ai.request.reasoning.level',
    usageCacheWriteInputTokens: 'gen_ai.usage.cache_write.input_tokens',
    tokenModality: 'gen_ai.token.modality',
    tokenType: undefined,
  },
  '1.41': {
    requestReasoningLevel: undefined,
    usageCacheWriteInputTokens: 'gen_ai.usage.cache_creation.input_tokens',
    tokenModality: undefined,
    tokenType: 'gen_ai.token.type',
  },
} as const

/** The `gen_ai.provider.name` of Bedrock. */
export const providerName = 'aws.bedrock'

/** The span event for a failed attempt that was retried. */
export const failedAttemptEvent = 'outcrop.attempt.failed'

/** The metrics of each edition, and Outcrop's own. */
export const metric = {
  latest: {
    duration: 'gen_ai.client.inference.duration',
    timeToFirstChunk: 'gen_ai.client.inference.time_to_first_chunk',
    timePerOutputChunk: 'gen_ai.client.inference.time_per_output_chunk',
    inputTokens: 'gen_ai.client.inference.usage.input_tokens',
    outputTokens: 'gen_ai.client.inference.usage.output_tokens',
    cacheReadInputTokens: 'gen_ai.client.inference.usage.cache_read.input_tokens',
    cacheWriteInputTokens: 'gen_ai.client.inference.usage.cache_write.input_tokens',
    reasoningOutputTokens: 'gen_ai.client.inference.usage.reasoning.output_tokens',
    operationInputTokens: 'gen_ai.client.inference.operation.input_tokens',
    operationOutputTokens: 'gen_ai.client.inference.operation.output_tokens',
  },
  '1.41': {
    duration: 'gen_ai.client.operation.duration',
    timeToFirstChunk: 'gen_ai.client.operation.time_to_first_chunk',
    timePerOutputChunk: 'gen_ai.client.operation.time_per_output_chunk',
    tokenUsage: 'gen_ai.client.token.usage',
  },
  /** For operations that generate nothing, in both editions. */
  operationDuration: 'gen_ai.client.operation.duration',
  retries: 'outcrop.client.retries',
  interventions: 'outcrop.client.guardrail.interventions',
} as const
