const kept = new Map<unknown, unknown>()

/**
 * Keeps an object of a class that can be created without arguments. V8 discards the code that it has optimized for
 * objects of a class once none is left, as between two streams, and would interpret the code again.
 */
export function keepOne(type: unknown): void {
  if (!kept.has(type)) kept.set(type, new (type as new () => unknown)())
}
