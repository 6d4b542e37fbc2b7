import type { ResponseStore } from './store.ts'

/** The used part of an unstorage `Storage`. */
export interface UnstorageLike {
  getItem(key: string): unknown
  setItem(key: string, value: string, options?: { ttl?: number }): Promise<void> | void
}

/**
 * Stores responses through any unstorage driver: Redis, Cloudflare KV, Vercel KV, files and many more.
 *
 * @example
 * ```ts
 * import { createStorage } from 'unstorage'
 * import redis from 'unstorage/drivers/redis'
 *
 * const storage = createStorage({ driver: redis({ url: 'redis://cache.internal:6379' }) })
 * responseCaching({ store: unstorageStore(storage) })
 * ```
 * @see https://unstorage.unjs.io/drivers
 */
export function unstorageStore(storage: UnstorageLike): ResponseStore {
  return {
    async get(key) {
      const value = await storage.getItem(key)
      // unstorage parses values that look like JSON.
      return value === null || value === undefined || typeof value === 'string'
        ? (value as string | null)
        : JSON.stringify(value)
    },
    async set(key, value, { ttl }) {
      // Drivers expect seconds.
      await storage.setItem(key, value, { ttl: Math.max(1, Math.ceil(ttl / 1000)) })
    },
  }
}
