/**
 * Stores responses. Values are text. The reader checks whether a value is still valid, so a store may evict entries
 * early and need not expire them.
 */
export interface ResponseStore {
  /** Returns the value of a key; `undefined` or `null` if there is none. */
  get(key: string): Promise<string | null | undefined>
  /** Stores a value for about `ttl` milliseconds. */
  set(key: string, value: string, options: { readonly ttl: number }): Promise<void>
}
