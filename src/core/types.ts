/**
 * Every contract that modules share. This file imports nothing and contains no code, so anything may import it.
 *
 * @module
 */

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject

/** A JSON object; `undefined` members are left out when it is serialized, as in `JSON.stringify`. */
export interface JsonObject {
  [key: string]: JsonValue | undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// Identity

/** The source of an identity. Never contains a secret. Shown by `explain()` and in hints. */
export interface IdentitySource {
  /** The source's name, such as `environment`, `profile`, `sso`, `assume-role`, `command`. */
  readonly name: string
  /** The profile in the shared AWS files that it was read from. */
  readonly profile?: string
  /** Other useful information: a variable's name, a role's ARN, a command's first word. */
  readonly detail?: string
  /** The command that renews it, such as `aws sso login --profile dev`. */
  readonly command?: string
}

/**
 * AWS keys. The same shape as the AWS SDK's `AwsCredentialIdentity`.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
 */
export interface AwsCredentialIdentity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Present for temporary credentials, and then part of every request. */
  readonly sessionToken?: string | undefined
  /** When the keys expire. Left out for keys that do not expire. */
  readonly expiration?: Date | undefined
  readonly accountId?: string | undefined
  readonly credentialScope?: string | undefined
  readonly source?: IdentitySource | undefined
}

/**
 * A Bedrock API key, sent as `Authorization: Bearer`.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html
 */
export interface BearerTokenIdentity {
  readonly token: string
  /** When the key expires, if known. */
  readonly expiration?: Date | undefined
  readonly source?: IdentitySource | undefined
}

/** AWS keys or a Bedrock API key. */
export type Identity = AwsCredentialIdentity | BearerTokenIdentity

/** The argument of a {@link CredentialProvider}. Every member is optional: a provider must work without it. */
export interface CredentialProviderOptions {
  /** Requests new credentials even if the cached ones look valid, because Bedrock has just refused them. */
  readonly forceRefresh?: boolean | undefined
  /** The identity that Bedrock has just refused. */
  readonly refused?: Identity | undefined
  readonly signal?: AbortSignal | undefined
  /** The client's own `fetch`, so that a provider's requests use the same proxy or agent. */
  readonly fetch?: typeof fetch | undefined
  /** The client's Region, if known. */
  readonly region?: string | undefined
  readonly logger?: Logger | undefined
}

/**
 * Provides an identity. Any credential provider of the AWS SDK works unchanged.
 *
 * The client caches the result until shortly before `expiration` (one hour if there is none), shares one request
 * between concurrent calls, and asks again with `forceRefresh` after Bedrock refused an identity.
 */
export type CredentialProvider = (options?: CredentialProviderOptions) => Promise<Identity>

// ---------------------------------------------------------------------------------------------------------------------
// Models

/** How a name was resolved to the model. */
export type ModelSource = 'explicit' | 'override' | 'pin' | 'alias' | 'discovered' | 'catalog'

/** The geography of a cross-Region inference profile, which is the prefix of its ID. */
export type ProfileGeo = 'us' | 'eu' | 'jp' | 'au' | 'in' | 'apac' | 'us-gov' | 'global' | (string & {})

/** A fully described model: the ID to send, the base model, and where it is called. */
export interface ModelRef {
  /** The ID or ARN to send. */
  readonly id: string
  /** The base model, such as `anthropic.claude-sonnet-4-6`. Unknown for an opaque ARN. */
  readonly base?: string | undefined
  /** The model family, such as `sonnet`. */
  readonly family?: string | undefined
  /** The version within the family, such as `4.6`. */
  readonly version?: string | undefined
  /** The Region to call and sign for. Left out if it is the client's own and not known yet. */
  readonly region?: string | undefined
  /** The AWS partition, such as `aws` or `aws-us-gov`. */
  readonly partition?: string | undefined
  /** The geography of the inference profile. Left out for a base ID and an opaque ARN. */
  readonly geo?: ProfileGeo | undefined
  readonly source: ModelSource
}

/** The context for a {@link ModelResolver}. */
export interface ModelResolutionContext {
  /** The client's Region. */
  readonly region: string
  /** The client's signed `fetch`, for discovery. */
  readonly fetch: BedrockFetch
  /** The same object for clients that share an identity and so may share discovery results. @default `fetch` */
  readonly scope?: object | undefined
  readonly logger: Logger
  readonly signal?: AbortSignal | undefined
}

/**
 * Resolves a name to a {@link ModelRef}. Create one with `createModelResolver` of `outcrop/models`, or write your own.
 */
export interface ModelResolver {
  /** @throws ModelResolutionError if the name is unknown or not allowed. */
  resolve(name: string, context: ModelResolutionContext): ModelRef | Promise<ModelRef>
}

// ---------------------------------------------------------------------------------------------------------------------
// Calls

/** The operations of the Invoke API. */
export type Operation = 'InvokeModel' | 'InvokeModelWithResponseStream' | 'CountTokens'

declare global {
  /** Modules of Outcrop add their per-call options here by declaration merging. */
  interface OutcropCallOptions {}
  // From `ESNext.Disposable`, which not every project includes.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol
  }
}

/** Timeouts of one call, in milliseconds. `0` or `Infinity` turns a timeout off. */
export interface Timeouts {
  /**
   * Limits the time to connect, per attempt: DNS, TCP, the proxy and TLS. A `fetch` does not report its connections, so
   * only requests of `outcrop/node` have this timeout.
   *
   * @default 10_000
   */
  readonly connect?: number | undefined
  /**
   * Limits the wait for the response headers, per attempt.
   *
   * @default 3_600_000 for InvokeModel (inference may run for 60 minutes), 300_000 for a stream and everything else
   */
  readonly response?: number | undefined
  /**
   * Limits the wait between bytes of a response body.
   *
   * @default 300_000
   */
  readonly idle?: number | undefined
  /**
   * Limits the whole call, including retries and reading the body.
   *
   * @default none
   */
  readonly total?: number | undefined
}

/** How failed calls are retried. A call is never retried after the first event has reached the caller. */
export interface RetryOptions {
  /**
   * The total number of attempts, including the first; 1 or more.
   *
   * @default 3
   */
  readonly attempts?: number | undefined
  /**
   * The upper limit of the first delay, in milliseconds; it doubles with each attempt. The delay itself is random
   * between 0 and the limit ("full jitter").
   *
   * @default 500
   */
  readonly baseDelay?: number | undefined
  /**
   * The maximum delay, in milliseconds. A longer `retry-after` ends the retries.
   *
   * @default 20_000
   */
  readonly maxDelay?: number | undefined
  /**
   * Replaces the built-in rule. Called with the error and the number of attempts so far (1 or more), but not when no
   * attempt is left.
   */
  readonly retryIf?: ((error: Error & { readonly retryable?: boolean }, attempt: number) => boolean) | undefined
}

/** A failed attempt that will be retried. */
export interface FailedAttempt {
  /** The number of the attempt, from 1. */
  readonly attempt: number
  /** The error, with its status, AWS's type and the request ID, if there are any. */
  readonly error: Error
  /** The delay before the next attempt, in milliseconds; 0 for an immediate replay. */
  readonly delay: number
}

/** Headers to send, by name. */
export type HeadersOption = Headers | Readonly<Record<string, string>>

/** Options of a single call. Modules add their own (`guardrail`, `cache`, …) when they are imported. */
export interface CallOptions extends OutcropCallOptions {
  /** Aborts the call, which then rejects with the signal's own reason. */
  readonly signal?: AbortSignal | undefined
  /** Headers to send and sign with this call; they override the client's. */
  readonly headers?: HeadersOption | undefined
  /** Timeouts in milliseconds, which override the client's. */
  readonly timeout?: Timeouts | undefined
  /** Retry options, which override the client's; `false` makes one attempt. */
  readonly retry?: RetryOptions | false | undefined
  /**
   * Called for each attempt that is retried: after a transient failure, and if a call is replayed with new credentials,
   * with AWS's time, or over a new connection. The last attempt's failure is the call's own error.
   */
  readonly onRetry?: ((failed: FailedAttempt) => void) | undefined
  /**
   * How `messages.create` receives its message. `'stream'` uses InvokeModelWithResponseStream and assembles the
   * message, so that bytes flow while the model writes. Use it for long answers if a `fetch` or a proxy gives up on a
   * response that is silent for minutes, as Node's `fetch` does after 300 s. Needs
   * `bedrock:InvokeModelWithResponseStream` instead of `bedrock:InvokeModel`; sets `metadata.wire`.
   *
   * @default InvokeModel, however long the answer may be
   */
  readonly wire?: 'stream' | undefined
}

/** One logical call as plain data, for middleware. It is encoded and signed after the last middleware. */
export interface BedrockRequest {
  readonly operation: Operation
  /** A name to resolve, or a resolved model. */
  readonly model: string | ModelRef
  /** The provider's own JSON body. For CountTokens, the body whose tokens are counted. */
  readonly body: JsonObject
  /** Headers to send and sign, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly options: CallOptions
  readonly signal?: AbortSignal | undefined
}

/** The tokens of one call, wherever Bedrock reports them. */
export interface TokenUsage {
  /** Input tokens that were neither read from nor written to a prompt cache. */
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  /** Input tokens read from a prompt cache. */
  readonly cacheReadInputTokens?: number | undefined
  /** Input tokens written to a prompt cache. */
  readonly cacheWriteInputTokens?: number | undefined
}

/** A change to a request so that the model accepts it. */
export interface Adaptation {
  /** The field or beta, as a path into the body such as `output_config.effort`, or `anthropic_beta:NAME`. */
  readonly field: string
  readonly action: 'added' | 'removed' | 'replaced'
  /** The reason, in one sentence. */
  readonly reason: string
}

/** The outcome of a guardrail. */
export interface GuardrailOutcome {
  readonly action: 'NONE' | 'INTERVENED'
  /** The trace as Bedrock sent it, if requested. */
  readonly trace?: JsonObject | undefined
  /** The assessments found in the trace, in order. */
  readonly assessments: readonly JsonObject[]
}

/** The outcome of the response cache. */
export interface CacheOutcome {
  readonly status: 'hit' | 'miss' | 'bypass'
  /** The age of the stored response on a hit, in milliseconds. */
  readonly age?: number | undefined
}

/** The outcome of the limiter. */
export interface LimitOutcome {
  /** How long the call waited, in milliseconds. */
  readonly waited: number
  /** The number of tokens that it reserved. */
  readonly reserved: number
}

/** Why a call moved on from a target of `failover`. */
export type FailoverCause = 'throttled' | 'daily-quota' | 'unavailable' | 'overloaded' | 'connection' | 'other'

/** A target that a call moved on from. */
export interface FailedTarget {
  readonly target: string
  readonly cause: FailoverCause
  /** The error message. */
  readonly message: string
  /** The HTTP status, if there was a response. */
  readonly status?: number | undefined
  /** The number of attempts made there. */
  readonly attempts?: number | undefined
}

/** The target that answered a call. */
export interface FailoverOutcome {
  /** The target's name. */
  readonly target: string
  /**
   * Why this target was used. `preferred`: it is the first choice. `moved`: the conversation moved on from the first
   * choice earlier, and its prompt cache is here. `cooldown`: the first choice is skipped for a while. `failed`: this
   * call failed on another target.
   */
  readonly reason: 'preferred' | 'moved' | 'cooldown' | 'failed'
  /** The targets that this call tried before, in order. */
  readonly tried: readonly FailedTarget[]
}

/**
 * Information about a response beyond its body. For a stream, this object fills in as the stream goes on: `usage` and
 * `latency` are complete when the iteration has ended.
 */
export interface ResponseMetadata {
  /** The AWS request ID, for AWS Support. */
  requestId: string | undefined
  /** The HTTP status. */
  status: number
  /** The response's headers, with names in lower case. */
  headers: Record<string, string>
  /** The number of attempts made, including the successful one. */
  attempts: number
  /** The model that answered. */
  model: ModelRef
  usage: TokenUsage
  /** Milliseconds from the start of the call to the end of its response. */
  latency: number | undefined
  /** Milliseconds from the start of the call to the first event of a stream. */
  firstByteLatency?: number | undefined
  /** `'stream'` if a whole message was received with the `wire` option; otherwise left out. */
  wire?: 'stream' | undefined
  /** The changes made to the request; left out if there are none. */
  adaptations?: readonly Adaptation[] | undefined
  guardrail?: GuardrailOutcome | undefined
  cache?: CacheOutcome | undefined
  limits?: LimitOutcome | undefined
  /** The target of `failover` that answered, and why. */
  failover?: FailoverOutcome | undefined
}

/** A response, for middleware. */
export type BedrockResponse =
  | { readonly type: 'json'; readonly body: JsonObject; readonly metadata: ResponseMetadata }
  | { readonly type: 'stream'; readonly events: AsyncIterable<JsonObject>; readonly metadata: ResponseMetadata }

/** Continues the chain. May be called again, even with another request: every call is encoded and signed anew. */
export type Next = (request: BedrockRequest) => Promise<BedrockResponse>

/** The context of a middleware. */
export interface MiddlewareContext {
  /** The request's resolved model. */
  readonly model: ModelRef
  /** The Region to send the request to. */
  readonly region: string
  /** The base URL to send the request to. Reading it throws if the endpoint and the Region contradict each other. */
  readonly endpoint: string
  /** The call's timeouts, merged over the client's. */
  readonly timeout: Timeouts
  /** The call's retry options, merged over the client's. */
  readonly retry: RetryOptions | false | undefined
  /** The middleware between this one and Bedrock, outermost first. */
  readonly inner: readonly Middleware[]
  /**
   * Resolves a name by the client's own rules, including residency.
   *
   * @param region - the Region in which to call the model. @default the client's
   * @throws ModelResolutionError if the name is unknown or not allowed.
   */
  readonly resolve: (name: string, region?: string) => Promise<ModelRef>
  /** The client's signed `fetch`. */
  readonly fetch: BedrockFetch
  /**
   * Returns the identity; `undefined` if the client does not sign. It contains secrets: never log it.
   *
   * @throws CredentialsError if no source provides credentials.
   */
  readonly identity: () => Promise<Identity | undefined>
  readonly logger: Logger
  readonly clock: Clock
  /** The client's `env`: variables to use instead of the process's, if set. */
  readonly env?: Environment | undefined
}

/**
 * Wraps one logical call. It may change the request or the response, answer without `next`, or call `next` again.
 *
 * @example
 * ```ts
 * const timing: Middleware = async (request, next, { logger }) => {
 *   const response = await next(request)
 *   logger.info(`${request.operation} took ${response.metadata.latency} ms`)
 *   return response
 * }
 * ```
 */
export type Middleware = (request: BedrockRequest, next: Next, context: MiddlewareContext) => Promise<BedrockResponse>

/** Options of `bedrock.fetch`. */
export interface BedrockFetchInit {
  /** @default 'GET', or 'POST' if there is a body */
  readonly method?: string | undefined
  readonly headers?: HeadersOption | undefined
  readonly body?: string | Uint8Array | undefined
  readonly signal?: AbortSignal | undefined
  /** The Region to send to and sign for, if not the client's. */
  readonly region?: string | undefined
  readonly timeout?: Timeouts | undefined
  /**
   * Whether to retry a failed request: `true` like the client's calls, or with options that override the client's.
   *
   * @default false
   */
  readonly retry?: RetryOptions | boolean | undefined
}

/**
 * Sends one signed request and returns the response unchanged, whatever its status.
 *
 * Paths that begin with `/model/`, `/guardrail/`, `/guardrail-checks/` or `/async-invoke` go to the runtime host, all
 * others to the control host.
 */
export type BedrockFetch = (path: string, init?: BedrockFetchInit) => Promise<Response>

// ---------------------------------------------------------------------------------------------------------------------
// Environment

/** A logger, such as `console`. Never receives a secret. */
export interface Logger {
  debug(message: string, data?: unknown): void
  info(message: string, data?: unknown): void
  warn(message: string, data?: unknown): void
  error(message: string, data?: unknown): void
}

/** Environment variables by name, like `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A clock, replaceable in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Like the global `setTimeout`. */
  setTimeout(callback: () => void, milliseconds: number): unknown
  /** Like the global `clearTimeout`. */
  clearTimeout(handle: unknown): void
}

/** The endpoint of requests. */
export interface EndpointOptions {
  /** The runtime's base URL, also for the control plane, unless `control` is set. May have a path. */
  readonly url?: string | URL | undefined
  /** The control plane's base URL. */
  readonly control?: string | URL | undefined
  /** Whether to use AWS's FIPS hosts. Cannot be combined with `url`. @default AWS_USE_FIPS_ENDPOINT, else false */
  readonly fips?: boolean | undefined
  /**
   * Whether to use AWS's dual-stack hosts. Cannot be combined with `url`.
   *
   * @default AWS_USE_DUALSTACK_ENDPOINT, else false
   */
  readonly dualstack?: boolean | undefined
  /** Whether to allow `http:` to a host that is not loopback. @default false */
  readonly allowHttp?: boolean | undefined
}

/**
 * Makes a logical call that is answered as `type`.
 *
 * @throws ConfigurationError if a middleware answers with another type.
 */
export type Dispatch = <Type extends BedrockResponse['type']>(
  type: Type,
  request: Omit<BedrockRequest, 'headers' | 'signal'> & { readonly signal?: AbortSignal | undefined },
) => Promise<BedrockResponse & { type: Type }>
