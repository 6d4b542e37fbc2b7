import { ConfigurationError } from './errors.ts'
import { assertOptions, describeType } from './internal/assert-options.ts'
import { mergeHeaders } from './internal/headers.ts'
import { assertRegion } from './internal/region.ts'
import { assertTransportOptions } from './transport/assert-transport-options.ts'
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

/** Options of a client, of either `outcrop` or `outcrop/core`. */
export interface ClientOptions {
  /**
   * The AWS Region to call and sign for, such as `eu-central-1`.
   *
   * @default AWS_REGION, then AWS_DEFAULT_REGION. There is no silent default: without a Region the first call rejects
   */
  readonly region?: string | undefined
  /**
   * The credentials: AWS keys, a Bedrock API key, a provider of either, or `'none'` for a gateway that signs. They are
   * used alone, and never combined with values from the environment.
   *
   * @default AWS_BEARER_TOKEN_BEDROCK, then AWS_ACCESS_KEY_ID and the variables that go with it
   */
  readonly credentials?: Identity | CredentialProvider | 'none' | undefined
  /**
   * The endpoint, if it is not AWS's own host: a gateway, an interface endpoint, a FIPS or dual-stack host.
   *
   * @default AWS_ENDPOINT_URL_BEDROCK_RUNTIME, AWS_ENDPOINT_URL_BEDROCK and AWS_ENDPOINT_URL, else AWS's host
   */
  readonly endpoint?: string | URL | EndpointOptions | undefined
  /** Wraps each logical call; the first is outermost. */
  readonly middleware?: readonly Middleware[] | undefined
  /** Headers to send and sign with every call. */
  readonly headers?: HeadersOption | undefined
  /** Retry options; `false` makes one attempt. */
  readonly retry?: RetryOptions | false | undefined
  /**
   * The retry budget that all calls of the client share, so that an outage does not multiply the load, in the AWS SDKs'
   * units: a retry takes 14 (5 after a 429), and a success returns what its last retry took, or 1. With too little left
   * a call fails with its first error. `false` turns the budget off.
   *
   * @default 500
   * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
   */
  readonly retryBudget?: number | false | undefined
  /** Timeouts in milliseconds. */
  readonly timeout?: Timeouts | undefined
  /**
   * Sends HTTP requests.
   *
   * @default on Node the transport of `outcrop/node`, unless the global `fetch` was replaced; otherwise the global
   *   `fetch`, looked up at every call
   */
  readonly fetch?: typeof fetch | undefined
  /** Receives log messages. @default silent; `OUTCROP_LOG=debug` writes to stderr */
  readonly logger?: Logger | undefined
  /**
   * Environment variables to use instead of the process's, such as a Worker's `env`, or in a test.
   *
   * @default the process's environment, if there is one
   */
  readonly env?: Environment | undefined
  /** Time, for tests. @default the real time */
  readonly clock?: Clock | undefined
  /** Random numbers from 0 up to 1 for retry delays, for tests. @default Math.random */
  readonly random?: (() => number) | undefined
}

/** The names of {@link ClientOptions}. */
export const clientOptionNames =
  'region credentials endpoint middleware headers retry retryBudget timeout fetch logger env clock random'

// Includes those of the modules. A custom middleware may use other names, unless they are similar to one of these.
const callOptionNames =
  'signal headers timeout retry onRetry wire guardrail cache limits telemetry requestMetadata serviceTier latency'

/** @throws ConfigurationError for invalid options. */
export function assertClientOptions(options: ClientOptions, names: string): void {
  assertOptions(options, '', names)
  const { region, fetch, middleware, env } = options
  if (region !== undefined) assertRegion(region)
  assertTransportOptions(options)
  assertFunction('fetch', fetch)
  if (env !== undefined && (typeof env !== 'object' || env === null))
    throw new ConfigurationError(`env must be an object, not ${describeType(env)}`)
  for (const each of listOf(middleware)) {
    if (typeof each !== 'function')
      throw new ConfigurationError(`middleware must be functions, not ${describeType(each)}`)
  }
}

/** @throws ConfigurationError for invalid options. */
export function assertCallOptions(options: CallOptions): void {
  assertOptions(options, '', callOptionNames, true)
  assertTransportOptions(options)
  assertFunction('onRetry', options.onRetry)
  // `create` removes this option before, so here it has no effect.
  if (options.wire !== undefined)
    throw new ConfigurationError("wire must be 'stream', and only messages.create without `stream` takes it")
}

function assertFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function')
    throw new ConfigurationError(`${name} must be a function, not ${describeType(value)}`)
}

/** Returns middleware as a list, because plain JavaScript may pass a single function. */
export function listOf(middleware: Middleware | ClientOptions['middleware']): readonly Middleware[] {
  if (middleware === undefined) return []
  return typeof middleware === 'function' ? [middleware] : middleware
}

/** Merges changes into options; headers are merged by name. */
export function mergeOptions<Options extends ClientOptions>(options: Options, changes: Options): Options {
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as Options
  return { ...options, ...given, headers: mergeHeaders(options.headers, changes.headers) }
}
