import type { Clock } from '../types.ts'

/** The real time. Reads the globals at each call, so that a test's fake timers work. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (handle) => clearTimeout(handle as number),
}

/** Receives the reason of an abort. */
export type AbortCallback = (reason: unknown) => void

// One listener per signal, however many calls share it, because Node warns about more than ten.
const callbacksOf = new WeakMap<AbortSignal, Set<AbortCallback>>()

function notify({ target }: Event): void {
  const signal = target as AbortSignal
  const callbacks = callbacksOf.get(signal) ?? []
  callbacksOf.delete(signal)
  for (const callback of callbacks) callback(signal.reason)
}

/** Calls back when a signal aborts, at once if it already has. Returns a function that stops listening. */
export function onAbort(signal: AbortSignal | undefined, callback: AbortCallback): () => void {
  // Something that is not a signal is rejected with the call's options.
  if (!signal?.addEventListener) return () => {}
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
 * Waits for `promise`, or rejects with the signal's reason as soon as it aborts, even if the source of `promise`
 * ignores signals. Leaves no listener behind.
 */
export function raceSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const release = onAbort(signal, reject)
    promise.then(resolve, reject).finally(release)
  })
}

/**
 * Reports the end of an attempt: by a callback, or by a signal for those that need one. Creating a signal takes time.
 */
export interface AbortSource {
  readonly signal: AbortSignal
  /** Like {@link onAbort}. */
  onAbort(callback: AbortCallback): void
}

/** The lifetime of a call: until it is done, its caller's signal aborts, or a timeout expires. */
export class CallScope implements AbortSource {
  readonly #release: () => void
  #aborted: { readonly reason: unknown } | undefined
  #ended: { readonly reason: unknown } | undefined
  #controller: AbortController | undefined
  #callbacks: AbortCallback[] = []
  // The steps of a call are sequential, so there is only one wait at a time.
  #reject: AbortCallback | undefined

  /** @throws the reason of `parent` if it is already aborted. */
  constructor(parent?: AbortSignal) {
    parent?.throwIfAborted()
    this.#release = onAbort(parent, (reason) => this.end(reason))
  }

  /** Releases the caller's signal, which may outlive many calls, and the connection, which keeps much memory. */
  dispose(): void {
    this.#release()
    this.#callbacks = []
  }

  /** Aborts with the current attempt. Each {@link CallScope.endAttempt} starts another one. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#aborted) this.#controller.abort(this.#aborted.reason)
    return this.#controller.signal
  }

  onAbort(callback: AbortCallback): void {
    if (this.#aborted) callback(this.#aborted.reason)
    else this.#callbacks.push(callback)
  }

  /** @throws the reason with which the current attempt was aborted. */
  throwIfAborted(): void {
    if (this.#aborted) throw this.#aborted.reason
  }

  /**
   * Waits for work of the current attempt. Rejects as soon as the attempt is aborted, even if the work ignores signals.
   */
  wait<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      if (this.#aborted) reject(this.#aborted.reason)
      work.then(resolve, reject)
    })
  }

  /** Aborts the current attempt and everything that waits for it. */
  abort(reason: unknown): void {
    this.#aborted ??= { reason }
    this.#controller?.abort(reason)
    this.#reject?.(reason)
    for (const callback of this.#callbacks.splice(0)) callback(reason)
  }

  /**
   * Aborts the current attempt if it is still running, and starts the next.
   *
   * @throws the reason if the call itself has ended
   */
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

/** Waits. @throws the reason if `scope` is aborted meanwhile. */
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
