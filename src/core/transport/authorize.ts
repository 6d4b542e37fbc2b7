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

/** Authenticates all attempts of one call. */
export interface Authorizer {
  /** Gets the identity and signs, or adds a Bedrock API key. @throws CredentialsError | ConfigurationError */
  authorize(): Promise<HttpRequest>
  /** Returns the identity of the latest attempt. */
  identity(): Identity | undefined
  /**
   * Handles a refusal of the identity or the time: gets new credentials after Bedrock refused the old ones, or uses
   * AWS's time. Each happens once. Resolves to whether the call should be replayed.
   */
  recover(error: Error, response: HttpResponse | undefined): Promise<boolean>
  /** Keeps AWS's time for later calls, once a request that was signed with it has been accepted. */
  keepTime(): void
}

export function createAuthorizer(
  state: TransportState,
  { request, region, signal, onIdentity }: OutgoingCall,
  scope: CallScope,
): Authorizer {
  const { clock, logger, skew } = state
  let identity: Identity | undefined
  let isFresh = false
  let hasRefreshed = false
  // How far AWS's clock is ahead of the local one, in milliseconds, according to a response to this call.
  let corrected: number | undefined
  let signedAt = 0

  const ask = async (refused?: Identity): Promise<Identity | undefined> => {
    const given = identify(state, region, signal, refused)
    const asked = given instanceof Promise ? await scope.wait(given) : given
    onIdentity?.(asked)
    return asked
  }

  const correctTime = (error: ServiceError, response: HttpResponse): boolean => {
    if (corrected !== undefined || !isTimeRefused(error)) return false
    const date = Date.parse(response.headers.get('date') ?? '')
    // Like the AWS SDKs, treats these errors as a wrong clock only if the response's own time confirms it. Compares
    // with the time that this request was signed with, because other calls may have learned AWS's time meanwhile.
    if (!(Math.abs(date - signedAt) > 240_000)) return false
    corrected = date - clock.now()
    return true
  }

  return {
    identity: () => identity,
    async authorize() {
      if (!isFresh) identity = await ask()
      isFresh = false
      signedAt = clock.now() + (corrected ?? skew.milliseconds)
      // For a gateway that signs.
      if (!identity) return request
      if (request.headers.authorization !== undefined) {
        throw new ConfigurationError('Both an authorization header and credentials were given; only one can be sent', {
          hint: "Remove the header, or set credentials to 'none' if a gateway uses it.",
        })
      }
      if ('token' in identity)
        return { ...request, headers: { ...request.headers, authorization: `Bearer ${identity.token}` } }
      const { headers } = await signHeaders(request, identity, region, 'bedrock', new Date(signedAt))
      return { ...request, headers }
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

// Bedrock answers both an expired identity and a missing permission with 403; only the message differs.
function isIdentityRefused(error: ServiceError): boolean {
  if (![400, 401, 403].includes(error.status)) return false
  // Only gateways answer with 401.
  return error.status === 401 || isOfKind(error, expiredCredentials, invalidCredentials, expiredApiKey, invalidApiKey)
}

// The AWS SDKs also count AccessDenied among the errors that may mean a wrong clock.
function isTimeRefused(error: ServiceError): boolean {
  return isOfKind(error, wrongClock, signatureMismatch, [{ type: /^AccessDenied/ }])
}
