import type { ModelRef } from '../core/types.ts'
import { anthropicIdOf } from '../models/names.ts'
import type { TokenPrices } from '../usage/cost.ts'

/** Returns the prices of a model: those of its ID or ARN, else of the base model, else of its family. */
export function pricesOf(
  prices: Readonly<Record<string, TokenPrices>>,
  { id, base, family }: Pick<ModelRef, 'id' | 'base' | 'family'>,
): TokenPrices | undefined {
  const names = [id, base, base && anthropicIdOf(base), family]
  const name = names.find((each) => each !== undefined && Object.hasOwn(prices, each))
  return name === undefined ? undefined : prices[name]
}
