import { RefusedRequest } from '../anthropic/errors.ts'
import { onAbort } from '../core/internal/signal.ts'
import type { Clock } from '../core/types.ts'

/** The limits of concurrent and waiting calls. */
export interface AdmissionOptions {
  readonly maxConcurrent: number
  readonly maxQueued: number
  /** How long a call may wait, in milliseconds. */
  readonly queueTimeout: number
  readonly clock: Clock
}

/** Admits a limited number of calls at a time, in their order of arrival. */
export interface Admission {
  readonly active: number
  readonly queued: number
  /**
   * Waits for admission. Resolves to a function that admits the next call.
   *
   * @throws RefusedRequest with status 529 if the wait is too long, or the signal's reason
   */
  enter(signal: AbortSignal): Promise<() => void>
}

/** Creates an {@link Admission}. */
export function createAdmission({ maxConcurrent, maxQueued, queueTimeout, clock }: AdmissionOptions): Admission {
  let active = 0
  // A Set keeps insertion order, and can remove any member at once.
  const waiting = new Set<() => void>()

  const take = (): (() => void) => {
    active++
    let isFree = false
    return () => {
      if (isFree) return
      isFree = true
      active--
      const [next] = waiting
      next?.()
    }
  }

  const wait = (signal: AbortSignal): Promise<() => void> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.delete(enter)
        clock.clearTimeout(timer)
        release()
      }
      const enter = (): void => {
        leave()
        resolve(take())
      }
      const timer = clock.setTimeout(() => {
        leave()
        reject(overloaded(`no call ended within ${queueTimeout} ms`, queueTimeout))
      }, queueTimeout)
      waiting.add(enter)
      const release = onAbort(signal, (reason) => {
        leave()
        reject(reason)
      })
    })

  return {
    get active() {
      return active
    },
    get queued() {
      return waiting.size
    },
    async enter(signal) {
      signal.throwIfAborted()
      if (active < maxConcurrent && waiting.size === 0) return take()
      if (waiting.size >= maxQueued) throw overloaded('too many requests are waiting', queueTimeout)
      return wait(signal)
    },
  }
}

function overloaded(reason: string, retryAfter: number): RefusedRequest {
  return new RefusedRequest(529, `The gateway is overloaded: ${reason}`, {
    shouldRetry: true,
    retryAfter: Math.max(1000, retryAfter),
  })
}
