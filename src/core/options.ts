import { ConfigurationError } from './errors.ts'
import { assertOptions, describeType } from './internal/assert-options.ts'
import { mergeHeaders } from './internal/headers.ts'
import { assertRegion } from './internal/region.ts'
import { createRetryPolicy } from './transport/retry.ts'
import type {
  CallOptions,
  Clock,
  CredentialProvider,
  EndpointOptions,
  Environment,
  HeadersOption,
  Identity,
  Logger,
  Middleware,
  RetryOptions,
  Timeouts,
} from './types.ts'

/** Options of a client, whether of `outcrop` or of `outcrop/core`. */
export interface ClientOptions {
  /**
   * The AWS region that is called and signed for, such as `eu-central-1`.
   *
   * @default AWS_REGION, then AWS_DEFAULT_REGION; there is no silent default: without one the first call rejects
   */
  readonly region?: string | undefined
  /**
   * Who is asking: AWS keys, a Bedrock API key, a provider of either, or `'none'` where a gateway signs. What is given
   * here is used alone; nothing of the environment joins it.
   *
   * @default AWS_BEARER_TOKEN_BEDROCK, then AWS_ACCESS_KEY_ID and its companions
   */
  readonly credentials?: Identity | CredentialProvider | 'none' | undefined
  /**
   * Where requests go, when not to AWS's own hosts: a gateway, an interface endpoint, a FIPS or dual-stack host.
   *
   * @default AWS_ENDPOINT_URL_BEDROCK_RUNTIME, AWS_ENDPOINT_URL_BEDROCK and AWS_ENDPOINT_URL, else AWS's host
   */
  readonly endpoint?: string | URL | EndpointOptions | undefined
  /** Wraps each logical call; the first is outermost. */
  readonly middleware?: readonly Middleware[] | undefined
  /** Sent and signed with every call. */
  readonly headers?: HeadersOption | undefined
  /** How failed calls are repeated; `false` makes one attempt. */
  readonly retry?: RetryOptions | false | undefined
  /**
   * How many retries all calls of the client may make together, so that an outage is not multiplied by them, in the AWS
   * SDKs' units: a retry takes 14 (5 after a 429), a success gives back what its last retry took, or 1. With too little
   * left a call fails with its first error. `false` sets no bound.
   *
   * @default 500
   * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
   */
  readonly retryBudget?: number | false | undefined
  /** Deadlines in milliseconds. */
  readonly timeout?: Timeouts | undefined
  /**
   * Sends HTTP requests.
   *
   * @default on Node the transport of `outcrop/node`, unless the global `fetch` was replaced; elsewhere, and then, the
   *   global `fetch`, looked up at every call
   */
  readonly fetch?: typeof fetch | undefined
  /** Hears what goes on. @default silent; `OUTCROP_LOG=debug` writes to stderr */
  readonly logger?: Logger | undefined
  /**
   * Environment variables to read in place of the process's own: a Worker's `env`, say, or those of a test.
   *
   * @default those of the process, where there is one
   */
  readonly env?: Environment | undefined
  /** Time, for tests. @default the real time */
  readonly clock?: Clock | undefined
  /** Numbers from 0 up to 1 that spread retries, for tests. @default Math.random */
  readonly random?: (() => number) | undefined
}

/** The names of {@link ClientOptions}. */
export const clientOptionNames =
  'region credentials endpoint middleware headers retry retryBudget timeout fetch logger env clock random'

// Those of the modules too: whatever else a middleware of one's own reads passes, unless it comes near one of these.
const callOptionNames =
  'signal headers timeout retry onRetry wire guardrail cache limits telemetry requestMetadata serviceTier latency'

/** @throws ConfigurationError for options that can never work. */
export function assertClientOptions(options: ClientOptions, names: string): void {
  assertOptions(options, '', names)
  const { region, retry, timeout, fetch, middleware, env } = options
  if (region !== undefined) assertRegion(region)
  assertRetry(retry)
  assertTimeouts(timeout)
  assertFunction('fetch', fetch)
  if (env !== undefined && (typeof env !== 'object' || env === null))
    throw new ConfigurationError(`env must be an object, not ${describeType(env)}`)
  for (const each of listOf(middleware)) {
    if (typeof each !== 'function')
      throw new ConfigurationError(`middleware must be functions, not ${describeType(each)}`)
  }
}

/** @throws ConfigurationError for options that can never work. */
export function assertCallOptions(options: CallOptions): void {
  assertOptions(options, '', callOptionNames, true)
  assertRetry(options.retry)
  assertTimeouts(options.timeout)
  assertFunction('onRetry', options.onRetry)
  const { signal, wire } = options
  // A `create` that takes it hands it to nobody.
  if (wire !== undefined)
    throw new ConfigurationError("wire must be 'stream', and is for a messages.create that gives a whole message")
  if (signal !== undefined && typeof signal?.addEventListener !== 'function')
    throw new ConfigurationError(`signal must be an AbortSignal, not ${describeType(signal)}`)
}

function assertFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function')
    throw new ConfigurationError(`${name} must be a function, not ${describeType(value)}`)
}

function assertRetry(retry: RetryOptions | false | undefined): void {
  if (retry === undefined || retry === false) return
  assertOptions(retry, 'retry', 'attempts baseDelay maxDelay retryIf')
  createRetryPolicy(retry)
}

function assertTimeouts(timeout: Timeouts | undefined): void {
  if (timeout === undefined) return
  assertOptions(timeout, 'timeout', 'connect response idle total')
  for (const [phase, milliseconds] of Object.entries(timeout)) {
    if (milliseconds !== undefined && !(typeof milliseconds === 'number' && milliseconds >= 0))
      throw new ConfigurationError(`timeout.${phase} must be 0 or more milliseconds`)
  }
}

/** Middleware as a list: in plain JavaScript, one may be given as it is. */
export function listOf(middleware: Middleware | ClientOptions['middleware']): readonly Middleware[] {
  if (middleware === undefined) return []
  return typeof middleware === 'function' ? [middleware] : middleware
}

/** Lays changes over options; headers by name. */
export function mergeOptions<Options extends ClientOptions>(options: Options, changes: Options): Options {
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as Options
  return { ...options, ...given, headers: mergeHeaders(options.headers, changes.headers) }
}
