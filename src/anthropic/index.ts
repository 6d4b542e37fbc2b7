/**
 * Anthropic's API in front of a client: for every SDK and tool that speaks Messages.
 *
 * @module
 */
export { type AnthropicFetchOptions, type AnthropicRequest, anthropicFetch } from './anthropic-fetch.ts'
export { anthropicOptions, type AnthropicOptions } from './anthropic-options.ts'
export type { AnthropicBackend } from './backend.ts'
