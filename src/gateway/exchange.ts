import type { TokenUsage } from '../core/types.ts'
import type { TokenPrices } from '../usage/cost.ts'
import type { Caller } from './caller.ts'

/** Whose way of answering errors a route follows. */
export type Wire = 'anthropic' | 'bedrock'

/** What a route is, whatever it answers. */
export interface RouteTraits {
  readonly method: 'GET' | 'HEAD' | 'POST'
  /** With its variables in braces, each of them one segment. */
  readonly path: string
  readonly wire: Wire
  /** Who may take it: everybody, whoever is authenticated, or an operator among them. */
  readonly access: 'open' | 'caller' | 'operator'
  /** Whether it is a call of a model: these take a place among those that run at once, and are counted. */
  readonly isInference: boolean
  /** Whether it is for a browser, which asks its user for a key and sends that as the password of HTTP's Basic scheme. */
  readonly isPage?: boolean
}

/** What went wrong with a request. */
export interface ExchangeError {
  /** AWS's name of the exception, such as `ThrottlingException`, or the code of an error of this library. */
  readonly type: string
  readonly message: string
  /** What to do about it. */
  readonly hint?: string | undefined
  /** Whether it came from Bedrock or from the way there, rather than from the gateway. */
  readonly isUpstream: boolean
}

/** One request and its response, with what becomes known of it. */
export interface Exchange {
  readonly request: Request
  readonly url: URL
  readonly route: RouteTraits
  /** The variables of the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>
  /** When it came, in milliseconds since the epoch. */
  readonly started: number
  /** Who is calling, as soon as that is known. */
  caller?: Caller | undefined
  /** The model as Anthropic calls it, such as `claude-sonnet-4-6`; else its ID or ARN. */
  model?: string | undefined
  isStream: boolean
  /** What the model costs; `undefined` without a price. */
  prices?: TokenPrices | undefined
  /** When the first bytes of the body went out, in milliseconds since the epoch. */
  firstByte?: number | undefined
  /** AWS's ID of the request. */
  requestId?: string | undefined
  /** Sees the bytes of the response's body as they go out. */
  watch?: { push(bytes: Uint8Array): void; end(): void } | undefined
  /** The tokens, as far as they are known. */
  usage: () => TokenUsage
  /** What it cost in the currency of the prices; `undefined` without a price. */
  cost?: number | undefined
  error?: ExchangeError | undefined
}
