import type { ResponseStore } from '../caching/store.ts'

/** One requirement for every {@link ResponseStore}. */
export interface StoreContractCase {
  readonly name: string
  /** Rejects if the store does not meet it. */
  run(): Promise<void>
}

/**
 * Returns the contract of a `ResponseStore`, to test your own store with any test runner.
 *
 * @param createStore - returns an empty store
 * @example
 * ```ts
 * for (const { name, run } of responseStoreContract(() => myStore())) test(name, run)
 * ```
 */
export function responseStoreContract(createStore: () => ResponseStore | Promise<ResponseStore>): StoreContractCase[] {
  const hour = { ttl: 3_600_000 }
  const json = JSON.stringify({ version: 1, text: 'Grüße aus 東京 \u{1f30b}', nested: [1, { a: null }] })
  const check = (name: string, work: (store: ResponseStore) => Promise<void>): StoreContractCase => ({
    name,
    run: async () => work(await createStore()),
  })
  return [
    check('returns nothing for a key that was never set', async (store) => {
      const value = await store.get('a'.repeat(64))
      if (value !== undefined && value !== null) throw new Error(`Got ${JSON.stringify(value)}`)
    }),
    check('returns what was set', async (store) => {
      await store.set('b'.repeat(64), json, hour)
      equal(await store.get('b'.repeat(64)), json)
    }),
    check('separates keys', async (store) => {
      await store.set('c1', '{"of":"c1"}', hour)
      await store.set('c2', '{"of":"c2"}', hour)
      equal(await store.get('c1'), '{"of":"c1"}')
      equal(await store.get('c2'), '{"of":"c2"}')
    }),
    check('replaces a value', async (store) => {
      await store.set('d', '{"n":1}', hour)
      await store.set('d', '{"n":2}', hour)
      equal(await store.get('d'), '{"n":2}')
    }),
    check('stores a megabyte', async (store) => {
      const value = JSON.stringify({ text: 'x'.repeat(1_000_000) })
      await store.set('e', value, hour)
      equal(await store.get('e'), value)
    }),
    check('handles concurrent operations', async (store) => {
      const keys = Array.from({ length: 50 }, (_, i) => `f${i}`)
      await Promise.all(keys.map((key) => store.set(key, JSON.stringify({ key }), hour)))
      const values = await Promise.all(keys.map((key) => store.get(key)))
      values.forEach((value, i) => {
        equal(value, JSON.stringify({ key: keys[i] }))
      })
    }),
  ]
}

// A store may spell JSON differently, if it means the same.
function equal(actual: string | null | undefined, expected: string): void {
  if (actual === expected) return
  if (typeof actual === 'string' && JSON.stringify(JSON.parse(actual)) === expected) return
  throw new Error(`Got ${String(actual).slice(0, 80)} instead of ${expected.slice(0, 80)}`)
}
