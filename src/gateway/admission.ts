import { RefusedRequest } from '../anthropic/errors.ts'
import { onAbort } from '../core/internal/signal.ts'
import type { Clock } from '../core/types.ts'

/** How many calls run at once, and how many wait. */
export interface AdmissionOptions {
  readonly maxConcurrent: number
  readonly maxQueued: number
  /** How long a call waits, in milliseconds. */
  readonly queueTimeout: number
  readonly clock: Clock
}

/** Lets calls in, so many at a time, in the order in which they came. */
export interface Admission {
  readonly active: number
  readonly queued: number
  /**
   * Waits for a place; gives a function that makes room for the next.
   *
   * @throws RefusedRequest with status 529 where there is no room in time, or the signal's reason
   */
  enter(signal: AbortSignal): Promise<() => void>
}

/** Makes an {@link Admission}. */
export function createAdmission({ maxConcurrent, maxQueued, queueTimeout, clock }: AdmissionOptions): Admission {
  let active = 0
  // A Set keeps the order in which its members came, and gives up any of them at once.
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
        reject(overloaded(`no room in ${queueTimeout} ms`, queueTimeout))
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
