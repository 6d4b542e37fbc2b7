const kept = new Map<unknown, unknown>()

/**
 * Keeps an object of a class, created from arguments that belong to no call. V8 discards the code that it has optimized
 * for objects of a class once none is left, as between two calls, and would interpret the code again.
 */
export function keepOne(type: unknown, ...given: readonly unknown[]): void {
  if (!kept.has(type)) kept.set(type, new (type as new (...given: readonly unknown[]) => unknown)(...given))
}
