import type { TokenUsage } from '../core/types.ts'

// The JSON around a delta's text: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}
const frame = 84

/**
 * Estimates the output of a stream whose reader stops before Bedrock has reported the usage. Its tokens still count.
 */
export class OutputMeter {
  /** Whether the message is complete, and so are Bedrock's numbers. */
  isWhole = false
  #characters = 0

  /** @param length - the characters of a delta's JSON */
  addDelta(length: number): void {
    this.#characters += Math.max(1, length - frame)
  }

  /** Returns Bedrock's numbers, with an estimate of the output if Bedrock did not report it. */
  complete(usage: TokenUsage): TokenUsage {
    const { outputTokens = 0 } = usage
    const estimate = Math.ceil(this.#characters / 4)
    return this.isWhole || estimate <= outputTokens ? usage : { ...usage, outputTokens: estimate }
  }
}
