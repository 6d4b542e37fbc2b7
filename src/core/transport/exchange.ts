import { CredentialsError, isBedrockError, type ServiceError } from '../errors.ts'
import { isSameIdentity, isWholeIdentity } from '../internal/identity.ts'
import { redact } from '../internal/redact.ts'
import { openAbortScope, raceSignal, sleep } from '../internal/signal.ts'
import type { Clock, CredentialProvider, Identity, Logger, RetryOptions, Timeouts } from '../types.ts'
import { attempt, type BodyReader, readBody, resolveTimeouts, startDeadline } from './attempt.ts'
import { authorize } from './authorize.ts'
import type { HttpRequest } from './encode-request.ts'
import { createRetryPolicy, retryDelay } from './retry.ts'

/** What all calls of a client share. */
export interface Wire {
  /** Looks the global `fetch` up at every call, so that whoever patches it later is heard. */
  readonly fetch: typeof fetch
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly credentials: CredentialProvider | 'none'
  /** How far AWS's clock is ahead of ours, in milliseconds, as far as known. */
  readonly skew: { milliseconds: number }
}

/** One call on its way: encoded, but not yet signed. */
export interface Exchange {
  readonly request: HttpRequest
  readonly region: string
  readonly isStream: boolean
  readonly signal?: AbortSignal | undefined
  readonly timeout: Timeouts
  readonly retry: RetryOptions | false | undefined
  /** Told which identity each attempt goes out with, for hints. */
  readonly onIdentity?: ((identity: Identity) => void) | undefined
}

/** A response that has begun, for a decoder. */
export interface Arrival {
  readonly response: Response
  readonly body: BodyReader
  readonly identity: Identity | undefined
  readonly attempts: number
  /** Lets go of the call: its deadlines, and the caller's signal. To be called when the body is done with. */
  readonly done: () => void
}

/**
 * Sends a call until it succeeds or there is no point any more.
 *
 * `decode` makes a result of a response or throws what the response means, and with that decides whether the call is
 * repeated. Two replays come on top of the retries, once each, because they mend what was wrong with the request: new
 * credentials after Bedrock refused the old ones, and a corrected clock.
 */
export async function exchange<T>(wire: Wire, call: Exchange, decode: (arrival: Arrival) => Promise<T>): Promise<T> {
  const policy = createRetryPolicy(call.retry)
  const timeouts = resolveTimeouts(call.timeout, call.isStream)
  const scope = openAbortScope(call.signal)
  const stopTotal = startDeadline('total', wire.clock, timeouts.total, scope)
  const done = (): void => {
    stopTotal()
    scope.dispose()
  }

  let attempts = 0
  let failures = 0
  let clockCorrected = false
  let identityRefreshed = false
  try {
    let identity = await identify(wire, call, scope.signal)
    for (;;) {
      const attemptScope = openAbortScope(scope.signal)
      let response: Response | undefined
      try {
        const request = await authorize(
          call.request,
          identity ?? 'none',
          call.region,
          new Date(wire.clock.now() + wire.skew.milliseconds),
        )
        attempts++
        const context = { fetch: wire.fetch, clock: wire.clock, scope: attemptScope, timeouts }
        response = await attempt(request, context)
        return await decode({
          response,
          body: readBody(response, context),
          identity,
          attempts,
          done: () => {
            attemptScope.dispose()
            done()
          },
        })
      } catch (error) {
        attemptScope.abort(error)
        attemptScope.dispose()
        scope.signal.throwIfAborted()
        if (!(error instanceof Error)) throw error

        const drift = response && clockDrift(error, response, wire)
        if (drift !== undefined && !clockCorrected) {
          clockCorrected = true
          wire.skew.milliseconds += drift
          wire.logger.warn(
            `The local clock is off by ${Math.round(wire.skew.milliseconds / 1000)} s; requests are signed with AWS’s time`,
          )
          continue
        }
        if (identity && !identityRefreshed && refusesIdentity(error)) {
          identityRefreshed = true
          wire.logger.info(`Bedrock refused the credentials (${error.type}); asking for new ones`)
          const fresh = await identify(wire, call, scope.signal, identity)
          if (fresh && !isSameIdentity(fresh, identity)) {
            identity = fresh
            continue
          }
        }
        // What was wrong before anything was sent has no `retryable`, and is wrong the next time too.
        if (!('retryable' in error)) throw error
        const delay = retryDelay(error, ++failures, policy, wire.random)
        if (delay === undefined) throw Object.assign(error, { attempts })
        wire.logger.debug(
          `Attempt ${attempts} failed (${error.message}); the next one starts in ${Math.round(delay)} ms`,
        )
        await sleep(delay, wire.clock, scope.signal)
        identity = await identify(wire, call, scope.signal)
      }
    }
  } catch (error) {
    done()
    throw error
  }
}

/** Asks the client's provider who is asking; `undefined` where nothing is to be signed. @throws CredentialsError */
export async function identify(
  wire: Wire,
  { region, onIdentity }: Pick<Exchange, 'region' | 'onIdentity'>,
  signal: AbortSignal | undefined,
  refused?: Identity,
): Promise<Identity | undefined> {
  if (wire.credentials === 'none') return undefined
  let identity: Identity
  try {
    const { logger } = wire
    identity = await raceSignal(
      wire.credentials({
        signal,
        fetch: wire.fetch,
        region,
        logger,
        ...(refused && { forceRefresh: true, refused }),
      }),
      signal,
    )
  } catch (error) {
    signal?.throwIfAborted()
    if (isBedrockError(error)) throw error
    throw new CredentialsError(`No credentials: ${redact(error instanceof Error ? error.message : String(error))}`, {
      cause: error,
    })
  }
  if (!isWholeIdentity(identity))
    throw new CredentialsError('The credential provider gave neither AWS keys nor a Bedrock API key')
  onIdentity?.(identity)
  return identity
}

// Bedrock answers an expired identity with 403, as it does a missing permission; only the name tells them apart. The
// last two are what its bearer check says, which gives no name of its own.
function refusesIdentity(error: Error): error is ServiceError {
  if (!isBedrockError(error, 'service') || ![400, 401, 403].includes(error.status)) return false
  return (
    /^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId)/.test(error.type) ||
    /security token included in the request is (expired|invalid)|bearer token has expired|make sure your api key is valid/i.test(
      error.message,
    )
  )
}

// The AWS SDKs too take these names for a wrong clock only where the response's own time says so.
function clockDrift(error: Error, response: Response, { clock, skew }: Wire): number | undefined {
  if (!isBedrockError(error, 'service')) return undefined
  if (
    !/^(InvalidSignature|SignatureDoesNotMatch|Request(Expired|InTheFuture|TimeTooSkewed)|AuthFailure|AccessDenied)/.test(
      error.type,
    )
  )
    return undefined
  const drift = Date.parse(response.headers.get('date') ?? '') - (clock.now() + skew.milliseconds)
  return Math.abs(drift) > 240_000 ? drift : undefined
}
