import { type AnthropicFetchOptions, anthropicFetch } from './anthropic-fetch.ts'
import type { AnthropicBackend } from './backend.ts'

/** What an SDK is made with. */
export interface AnthropicOptions {
  /** SDKs insist on one. It goes nowhere. */
  readonly apiKey: string
  readonly fetch: typeof fetch
  /** The client of Bedrock retries, and knows which of AWS's errors are worth it. */
  readonly maxRetries: 0
}

/**
 * Options for Anthropic's SDK, and for those that take the same, to run on Bedrock: {@link anthropicFetch}, a key that
 * is never used, and no second round of retries.
 *
 * @example
 * ```ts
 * const anthropic = new Anthropic(anthropicOptions(bedrock))
 * const claude = createAnthropic(anthropicOptions(bedrock))
 * ```
 * @throws ConfigurationError for options that can never work.
 */
export function anthropicOptions(bedrock: AnthropicBackend, options?: AnthropicFetchOptions): AnthropicOptions {
  return { apiKey: 'unused', fetch: anthropicFetch(bedrock, options), maxRetries: 0 }
}
