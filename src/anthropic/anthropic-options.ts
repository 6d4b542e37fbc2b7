import { type AnthropicFetchOptions, anthropicFetch } from './anthropic-fetch.ts'
import type { AnthropicBackend } from './backend.ts'

/** Options for an SDK. */
export interface AnthropicOptions {
  /** A placeholder, because SDKs require a key. It is sent nowhere. */
  readonly apiKey: string
  readonly fetch: typeof fetch
  /** The Bedrock client retries, because it knows which of AWS's errors are worth retrying. */
  readonly maxRetries: 0
}

/**
 * Returns options that make Anthropic's SDK, and others with the same options, run on Bedrock: {@link anthropicFetch},
 * a placeholder key, and no additional retries.
 *
 * @example
 * ```ts
 * const anthropic = new Anthropic(anthropicOptions(bedrock))
 * const claude = createAnthropic(anthropicOptions(bedrock))
 * ```
 * @throws ConfigurationError for invalid options.
 */
export function anthropicOptions(bedrock: AnthropicBackend, options?: AnthropicFetchOptions): AnthropicOptions {
  return { apiKey: 'unused', fetch: anthropicFetch(bedrock, options), maxRetries: 0 }
}
