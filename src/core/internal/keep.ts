const kept: unknown[] = []

/**
 * Keeps objects for their shapes; they must hold nothing of a call. V8 discards the code that it has optimized for a
 * shape once no such object is left, as between two streams, and would interpret the code again.
 */
export function keep(...objects: readonly unknown[]): void {
  kept.push(...objects)
}
