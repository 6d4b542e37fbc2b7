/**
 * Returns the cached value of a key, or creates and caches it. Keys may come from requests, such as ARNs, so the cache
 * is limited.
 */
export function remember<Value extends {}>(known: Map<string, Value>, key: string, make: () => Value): Value {
  let value = known.get(key)
  if (value === undefined) {
    value = make()
    if (known.size === 500) known.clear()
    known.set(key, value)
  }
  return value
}
