import type { TokenUsage } from '../core/types.ts'

// What a delta has around its text: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}
const frame = 84

/**
 * Measures what a model wrote, for a stream that is left before Bedrock has told: who leaves early has used tokens all
 * the same.
 */
export class OutputMeter {
  /** Whether the message came to its end, and Bedrock's figures are whole. */
  isWhole = false
  #characters = 0

  /** @param length - characters of a delta's JSON */
  addDelta(length: number): void {
    this.#characters += Math.max(1, length - frame)
  }

  /** What Bedrock told, with an estimate of the output where it did not come to tell. */
  complete(usage: TokenUsage): TokenUsage {
    const { outputTokens = 0 } = usage
    const estimate = Math.ceil(this.#characters / 4)
    return this.isWhole || estimate <= outputTokens ? usage : { ...usage, outputTokens: estimate }
  }
}
