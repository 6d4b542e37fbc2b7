/**
 * Prompt caching with automatic cache points, and response caching with pluggable stores.
 *
 * @module
 */
export type { CacheScope } from './cache-key.ts'
export type { CachePoint, CacheTtl } from './cache-points.ts'
export { type CachingExplanation, explainCaching } from './explain-caching.ts'
export { type MemoryStoreOptions, memoryStore } from './memory-store.ts'
export { type PromptCachingOptions, promptCaching } from './prompt-caching.ts'
export { type ResponseCachingOptions, responseCaching } from './response-caching.ts'
export type { ResponseStore } from './store.ts'
export { type UnstorageLike, unstorageStore } from './unstorage-store.ts'
export { type WebCache, webCacheStore } from './web-cache-store.ts'
