/**
 * Where responses are kept. A value is text; who reads it checks whether it is still good, so a store may forget early
 * and need not expire anything on its own.
 */
export interface ResponseStore {
  /** The value of a key; `undefined` or `null` where there is none. */
  get(key: string): Promise<string | null | undefined>
  /** Keeps a value for about `ttl` milliseconds. */
  set(key: string, value: string, options: { readonly ttl: number }): Promise<void>
}
