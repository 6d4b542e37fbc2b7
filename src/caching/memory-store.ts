import { assertOptions } from '../core/internal/assert-options.ts'
import { ConfigurationError } from '../core/errors.ts'
import { systemClock } from '../core/internal/signal.ts'
import type { Clock } from '../core/types.ts'
import type { ResponseStore } from './store.ts'

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** The maximum size in bytes, counting two for each character of keys and values. @default 67_108_864 (64 MiB) */
  readonly maxBytes?: number | undefined
  /** Time, for tests. */
  readonly clock?: Pick<Clock, 'now'> | undefined
}

/**
 * Keeps responses in memory. When the store is full, it evicts the least recently used entries.
 *
 * @example
 * ```ts
 * responseCaching({ store: memoryStore({ maxBytes: 8_000_000 }) })
 * ```
 * @throws ConfigurationError for a size that is not a positive number.
 */
export function memoryStore(options: MemoryStoreOptions = {}): ResponseStore {
  assertOptions(options, '', 'maxBytes clock')
  const { maxBytes = 67_108_864, clock = systemClock } = options
  if (!(maxBytes > 0)) throw new ConfigurationError('maxBytes must be a positive number of bytes')
  // A Map keeps its keys in insertion order, so the first is the least recently used.
  const entries = new Map<string, { readonly value: string; readonly until: number }>()
  let bytes = 0
  const sizeOf = (key: string, value: string): number => 2 * (key.length + value.length)
  const remove = (key: string): void => {
    const entry = entries.get(key)
    if (!entry) return
    bytes -= sizeOf(key, entry.value)
    entries.delete(key)
  }
  return {
    async get(key) {
      const entry = entries.get(key)
      if (!entry) return undefined
      if (entry.until <= clock.now()) {
        remove(key)
        return undefined
      }
      entries.delete(key)
      entries.set(key, entry)
      return entry.value
    },
    async set(key, value, { ttl }) {
      remove(key)
      const size = sizeOf(key, value)
      if (size > maxBytes) return
      entries.set(key, { value, until: clock.now() + ttl })
      bytes += size
      for (const oldest of entries.keys()) {
        if (bytes <= maxBytes) break
        remove(oldest)
      }
    },
  }
}
