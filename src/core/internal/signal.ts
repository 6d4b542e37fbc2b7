import type { Clock } from '../types.ts'

/** The real time. The globals are looked up at each call, so that a test's fake timers count. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (handle) => clearTimeout(handle as number),
}

/** Told why something was aborted. */
export type AbortCallback = (reason: unknown) => void

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

/** What tells that an attempt is to end: a callback, or for who needs one a signal. Making a signal takes time. */
export interface AbortSource {
  readonly signal: AbortSignal
  /** As {@link onAbort}. */
  onAbort(callback: AbortCallback): void
}

/** How long a call may go on: until it is done, its caller's signal aborts, or a deadline passes. */
export class CallScope implements AbortSource {
  readonly #release: () => void
  #aborted: { readonly reason: unknown } | undefined
  #ended: { readonly reason: unknown } | undefined
  #controller: AbortController | undefined
  #callbacks: AbortCallback[] = []
  // The steps of a call follow each other, so there is one wait at a time.
  #reject: AbortCallback | undefined

  /** @throws the reason of `parent` when it has aborted already. */
  constructor(parent?: AbortSignal) {
    parent?.throwIfAborted()
    this.#release = onAbort(parent, (reason) => this.end(reason))
  }

  /** Lets go of the caller's signal, which may outlive many calls, and of the connection, which keeps much in memory. */
  dispose(): void {
    this.#release()
    this.#callbacks = []
  }

  /** Aborts with the attempt under way. Another one begins with each {@link CallScope.endAttempt}. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#aborted) this.#controller.abort(this.#aborted.reason)
    return this.#controller.signal
  }

  onAbort(callback: AbortCallback): void {
    if (this.#aborted) callback(this.#aborted.reason)
    else this.#callbacks.push(callback)
  }

  /** @throws the reason with which the attempt under way was aborted. */
  throwIfAborted(): void {
    if (this.#aborted) throw this.#aborted.reason
  }

  /** Waits for work of the attempt under way; rejects as soon as that is aborted, also where the work ignores signals. */
  wait<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      if (this.#aborted) reject(this.#aborted.reason)
      work.then(resolve, reject)
    })
  }

  /** Aborts the attempt under way, and with it what waits for it. */
  abort(reason: unknown): void {
    this.#aborted ??= { reason }
    this.#controller?.abort(reason)
    this.#reject?.(reason)
    for (const callback of this.#callbacks.splice(0)) callback(reason)
  }

  /** Aborts the attempt under way if it goes on, and begins the next. @throws the reason where the call itself has ended */
  endAttempt(reason: unknown): void {
    this.abort(reason)
    if (this.#ended) throw this.#ended.reason
    this.#aborted = this.#controller = undefined
  }

  /** Ends the call. */
  end(reason: unknown): void {
    this.#ended ??= { reason }
    this.abort(reason)
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
