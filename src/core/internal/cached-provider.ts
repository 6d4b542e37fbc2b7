import { assertOptions } from './assert-options.ts'
import type { Clock, CredentialProvider, CredentialProviderOptions, Identity } from '../types.ts'
import { assertIdentity, isSameIdentity, providerAnswer } from './identity.ts'
import { raceSignal, systemClock } from './signal.ts'
import { singleFlight } from './single-flight.ts'

/** How {@link cached} keeps an identity. Times are in milliseconds. */
export interface CachedOptions {
  /** From when before its expiry an identity is renewed in the background, at most half of its life. @default 300_000 */
  readonly refreshAhead?: number | undefined
  /**
   * From when before its expiry an identity is not used any more, and callers wait for a new one; at most a quarter of
   * its life.
   *
   * @default 60_000
   */
  readonly refreshBlocking?: number | undefined
  /** How long an identity is good for that names no expiry. @default 3_600_000 */
  readonly lifetime?: number | undefined
  /** How long after a failure the provider is left alone; doubles with each failure, up to a minute. @default 1_000 */
  readonly backoff?: number | undefined
  readonly clock?: Clock | undefined
}

const cachedOptionNames = 'refreshAhead refreshBlocking lifetime backoff clock'
const wrapped = new WeakSet<CredentialProvider>()

/** Tells {@link cached} that a provider has that lifecycle already, inside. */
export function markCached(provider: CredentialProvider): CredentialProvider {
  wrapped.add(provider)
  return provider
}

/**
 * Gives a provider the lifecycle of credentials: one request for many callers, renewal ahead of expiry without making
 * anybody wait, and a fresh start when an identity was refused. A failed renewal keeps an identity that is still good;
 * without one it is not repeated at once, so that a broken login helper or metadata service is not hammered.
 *
 * The client wraps every bare provider in it. A provider that is wrapped already is given back.
 *
 * @example
 * ```ts
 * const provider = cached(async () => readKeysFromVault())
 * ```
 */
export function cached(provider: CredentialProvider, options: CachedOptions = {}): CredentialProvider {
  assertOptions(options, '', cachedOptionNames)
  if (wrapped.has(provider)) return provider
  const {
    refreshAhead = 300_000,
    refreshBlocking = 60_000,
    lifetime = 3_600_000,
    backoff = 1_000,
    clock = systemClock,
  } = options
  let held: { readonly identity: Identity; readonly expires: number; readonly life: number } | undefined
  const share = singleFlight<Identity>(clock)
  let failure: { readonly error: unknown; readonly until: number; readonly pause: number } | undefined

  const renew = (request: CredentialProviderOptions): Promise<Identity> => {
    // A caller's own signal must not end what others wait for too.
    const { signal: _, ...shared } = request
    return share(async () => {
      try {
        const identity = assertIdentity(await provider(shared), providerAnswer)
        const now = clock.now()
        const expires = identity.expiration?.getTime() ?? now + lifetime
        held = { identity, expires, life: expires - now }
        failure = undefined
        return identity
      } catch (error) {
        const pause = failure ? Math.min(failure.pause * 2, 60_000) : backoff
        failure = { error, pause, until: clock.now() + pause }
        throw error
      }
    })
  }

  return markCached(async (request = {}) => {
    // The identity that was refused may have been replaced since the refused request was signed.
    const isRefused =
      request.forceRefresh && (!request.refused || !held || isSameIdentity(request.refused, held.identity))
    if (isRefused) held = undefined
    const left = held ? held.expires - clock.now() : 0
    const isResting = failure !== undefined && clock.now() < failure.until
    // Short-lived keys would be renewed at every call.
    const life = held?.life ?? 0
    if (held && left > Math.min(refreshBlocking, life / 4)) {
      if (left <= Math.min(refreshAhead, life / 2) && !isResting)
        renew(request).catch((error) => request.logger?.debug('Renewing credentials ahead of time failed', error))
      return held.identity
    }
    try {
      // Someone who was refused has news: that waits for nothing.
      if (isResting && !isRefused) throw failure?.error
      return await raceSignal(renew(request), request.signal)
    } catch (error) {
      request.signal?.throwIfAborted()
      if (held && held.expires > clock.now()) return held.identity
      throw error
    }
  })
}
