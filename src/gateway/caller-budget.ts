import type { JsonObject, ModelRef } from '../core/types.ts'
import type { Exchange } from './exchange.ts'
import type { ResolvedOptions } from './options.ts'

/** What callers may still use. */
export interface CallerBudget {
  /**
   * Sets aside what a call may come to.
   *
   * @throws RefusedRequest with status 429 where nothing is left
   */
  reserve(exchange: Exchange, model: ModelRef, body: JsonObject): Promise<void>
  /** Accounts for what the call came to, in place of what was set aside. */
  settle(exchange: Exchange): Promise<void>
}

export function createCallerBudget(_: ResolvedOptions): CallerBudget {
  return { async reserve() {}, async settle() {} }
}
