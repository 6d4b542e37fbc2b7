import type { ModelRef, ResponseMetadata, TokenUsage } from '../types.ts'

/**
 * Creates the metadata of a response that a middleware produces itself, without sending anything. `latency` is in
 * milliseconds.
 */
export function localMetadata(model: ModelRef, usage: TokenUsage, latency: number): ResponseMetadata {
  return { requestId: undefined, status: 200, headers: {}, attempts: 0, model, usage, latency }
}
