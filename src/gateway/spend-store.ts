import { assertOptions } from '../core/internal/assert-options.ts'
import { systemClock } from '../core/internal/signal.ts'
import type { Clock } from '../core/types.ts'

/** Stores spending in counters, which several processes may share. */
export interface SpendStore {
  /**
   * Adds to a counter, and resolves to its new value. A new counter starts at 0.
   *
   * @param amount - a whole number of millionths of the currency; negative amounts subtract
   * @param options - `ttl`: the counter may expire after this many milliseconds
   */
  add(key: string, amount: number, options: { readonly ttl: number }): Promise<number>
}

/** Stores spending in the memory of this process. The gateway's default. */
export function memorySpendStore(options: { readonly clock?: Pick<Clock, 'now'> | undefined } = {}): SpendStore {
  assertOptions(options, '', 'clock')
  const { clock = systemClock } = options
  const counters = new Map<string, { value: number; readonly until: number }>()
  let roomFor = 1_000
  return {
    async add(key, amount, { ttl }) {
      const now = clock.now()
      let counter = counters.get(key)
      if (!counter || counter.until <= now) {
        if (counters.size >= roomFor) {
          for (const [old, { until }] of counters) if (until <= now) counters.delete(old)
          roomFor = 2 * counters.size + 1_000
        }
        counter = { value: 0, until: now + ttl }
        counters.set(key, counter)
      }
      counter.value += amount
      return counter.value
    },
  }
}
