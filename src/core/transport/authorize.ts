import { ConfigurationError, isBedrockError, type ServiceError } from '../errors.ts'
import {
  expiredApiKey,
  expiredCredentials,
  invalidApiKey,
  invalidCredentials,
  isOfKind,
  signatureMismatch,
  wrongClock,
} from '../internal/error-kinds.ts'
import type { HttpRequest, HttpResponse } from '../internal/http.ts'
import { isSameIdentity } from '../internal/identity.ts'
import type { CallScope } from '../internal/signal.ts'
import { signHeaders } from '../sigv4/sign-headers.ts'
import type { Identity } from '../types.ts'
import { identify } from './identify.ts'
import type { OutgoingCall, TransportState } from './call.ts'

/** Proves who is asking, in all attempts of one call. */
export interface Authorizer {
  /** The identity of the latest attempt. */
  readonly identity: Identity | undefined
  /** Asks for the identity and signs. @throws CredentialsError | ConfigurationError */
  authorize(request: HttpRequest): Promise<HttpRequest>
  /**
   * Mends what a refusal says is wrong with who asked, or when: with new credentials after Bedrock refused the old ones,
   * or with AWS's time. Each once. Tells whether the call should be replayed.
   */
  recover(error: Error, response: HttpResponse | undefined): Promise<boolean>
  /** Keeps AWS's time for the calls to come, once a request that was signed with it has been accepted. */
  keepTime(): void
}

/** Makes an {@link Authorizer}. */
export function createAuthorizer(
  state: TransportState,
  { region, onIdentity }: Pick<OutgoingCall, 'region' | 'onIdentity'>,
  scope: CallScope,
): Authorizer {
  const { clock, logger, skew } = state
  let identity: Identity | undefined
  let isFresh = false
  let hasRefreshed = false
  /** How far AWS's clock is ahead of ours, in milliseconds, by what an answer to this call says. */
  let corrected: number | undefined
  let signedAt = 0

  const ask = async (refused?: Identity): Promise<Identity | undefined> => {
    const given = await scope.wait(identify(state, region, scope, refused))
    if (given) onIdentity?.(given)
    return given
  }

  const correctTime = (error: ServiceError, response: HttpResponse): boolean => {
    if (corrected !== undefined || !isTimeRefused(error)) return false
    const date = Date.parse(response.headers.get('date') ?? '')
    // The AWS SDKs too take these names for a wrong clock only where the response's own time says so. It is held against
    // the time that this request was signed with: other calls may have learned AWS's time meanwhile.
    if (!(Math.abs(date - signedAt) > 240_000)) return false
    corrected = date - clock.now()
    return true
  }

  return {
    get identity() {
      return identity
    },
    async authorize(request) {
      if (!isFresh) identity = await ask()
      isFresh = false
      signedAt = clock.now() + (corrected ?? skew.milliseconds)
      return withAuthorization(request, identity ?? 'none', region, new Date(signedAt))
    },
    async recover(error, response) {
      if (!response || !isBedrockError(error, 'service')) return false
      if (correctTime(error, response)) return true
      if (!identity || hasRefreshed || !isIdentityRefused(error)) return false
      hasRefreshed = true
      logger.info(`Bedrock refused the credentials (${error.type}); asking for new ones`)
      const fresh = await ask(identity)
      if (!fresh || isSameIdentity(fresh, identity)) return false
      identity = fresh
      isFresh = true
      return true
    },
    keepTime() {
      if (corrected === undefined || Math.abs(corrected - skew.milliseconds) < 1000) return
      skew.milliseconds = corrected
      logger.warn(`The local clock is off by ${Math.round(corrected / 1000)} s; requests are signed with AWS's time`)
    },
  }
}

/** Adds what proves who is asking: a signature, a Bedrock API key, or nothing where a gateway will. */
async function withAuthorization(
  request: HttpRequest,
  identity: Identity | 'none',
  region: string,
  date: Date,
): Promise<HttpRequest> {
  if (identity === 'none') return request
  if (request.headers.authorization !== undefined) {
    throw new ConfigurationError('Both an authorization header and credentials were given; only one can be sent', {
      hint: "Leave the header out, or set credentials to 'none' if a gateway takes the header in place of AWS's signature.",
    })
  }
  if ('token' in identity) {
    return { ...request, headers: { ...request.headers, authorization: `Bearer ${identity.token}` } }
  }
  // `fetch` derives the host from the URL, and browsers refuse it as a header.
  const { host: _, ...headers } = (await signHeaders(request, identity, region, 'bedrock', date)).headers
  return { ...request, headers }
}

// Bedrock answers an expired identity with 403, as it does a missing permission; only the words tell them apart.
function isIdentityRefused(error: ServiceError): boolean {
  if (![400, 401, 403].includes(error.status)) return false
  // A 401 is a gateway's; Bedrock itself has none.
  return error.status === 401 || isOfKind(error, expiredCredentials, invalidCredentials, expiredApiKey, invalidApiKey)
}

// The AWS SDKs have AccessDenied among those that may mean the clock.
function isTimeRefused(error: ServiceError): boolean {
  return isOfKind(error, wrongClock, signatureMismatch, [{ type: /^AccessDenied/ }])
}
