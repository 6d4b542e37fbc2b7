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
export class Authorizer {
  /** The identity of the latest attempt. */
  identity: Identity | undefined
  readonly #state: TransportState
  readonly #call: OutgoingCall
  readonly #scope: CallScope
  #isFresh = false
  #hasRefreshed = false
  /** How far AWS's clock is ahead of the local one, in milliseconds, according to a response to this call. */
  #corrected: number | undefined
  #signedAt = 0

  constructor(state: TransportState, call: OutgoingCall, scope: CallScope) {
    this.#state = state
    this.#call = call
    this.#scope = scope
  }

  /** Gets the identity and signs, or adds a Bedrock API key. @throws CredentialsError | ConfigurationError */
  async authorize(): Promise<HttpRequest> {
    const { clock, skew } = this.#state
    if (!this.#isFresh) this.identity = await this.#ask()
    this.#isFresh = false
    this.#signedAt = clock.now() + (this.#corrected ?? skew.milliseconds)
    const { request, region } = this.#call
    const { identity } = this
    // For a gateway that signs.
    if (!identity) return request
    if (request.headers.authorization !== undefined) {
      throw new ConfigurationError('Both an authorization header and credentials were given; only one can be sent', {
        hint: "Remove the header, or set credentials to 'none' if a gateway uses it.",
      })
    }
    const { headers } =
      'token' in identity
        ? { headers: { ...request.headers, authorization: `Bearer ${identity.token}` } }
        : await signHeaders(request, identity, region, 'bedrock', new Date(this.#signedAt))
    return { ...request, headers }
  }

  /**
   * Handles a refusal of the identity or the time: gets new credentials after Bedrock refused the old ones, or uses
   * AWS's time. Each happens once. Resolves to whether the call should be replayed.
   */
  async recover(error: Error, response: HttpResponse | undefined): Promise<boolean> {
    const { identity } = this
    if (!response || !isBedrockError(error, 'service')) return false
    if (this.#correctTime(error, response)) return true
    if (!identity || this.#hasRefreshed || !isIdentityRefused(error)) return false
    this.#hasRefreshed = true
    this.#state.logger.info(`Bedrock refused the credentials (${error.type}); asking for new ones`)
    const fresh = await this.#ask(identity)
    if (!fresh || isSameIdentity(fresh, identity)) return false
    this.identity = fresh
    this.#isFresh = true
    return true
  }

  /** Keeps AWS's time for later calls, once a request that was signed with it has been accepted. */
  keepTime(): void {
    const { skew, logger } = this.#state
    const corrected = this.#corrected
    if (corrected === undefined || Math.abs(corrected - skew.milliseconds) < 1000) return
    skew.milliseconds = corrected
    logger.warn(`The local clock is off by ${Math.round(corrected / 1000)} s; requests are signed with AWS's time`)
  }

  async #ask(refused?: Identity): Promise<Identity | undefined> {
    const { region, signal, onIdentity } = this.#call
    const given = identify(this.#state, region, signal, refused)
    const identity = given instanceof Promise ? await this.#scope.wait(given) : given
    if (identity) onIdentity?.(identity)
    return identity
  }

  #correctTime(error: ServiceError, response: HttpResponse): boolean {
    if (this.#corrected !== undefined || !isTimeRefused(error)) return false
    const date = Date.parse(response.headers.get('date') ?? '')
    // Like the AWS SDKs, treats these errors as a wrong clock only if the response's own time confirms it. Compares
    // with the time that this request was signed with, because other calls may have learned AWS's time meanwhile.
    if (!(Math.abs(date - this.#signedAt) > 240_000)) return false
    this.#corrected = date - this.#state.clock.now()
    return true
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
