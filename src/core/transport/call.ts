import type { Secrets } from '../internal/redact.ts'
import type { HttpRequest, HttpResponse, Network } from '../internal/http.ts'
import type { CallOptions, Clock, CredentialProvider, Identity, Logger, RetryOptions, Timeouts } from '../types.ts'
import type { BodyReader } from './body-reader.ts'
import type { RetryBudget } from './retry.ts'

/** What all calls of a client share. */
export interface TransportState {
  readonly network: Network
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly credentials: CredentialProvider | 'none'
  /** How far AWS's clock is ahead of ours, in milliseconds, as far as known. */
  readonly skew: { milliseconds: number }
  readonly retryBudget: RetryBudget | undefined
}

/** A call that is encoded, but not yet signed. */
export interface OutgoingCall {
  readonly request: HttpRequest
  readonly region: string
  readonly isStream: boolean
  readonly signal?: AbortSignal | undefined
  readonly timeout: Timeouts
  readonly retry: RetryOptions | false | undefined
  readonly onRetry?: CallOptions['onRetry']
  /** Told which identity each attempt goes out with, for hints. */
  readonly onIdentity?: ((identity: Identity) => void) | undefined
}

/** A response that has begun, for a decoder. */
export interface IncomingResponse {
  readonly response: HttpResponse
  readonly body: BodyReader
  /** What must not be shown of the call, whatever the service or a proxy quotes. */
  readonly secrets: Secrets
  readonly attempts: number
  /** Lets go of the call: its deadlines, and the caller's signal. To be called when the body is done with. */
  readonly done: () => void
}
