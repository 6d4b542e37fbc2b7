import type { TokenUsage } from '../core/types.ts'
import type { TokenPrices } from '../usage/cost.ts'
import type { Caller } from './caller.ts'

/** The API whose error format a route uses. */
export type ApiFormat = 'anthropic' | 'bedrock'

/** The properties of a route. */
export interface RouteTraits {
  readonly method: 'GET' | 'HEAD' | 'POST'
  /** The path, with its variables in braces; each is one segment. */
  readonly path: string
  readonly api: ApiFormat
  /** Who may use it: everyone, authenticated callers, or operators. */
  readonly access: 'open' | 'caller' | 'operator'
  /** Whether it calls a model. Such requests count against the limit of concurrent calls, and are measured. */
  readonly isInference: boolean
  /** Whether it is for a browser, which asks its user for a key and sends that as the password of HTTP's Basic scheme. */
  readonly isPage?: boolean
}

/** The error of a request. */
export interface RequestError {
  /** AWS's exception name, such as `ThrottlingException`, or the code of an error of this library. */
  readonly type: string
  readonly message: string
  /** What to do about it. */
  readonly hint?: string | undefined
  /** Whether it came from Bedrock or the connection to it, not from the gateway. */
  readonly isUpstream: boolean
}

/** A request, and what is known of its response so far. */
export interface RequestContext {
  readonly request: Request
  readonly url: URL
  readonly route: RouteTraits
  /** The decoded variables of the route's path. */
  readonly params: Readonly<Record<string, string>>
  /** When it arrived, in milliseconds since the epoch. */
  readonly started: number
  /** The caller, once authenticated. */
  caller?: Caller | undefined
  /** Anthropic's name for the model, such as `claude-sonnet-4-6`; else its ID or ARN. */
  model?: string | undefined
  isStream: boolean
  /** The model's prices; `undefined` if it has none. */
  prices?: TokenPrices | undefined
  /** When the first bytes of the body were sent, in milliseconds since the epoch. */
  firstByte?: number | undefined
  /** AWS's request ID. */
  requestId?: string | undefined
  /** Receives the bytes of the response's body as they are sent. */
  watch?: { push(bytes: Uint8Array): void; end(): void } | undefined
  /** Returns the tokens, as far as known. */
  usage: () => TokenUsage
  /** The cost in the currency of the prices; `undefined` without a price. */
  cost?: number | undefined
  error?: RequestError | undefined
}
