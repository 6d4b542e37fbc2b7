/**
 * What `known` has for a key, else what `make` gives, which is kept. Keys may come with every request, in an ARN say, so
 * their number is limited.
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
