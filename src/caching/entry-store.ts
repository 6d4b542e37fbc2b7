import { ConfigurationError } from '../core/errors.ts'
import { redact } from '../core/internal/redact.ts'
import { within } from '../core/internal/within.ts'
import type { MiddlewareContext } from '../core/types.ts'
import { type CacheEntry, decodeEntry, encodeEntry } from './cache-entry.ts'
import type { ResponseStore } from './store.ts'

/** Options of {@link createEntryStore}. */
export interface EntryStoreOptions {
  readonly store: ResponseStore
  readonly storeTimeout: number
  readonly waitUntil?: ((promise: Promise<unknown>) => void) | undefined
}

/** A store of entries that never fails a call: errors are logged. */
export interface EntryStore {
  /** Reads the entry of a key; `undefined` if there is none, or if the store takes too long. */
  read(key: string, context: MiddlewareContext): Promise<CacheEntry | undefined>
  /** Writes in the background. */
  write(key: string, entry: CacheEntry, ttl: number, context: MiddlewareContext): void
}

/** @throws ConfigurationError without a store. */
export function createEntryStore({ store, storeTimeout, waitUntil }: EntryStoreOptions): EntryStore {
  if (typeof store?.get !== 'function' || typeof store.set !== 'function')
    throw new ConfigurationError('responseCaching needs a store', {
      hint: 'Pass memoryStore(), unstorageStore(...) or webCacheStore(...).',
    })
  const attempt = async <T>(
    verb: 'read' | 'written',
    { logger }: MiddlewareContext,
    work: () => Promise<T>,
  ): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      logger.warn(`The response cache cannot be ${verb}: ${describe(error)}`)
      return undefined
    }
  }
  return {
    read: (key, context) =>
      attempt('read', context, async () => {
        const { clock } = context
        const late = (): Error => new Error(`no answer within ${storeTimeout} ms`)
        return decodeEntry(await within(store.get(key), storeTimeout, clock, late), clock.now())
      }),
    write(key, entry, ttl, context) {
      const writing = attempt('written', context, async () => store.set(key, encodeEntry(entry), { ttl }))
      void attempt('written', context, async () => waitUntil?.(writing))
    },
  }
}

// A store may reject with anything, and an address may contain a password.
function describe(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return redact(text.slice(0, 500).replace(/\/\/[^/\s]*@/g, '//'))
}
