import type { Clock } from '../types.ts'

/**
 * Tests whether I/O ends with the request that started it, as on Cloudflare Workers. Another request would wait for it
 * forever, and cannot read its streams.
 */
export const isIoBoundToRequest = (): boolean => 'WebSocketPair' in globalThis

// How long, in milliseconds, to wait for an attempt that may have ended with its request.
const patience = 1_000

/**
 * Shares one attempt between all callers while it is running. If an attempt is lost with the request that started it,
 * each waiting caller makes its own. An attempt must not listen to its first caller's signal.
 *
 * @see
 *   https://developers.cloudflare.com/workers/configuration/compatibility-flags/#handle-cross-request-promise-resolution
 */
export function singleFlight<T>(clock: Clock): (attempt: () => Promise<T>) => Promise<T> {
  let current: { promise: Promise<T>; isSettled: boolean; readonly started: number } | undefined

  const start = (attempt: () => Promise<T>): Promise<T> => {
    const promise = attempt().finally(() => {
      flight.isSettled = true
      if (current === flight) current = undefined
    })
    const flight = { promise, isSettled: false, started: clock.now() }
    current = flight
    return promise
  }

  return async (attempt) => {
    const joined = current
    if (!joined) return start(attempt)
    if (!isIoBoundToRequest()) return joined.promise
    let timer: unknown
    const lost = new Promise<never>((_, reject) => {
      timer = clock.setTimeout(reject, Math.max(0, joined.started + patience - clock.now()))
    })
    try {
      return await Promise.race([joined.promise, lost])
    } catch (error) {
      // Recent versions of workerd reject promises that can never settle; for older ones a timeout decides.
      if (joined.isSettled) throw error
      return start(attempt)
    } finally {
      clock.clearTimeout(timer)
    }
  }
}
