/**
 * Anthropic's API in front of a client, for every SDK and tool that uses the Messages API.
 *
 * @module
 */
export { type AnthropicFetchOptions, type AnthropicRequest, anthropicFetch } from './anthropic-fetch.ts'
export { anthropicOptions, type AnthropicOptions } from './anthropic-options.ts'
export type { AnthropicResponseOptions } from './response-options.ts'
export type { AnthropicBackend } from './backend.ts'
export { type MessageEvents, toEventStream } from './to-event-stream.ts'
