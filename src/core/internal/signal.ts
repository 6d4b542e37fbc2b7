import type { Clock } from '../types.ts'

/** The real time. The globals are looked up at each call, so that a test's fake timers count. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (handle) => clearTimeout(handle as number),
}

type AbortCallback = (reason: unknown) => void

// One listener for each signal, however many calls share it: beyond ten, Node warns of a leak.
const callbacksOf = new WeakMap<AbortSignal, Set<AbortCallback>>()

function notify({ target }: Event): void {
  const signal = target as AbortSignal
  const callbacks = callbacksOf.get(signal) ?? []
  callbacksOf.delete(signal)
  for (const callback of callbacks) callback(signal.reason)
}

/** Calls back when a signal aborts, at once where it has; gives a function that lets go of the signal. */
export function onAbort(signal: AbortSignal | undefined, callback: AbortCallback): () => void {
  if (!signal) return () => {}
  if (signal.aborted) {
    callback(signal.reason)
    return () => {}
  }
  const callbacks = callbacksOf.get(signal) ?? new Set()
  if (callbacks.size === 0) {
    callbacksOf.set(signal, callbacks)
    signal.addEventListener('abort', notify, { once: true })
  }
  callbacks.add(callback)
  return () => {
    if (!callbacks.delete(callback) || callbacks.size > 0 || signal.aborted) return
    callbacksOf.delete(signal)
    signal.removeEventListener('abort', notify)
  }
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

/** How long a call may go on: until it is done, its caller's signal aborts, or a deadline passes. */
export interface CallScope {
  /** Aborts with the attempt under way. Another one begins with each {@link CallScope.endAttempt}. */
  readonly signal: AbortSignal
  /** Waits for work of the attempt under way; rejects as soon as that is aborted, also where the work ignores signals. */
  wait<T>(work: Promise<T>): Promise<T>
  /** Aborts the attempt under way, and with it what waits for it. */
  abort(reason: unknown): void
  /** Aborts the attempt under way if it goes on, and begins the next. @throws the reason where the call itself has ended */
  endAttempt(reason: unknown): void
  /** Ends the call. */
  end(reason: unknown): void
  /** Lets go of the caller's signal, which may outlive many calls. */
  dispose(): void
}

/** Opens a {@link CallScope}. @throws the reason of `parent` when it has aborted already. */
export function openCallScope(parent?: AbortSignal): CallScope {
  parent?.throwIfAborted()
  let controller = new AbortController()
  let ended: { readonly reason: unknown } | undefined
  // The steps of a call follow each other, so there is one wait at a time.
  let reject: AbortCallback | undefined
  const abort = (reason: unknown): void => {
    controller.abort(reason)
    reject?.(reason)
  }
  const end = (reason: unknown): void => {
    ended ??= { reason }
    abort(reason)
  }
  return {
    get signal() {
      return controller.signal
    },
    wait: (work) =>
      new Promise((resolve, fail) => {
        reject = fail
        if (controller.signal.aborted) fail(controller.signal.reason)
        work.then(resolve, fail)
      }),
    abort,
    endAttempt(reason) {
      abort(reason)
      if (ended) throw ended.reason
      controller = new AbortController()
    },
    end,
    dispose: onAbort(parent, end),
  }
}

/** Pauses. @throws the reason with which `scope` is aborted meanwhile. */
export async function sleep(milliseconds: number, clock: Clock, scope: Pick<CallScope, 'wait'>): Promise<void> {
  let handle: unknown
  try {
    await scope.wait(
      new Promise<void>((resolve) => {
        handle = clock.setTimeout(resolve, milliseconds)
      }),
    )
  } finally {
    clock.clearTimeout(handle)
  }
}
