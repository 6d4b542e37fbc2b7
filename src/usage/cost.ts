import { assertOptions } from '../core/internal/assert-options.ts'
import type { TokenUsage } from '../core/types.ts'

/** Prices per million tokens, in any currency. */
export interface TokenPrices {
  readonly input: number
  readonly output: number
  /** @default `input` */
  readonly cacheRead?: number | undefined
  /** @default `input` */
  readonly cacheWrite?: number | undefined
}

/**
 * Calculates the cost of a call from your price table. Prices change, and differ by Region and contract, so none are
 * built in.
 *
 * @example
 * ```ts
 * costOf(message.metadata.usage, { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 })
 * ```
 * @see https://aws.amazon.com/bedrock/pricing/
 */
export function costOf(usage: TokenUsage, prices: TokenPrices): number {
  assertOptions(prices, 'prices', 'input output cacheRead cacheWrite')
  const { input, output, cacheRead = input, cacheWrite = input } = prices
  const { inputTokens = 0, outputTokens = 0, cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = usage
  return (
    (inputTokens * input +
      outputTokens * output +
      cacheReadInputTokens * cacheRead +
      cacheWriteInputTokens * cacheWrite) /
    1_000_000
  )
}
