import type { ResponseStore } from './store.ts'

/** The used part of the Web's `Cache`, which not every project's type libraries declare. */
export interface WebCache {
  match(url: string): Promise<Response | undefined>
  put(url: string, response: Response): Promise<void>
}

// Only part of a key: nothing is ever requested from it (RFC 2606).
const origin = 'https://outcrop.invalid/'

/**
 * Stores responses with the Web's Cache API, which Cloudflare Workers (one cache per data center), Deno and browsers
 * provide.
 *
 * @example
 * ```ts
 * responseCaching({ store: webCacheStore(await caches.open('bedrock')) })
 * ```
 * @see https://developer.mozilla.org/docs/Web/API/Cache
 */
export function webCacheStore(cache: WebCache): ResponseStore {
  return {
    async get(key) {
      return (await cache.match(origin + key))?.text()
    },
    async set(key, value, { ttl }) {
      const headers = {
        'content-type': 'application/json',
        'cache-control': `max-age=${Math.max(1, Math.ceil(ttl / 1000))}`,
      }
      await cache.put(origin + key, new Response(value, { headers }))
    },
  }
}
