import type { ResponseStore } from './store.ts'

/** What of the Web's `Cache` is used. Not every set of type libraries that a project may have declares `Cache`. */
export interface WebCache {
  match(url: string): Promise<Response | undefined>
  put(url: string, response: Response): Promise<void>
}

// Only a name for a key: nothing is ever requested from it (RFC 2606).
const origin = 'https://outcrop.invalid/'

/**
 * Keeps responses in a cache of the Web's Cache API, as Cloudflare Workers (one per data centre), Deno and browsers have
 * it.
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
