import { TimeoutError } from '../core/errors.ts'
import { onAbort } from '../core/internal/signal.ts'
import type { Clock, MiddlewareContext } from '../core/types.ts'

/** A caller that waits for a response that may be shared. */
export interface Caller {
  /** Aborts when the caller gives up, or has waited for `timeout.total`. */
  readonly signal: AbortSignal | undefined
  readonly clock: Clock
  /** Releases the caller's own signal and the timer. */
  dispose(): void
}

/** @throws the reason of `signal` if it is already aborted. */
export function openCaller(signal: AbortSignal | undefined, { clock, timeout }: MiddlewareContext): Caller {
  signal?.throwIfAborted()
  const { total = 0 } = timeout
  // 0 and Infinity turn the timeout off, as elsewhere.
  if (!(total > 0 && total <= 2_147_483_647)) return { signal, clock, dispose: () => {} }
  const controller = new AbortController()
  const release = onAbort(signal, (reason) => controller.abort(reason))
  const expire = (): void =>
    controller.abort(
      new TimeoutError(`The call did not finish within ${total} ms`, {
        phase: 'total',
        hint: 'Raise timeout.total if it is too short.',
      }),
    )
  const timer = clock.setTimeout(expire, total)
  return {
    signal: controller.signal,
    clock,
    dispose() {
      release()
      clock.clearTimeout(timer)
    },
  }
}
