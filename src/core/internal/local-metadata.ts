import type { ModelRef, ResponseMetadata, TokenUsage } from '../types.ts'

/** The metadata of an answer that a middleware gives by itself: nothing was sent. `latency` is in milliseconds. */
export function localMetadata(model: ModelRef, usage: TokenUsage, latency: number): ResponseMetadata {
  return { requestId: undefined, status: 200, headers: {}, attempts: 0, model, usage, latency }
}
