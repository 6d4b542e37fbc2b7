import type { Secrets } from '../internal/redact.ts'
import type { HttpRequest, HttpResponse, Network } from '../internal/http.ts'
import type { CallOptions, Clock, CredentialProvider, Identity, Logger, RetryOptions, Timeouts } from '../types.ts'
import type { BodyReader } from './body-reader.ts'
import type { RetryBudget } from './retry.ts'

/** The state that all calls of a client share. */
export interface TransportState {
  readonly network: Network
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly credentials: CredentialProvider | 'none'
  /** How far AWS's clock is ahead of the local one, in milliseconds, as far as known. */
  readonly skew: { milliseconds: number }
  readonly retryBudget: RetryBudget | undefined
}

/** An encoded call that is not signed yet. */
export interface OutgoingCall {
  readonly request: HttpRequest
  readonly region: string
  readonly isStream: boolean
  readonly signal?: AbortSignal | undefined
  readonly timeout: Timeouts
  readonly retry: RetryOptions | false | undefined
  readonly onRetry?: CallOptions['onRetry']
  /** Called with the identity of each attempt, for hints. */
  readonly onIdentity?: ((identity: Identity | undefined) => void) | undefined
}

/** A response that has begun, for a decoder. */
export interface IncomingResponse {
  readonly response: HttpResponse
  readonly body: BodyReader
  /** The secrets of the call, which must not be shown, whatever the service or a proxy quotes. */
  readonly secrets: Secrets
  readonly attempts: number
  /** Releases the call's timeouts and the caller's signal. Call it when the body is no longer needed. */
  readonly done: () => void
}
