import { assertOptions } from './assert-options.ts'
import type { Clock, CredentialProvider, CredentialProviderOptions, Identity } from '../types.ts'
import { assertIdentity, isSameIdentity, providerAnswer } from './identity.ts'
import { raceSignal, systemClock } from './signal.ts'
import { singleFlight } from './single-flight.ts'

/** Options of {@link cached}. Times are in milliseconds. */
export interface CachedOptions {
  /**
   * How long before its expiration an identity is renewed in the background; at most half of its lifetime.
   *
   * @default 300_000
   */
  readonly refreshAhead?: number | undefined
  /**
   * How long before its expiration an identity is no longer used, and callers wait for a new one; at most a quarter of
   * its lifetime.
   *
   * @default 60_000
   */
  readonly refreshBlocking?: number | undefined
  /** The lifetime of an identity without an expiration. @default 3_600_000 */
  readonly lifetime?: number | undefined
  /** How long to wait after a failure before asking the provider again; doubles up to a minute. @default 1_000 */
  readonly backoff?: number | undefined
  readonly clock?: Clock | undefined
}

const cachedOptionNames = 'refreshAhead refreshBlocking lifetime backoff clock'
const wrapped = new WeakSet<CredentialProvider>()

/** Marks a provider that {@link cached} has already wrapped inside. */
export function markCached(provider: CredentialProvider): CredentialProvider {
  wrapped.add(provider)
  return provider
}

/**
 * Adds the lifecycle of credentials to a provider: one request serves many callers, renewal happens ahead of expiration
 * without making callers wait, and a refused identity is replaced. If a renewal fails, an identity that is still valid
 * stays in use. Without one, the next try waits, so that a broken login helper or metadata service is not overloaded.
 *
 * The client wraps every bare provider. A provider that is already wrapped is returned unchanged.
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
    // A caller's own signal must not end a request that others wait for.
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
    // The refused identity may have been replaced since the request was signed.
    const isRefused =
      request.forceRefresh && (!request.refused || !held || isSameIdentity(request.refused, held.identity))
    if (isRefused) held = undefined
    const left = held ? held.expires - clock.now() : 0
    const isResting = failure !== undefined && clock.now() < failure.until
    // Otherwise short-lived keys would be renewed at every call.
    const life = held?.life ?? 0
    if (held && left > Math.min(refreshBlocking, life / 4)) {
      if (left <= Math.min(refreshAhead, life / 2) && !isResting)
        renew(request).catch((error) => request.logger?.debug('Renewing credentials ahead of time failed', error))
      return held.identity
    }
    try {
      // A refusal is new information, so it does not wait.
      if (isResting && !isRefused) throw failure?.error
      return await raceSignal(renew(request), request.signal)
    } catch (error) {
      request.signal?.throwIfAborted()
      if (held && held.expires > clock.now()) return held.identity
      throw error
    }
  })
}
