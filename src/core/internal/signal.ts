import type { Clock } from '../types.ts'

/** The real time. The globals are looked up at each call, so that a test's fake timers count. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (handle) => clearTimeout(handle as number),
}

/** A signal that ends with its parent, or by itself. */
export interface AbortScope {
  readonly signal: AbortSignal
  abort(reason: unknown): void
  /** Rejects with the signal's reason as soon as it aborts, also where whoever makes `promise` ignores signals. */
  race<T>(promise: Promise<T>): Promise<T>
  /** Lets go of the parent. Without it, a caller's long-lived signal would keep every call it was ever given to. */
  dispose(): void
}

/** Opens an {@link AbortScope} below `parent`. @throws the parent's reason when it has aborted already. */
export function openAbortScope(parent?: AbortSignal): AbortScope {
  parent?.throwIfAborted()
  const controller = new AbortController()
  const { signal } = controller
  const follow = (): void => controller.abort(parent?.reason)
  parent?.addEventListener('abort', follow, { once: true })
  return {
    signal,
    abort: (reason) => controller.abort(reason),
    race: (promise) => raceSignal(promise, signal),
    dispose: () => parent?.removeEventListener('abort', follow),
  }
}

/** Waits for `promise`, or rejects with the signal's reason, whichever is first; leaves no listener behind. */
export function raceSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
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
