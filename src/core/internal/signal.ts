import type { Clock } from '../types.ts'

/** The real time. The globals are looked up at each call, so that a test's fake timers count. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (handle) => clearTimeout(handle as number),
}

/** Calls back when a signal aborts, at once where it has; gives a function that lets go of the signal. */
export function onAbort(signal: AbortSignal | undefined, callback: (reason: unknown) => void): () => void {
  const listener = (): void => callback(signal?.reason)
  if (signal?.aborted) listener()
  else signal?.addEventListener('abort', listener, { once: true })
  return () => signal?.removeEventListener('abort', listener)
}

/** A signal that ends with its parent, or by itself. */
export interface AbortScope {
  readonly signal: AbortSignal
  abort(reason: unknown): void
  /** Lets go of the parent. Without it, a caller's long-lived signal would keep every call it was ever given to. */
  dispose(): void
}

/** Opens an {@link AbortScope} below `parent`. @throws the parent's reason when it has aborted already. */
export function openAbortScope(parent?: AbortSignal): AbortScope {
  parent?.throwIfAborted()
  const controller = new AbortController()
  const abort = (reason: unknown): void => controller.abort(reason)
  return { signal: controller.signal, abort, dispose: onAbort(parent, abort) }
}

/**
 * Waits for `promise`, or rejects with the signal's reason as soon as it aborts, also where whoever makes `promise`
 * ignores signals. Leaves no listener behind.
 */
export function raceSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const release = onAbort(signal, reject)
    promise.then(resolve, reject).finally(release)
  })
}

/** Pauses. @throws the signal's reason when it aborts meanwhile. */
export async function sleep(milliseconds: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  let handle: unknown
  try {
    await raceSignal(
      new Promise<void>((resolve) => {
        handle = clock.setTimeout(resolve, milliseconds)
      }),
      signal,
    )
  } finally {
    clock.clearTimeout(handle)
  }
}
