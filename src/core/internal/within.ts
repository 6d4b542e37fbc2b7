import type { Clock } from '../types.ts'

/**
 * Waits for work, but no longer than a time in milliseconds. The work goes on, and its result is dropped.
 *
 * @param late - creates the error to reject with when the time is over
 */
export async function within<T>(
  work: T | Promise<T>,
  milliseconds: number,
  clock: Clock,
  late: () => Error,
): Promise<T> {
  let timer: unknown
  const timeout = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(() => reject(late()), milliseconds)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clock.clearTimeout(timer)
  }
}
