/**
 * Every contract that two modules share. This file imports nothing and has no code, so anything may import it.
 *
 * @module
 */

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject

/** A JSON object; `undefined` members are left out when it is serialised, as `JSON.stringify` does. */
export interface JsonObject {
  [key: string]: JsonValue | undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// Identity

/** Where an identity came from. Never holds a secret. Shown by `explain()` and in hints. */
export interface IdentitySource {
  /** The source in the field's words, such as `environment`, `profile`, `sso`, `assume-role`, `command`. */
  readonly name: string
  /** The profile of the shared AWS files it was read from. */
  readonly profile?: string
  /** Anything else worth telling a person: a variable's name, a role's ARN, a command's first word. */
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
  /** Present on temporary credentials, and then part of every request. */
  readonly sessionToken?: string | undefined
  /** When the keys stop working. Left out for keys that do not expire. */
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
  /** When the key stops working, where that is known. */
  readonly expiration?: Date | undefined
  readonly source?: IdentitySource | undefined
}

/** AWS keys or a Bedrock API key. */
export type Identity = AwsCredentialIdentity | BearerTokenIdentity

/** What a client hands to a {@link CredentialProvider}. Every member is optional: a provider must work without. */
export interface CredentialProviderOptions {
  /** Ask for new credentials although the held ones look good: Bedrock has just refused them. */
  readonly forceRefresh?: boolean | undefined
  /** The identity that a 403 just turned down. */
  readonly refused?: Identity | undefined
  readonly signal?: AbortSignal | undefined
  /** The client's own `fetch`, so that a provider's requests take the same way (proxy, agent) as its own. */
  readonly fetch?: typeof fetch | undefined
  /** The client's region, where one is known. */
  readonly region?: string | undefined
  readonly logger?: Logger | undefined
}

/**
 * Gives an identity. An AWS SDK credential provider fits as it is.
 *
 * The client keeps what it gives until shortly before `expiration` (one hour where there is none), asks once for many
 * concurrent calls, and asks again with `forceRefresh` after Bedrock refused an identity.
 */
export type CredentialProvider = (options?: CredentialProviderOptions) => Promise<Identity>

// ---------------------------------------------------------------------------------------------------------------------
// Models

/** Why a name became the model that was called. */
export type ModelSource = 'explicit' | 'override' | 'pin' | 'alias' | 'discovered' | 'catalog'

/** The geography of a cross-Region inference profile, which is the prefix of its ID. */
export type ProfileGeo = 'us' | 'eu' | 'jp' | 'au' | 'in' | 'apac' | 'us-gov' | 'global' | (string & {})

/** A model, fully described: what goes on the wire, what it really is, and where it is called. */
export interface ModelRef {
  /** The ID or ARN that goes on the wire. */
  readonly id: string
  /** What the model really is, such as `anthropic.claude-sonnet-4-6`. Unknown behind an opaque ARN. */
  readonly base?: string | undefined
  /** The model family, such as `sonnet`. */
  readonly family?: string | undefined
  /** The version within the family, such as `4.6`. */
  readonly version?: string | undefined
  /** The region that is called and signed for. Left out where it is the client's own and none is known yet. */
  readonly region?: string | undefined
  /** The AWS partition, such as `aws` or `aws-us-gov`. */
  readonly partition?: string | undefined
  /** The geography of the inference profile. Left out for a base ID and an opaque ARN. */
  readonly geo?: ProfileGeo | undefined
  readonly source: ModelSource
}

/** What a {@link ModelResolver} may use. */
export interface ModelResolutionContext {
  /** The client's region. */
  readonly region: string
  /** The client's signed `fetch`, for discovery. */
  readonly fetch: BedrockFetch
  /** The same object for clients that share their identity, which may then share what was discovered. @default `fetch` */
  readonly scope?: object | undefined
  readonly logger: Logger
  readonly signal?: AbortSignal | undefined
}

/** Turns a name into a {@link ModelRef}. `createModelResolver` of `outcrop/models` makes one; so can you. */
export interface ModelResolver {
  /** @throws ModelResolutionError when the name means nothing or is not allowed. */
  resolve(name: string, context: ModelResolutionContext): ModelRef | Promise<ModelRef>
}

// ---------------------------------------------------------------------------------------------------------------------
// Calls

/** The operations of the Invoke API that a call may be. */
export type Operation = 'InvokeModel' | 'InvokeModelWithResponseStream' | 'CountTokens'

declare global {
  /** Modules of Outcrop add their per-call options here by declaration merging. */
  interface OutcropCallOptions {}
  // Of `ESNext.Disposable`, which not every project has among its libraries.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol
  }
}

/** Deadlines of one call, in milliseconds. `0` or `Infinity` switches one off. */
export interface Timeouts {
  /**
   * Until a connection stands, per attempt: with DNS, TCP, the proxy and TLS. A `fetch` tells nothing of its connections:
   * only what `outcrop/node` sends has this deadline.
   *
   * @default 10_000
   */
  readonly connect?: number | undefined
  /**
   * Until the response's headers, per attempt.
   *
   * @default 3_600_000 for InvokeModel (inference may run for 60 minutes), 300_000 for a stream and everything else
   */
  readonly response?: number | undefined
  /**
   * Between bytes of a response body.
   *
   * @default 300_000
   */
  readonly idle?: number | undefined
  /**
   * For the whole call, with its retries and the reading of its body.
   *
   * @default none
   */
  readonly total?: number | undefined
}

/** How failed calls are repeated. Only ever before the first event has reached the caller. */
export interface RetryOptions {
  /**
   * How many attempts there are in all, the first one included; 1 or more.
   *
   * @default 3
   */
  readonly attempts?: number | undefined
  /**
   * The ceiling of the first pause, in milliseconds; it doubles with each attempt. The pause itself is drawn at random
   * between 0 and the ceiling ("full jitter").
   *
   * @default 500
   */
  readonly baseDelay?: number | undefined
  /**
   * The longest pause, in milliseconds. A `retry-after` beyond it ends the retries.
   *
   * @default 20_000
   */
  readonly maxDelay?: number | undefined
  /**
   * Decides in place of the built-in rule. Called with the error and the number of attempts made so far (1 or more);
   * not called when no attempt is left.
   */
  readonly retryIf?: ((error: Error & { readonly retryable?: boolean }, attempt: number) => boolean) | undefined
}

/** An attempt that failed, and is about to be repeated. */
export interface FailedAttempt {
  /** Its number among the attempts of the call, from 1. */
  readonly attempt: number
  /** What went wrong; it names the status, AWS's type and the request ID, as far as there are any. */
  readonly error: Error
  /** How long the call pauses before the next attempt, in milliseconds; 0 where it replays at once. */
  readonly delay: number
}

/** Headers to send, by name. */
export type HeadersOption = Headers | Readonly<Record<string, string>>

/** Options of a single call. Modules add keys of their own (`guardrail`, `cache`, …) when they are imported. */
export interface CallOptions extends OutcropCallOptions {
  /** Ends the call. It then rejects with the signal's own reason. */
  readonly signal?: AbortSignal | undefined
  /** Sent and signed with this call, over the client's own. */
  readonly headers?: HeadersOption | undefined
  /** Deadlines in milliseconds, over the client's own. */
  readonly timeout?: Timeouts | undefined
  /** Retries, over the client's own; `false` makes one attempt. */
  readonly retry?: RetryOptions | false | undefined
  /**
   * Hears of each attempt that is repeated: after a failure that may pass, and where a call is replayed with new
   * credentials, with AWS's time, or over a new connection. The last attempt's failure is the call's own.
   */
  readonly onRetry?: ((failed: FailedAttempt) => void) | undefined
  /**
   * How `messages.create` gets its message: `'stream'` sends InvokeModelWithResponseStream and puts the message together,
   * so that bytes flow while the model writes. For long answers where a `fetch` or something on the way gives up on a
   * response that is silent for minutes, as Node's `fetch` does after 300 s. Needs `bedrock:InvokeModelWithResponseStream`
   * in place of `bedrock:InvokeModel`; `metadata.wire` tells of it.
   *
   * @default InvokeModel, however long the answer may be
   */
  readonly wire?: 'stream' | undefined
}

/** One logical call, as plain data, as middleware sees it. Encoding and signing happen after the last middleware. */
export interface BedrockRequest {
  readonly operation: Operation
  /** A name, which is resolved, or a model already resolved. */
  readonly model: string | ModelRef
  /** The provider's own JSON body. For CountTokens: the body whose tokens are counted. */
  readonly body: JsonObject
  /** Headers to send and sign, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly options: CallOptions
  readonly signal?: AbortSignal | undefined
}

/** Tokens of one call, wherever Bedrock put the numbers. */
export interface TokenUsage {
  /** Input tokens that were neither read from nor written to a prompt cache. */
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  /** Input tokens read from a prompt cache. */
  readonly cacheReadInputTokens?: number | undefined
  /** Input tokens written to a prompt cache. */
  readonly cacheWriteInputTokens?: number | undefined
}

/** Something in a request that was changed so that the model takes it. */
export interface Adaptation {
  /** The field or beta concerned, as a path into the body such as `output_config.effort`, or `anthropic_beta:NAME`. */
  readonly field: string
  readonly action: 'added' | 'removed' | 'replaced'
  /** Why, in one sentence. */
  readonly reason: string
}

/** What a guardrail did to a call. */
export interface GuardrailOutcome {
  readonly action: 'NONE' | 'INTERVENED'
  /** The trace as Bedrock sent it, when it was asked for. */
  readonly trace?: JsonObject | undefined
  /** The assessments found in the trace, in order. */
  readonly assessments: readonly JsonObject[]
}

/** What the response cache did to a call. */
export interface CacheOutcome {
  readonly status: 'hit' | 'miss' | 'bypass'
  /** On a hit, how long ago the response was stored, in milliseconds. */
  readonly age?: number | undefined
}

/** What the limiter did to a call. */
export interface LimitOutcome {
  /** How long the call waited for its turn, in milliseconds. */
  readonly waited: number
  /** How many tokens of the quota were set aside for it. */
  readonly reserved: number
}

/** Why a call left a target of `failover`. */
export type FailoverCause = 'throttled' | 'daily-quota' | 'unavailable' | 'overloaded' | 'connection' | 'other'

/** A target that a call left. */
export interface FailedTarget {
  readonly target: string
  readonly cause: FailoverCause
  /** What went wrong there. */
  readonly message: string
  /** The HTTP status, where there was an answer. */
  readonly status?: number | undefined
  /** How many attempts were made there. */
  readonly attempts?: number | undefined
}

/** Which of several targets answered a call. */
export interface FailoverOutcome {
  /** Its name. */
  readonly target: string
  /**
   * Why it was this one. `preferred`: the first choice. `moved`: the conversation left the first choice before, and its
   * prompt cache is here. `cooldown`: the first choice is passed over for some time. `failed`: this call left another one.
   */
  readonly reason: 'preferred' | 'moved' | 'cooldown' | 'failed'
  /** Those that this call left, in order. */
  readonly tried: readonly FailedTarget[]
}

/**
 * What is known about a response beside its body. For a stream this one object fills in as the stream goes on: `usage`
 * and `latency` are whole when the iteration has ended.
 */
export interface ResponseMetadata {
  /** The AWS request ID, to quote to AWS Support. */
  requestId: string | undefined
  /** The HTTP status. */
  status: number
  /** The response's headers, names in lower case. */
  headers: Record<string, string>
  /** How many attempts were made, the successful one included. */
  attempts: number
  /** The model that answered. */
  model: ModelRef
  usage: TokenUsage
  /** Milliseconds from the start of the call to the end of its response. */
  latency: number | undefined
  /** Milliseconds from the start of the call to the first event of a stream. */
  firstByteLatency?: number | undefined
  /** `'stream'` where a whole message came by the option `wire`; left out where it did not. */
  wire?: 'stream' | undefined
  /** What was changed in the request; left out where nothing was. */
  adaptations?: readonly Adaptation[] | undefined
  guardrail?: GuardrailOutcome | undefined
  cache?: CacheOutcome | undefined
  limits?: LimitOutcome | undefined
  /** Which target of `failover` answered, and why. */
  failover?: FailoverOutcome | undefined
}

/** A response as middleware sees it. */
export type BedrockResponse =
  | { readonly type: 'json'; readonly body: JsonObject; readonly metadata: ResponseMetadata }
  | { readonly type: 'stream'; readonly events: AsyncIterable<JsonObject>; readonly metadata: ResponseMetadata }

/** The rest of the chain. May be called again, also with another request: every call is encoded and signed afresh. */
export type Next = (request: BedrockRequest) => Promise<BedrockResponse>

/** What a middleware may use beside the request. */
export interface MiddlewareContext {
  /** The request's model, resolved. */
  readonly model: ModelRef
  /** The region that the request will be sent to. */
  readonly region: string
  /** The base URL that the request will be sent to. Reading it throws where the endpoint and the region disagree. */
  readonly endpoint: string
  /** The call's deadlines: its own over the client's. */
  readonly timeout: Timeouts
  /** The call's retries: its own over the client's. */
  readonly retry: RetryOptions | false | undefined
  /** The middleware between this one and Bedrock, outermost first. */
  readonly inner: readonly Middleware[]
  /**
   * Resolves a name by the client's own rules, residency included.
   *
   * @param region - the region to call the model in. @default the client's
   * @throws ModelResolutionError when the name means nothing or is not allowed.
   */
  readonly resolve: (name: string, region?: string) => Promise<ModelRef>
  /** The client's signed `fetch`. */
  readonly fetch: BedrockFetch
  /**
   * Who is asking; `undefined` where the client signs nothing. It holds secrets: log none of it.
   *
   * @throws CredentialsError where no source gives credentials.
   */
  readonly identity: () => Promise<Identity | undefined>
  readonly logger: Logger
  readonly clock: Clock
  /** The client's `env`: variables to read in place of the process's own, where there are such. */
  readonly env?: Environment | undefined
}

/**
 * Wraps one logical call. May change the request, the response, answer without `next`, or call `next` again.
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

/** What `bedrock.fetch` takes beside a path. */
export interface BedrockFetchInit {
  /** @default 'GET', or 'POST' when there is a body */
  readonly method?: string | undefined
  readonly headers?: HeadersOption | undefined
  readonly body?: string | Uint8Array | undefined
  readonly signal?: AbortSignal | undefined
  /** Sends and signs for another region than the client's. */
  readonly region?: string | undefined
  readonly timeout?: Timeouts | undefined
  /**
   * Repeats a request that failed: `true` as the client's calls are repeated, options over the client's own.
   *
   * @default false
   */
  readonly retry?: RetryOptions | boolean | undefined
}

/**
 * Sends one signed request and gives the response as it came, whatever its status.
 *
 * Paths that begin with `/model/`, `/guardrail/`, `/guardrail-checks/` or `/async-invoke` go to the runtime host, all
 * others to the control host.
 */
export type BedrockFetch = (path: string, init?: BedrockFetchInit) => Promise<Response>

// ---------------------------------------------------------------------------------------------------------------------
// Surroundings

/** Where a client writes what a person may want to know. `console` fits. Never receives a secret. */
export interface Logger {
  debug(message: string, data?: unknown): void
  info(message: string, data?: unknown): void
  warn(message: string, data?: unknown): void
  error(message: string, data?: unknown): void
}

/** Environment variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Time, replaceable in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** As the global `setTimeout`. */
  setTimeout(callback: () => void, milliseconds: number): unknown
  /** As the global `clearTimeout`. */
  clearTimeout(handle: unknown): void
}

/** Where requests go. */
export interface EndpointOptions {
  /** The runtime's base URL; serves the control plane too, unless `control` names another. May have a path. */
  readonly url?: string | URL | undefined
  /** The control plane's base URL. */
  readonly control?: string | URL | undefined
  /** Use AWS's FIPS hosts. Not together with `url`. @default AWS_USE_FIPS_ENDPOINT, else false */
  readonly fips?: boolean | undefined
  /** Use AWS's dual-stack hosts. Not together with `url`. @default AWS_USE_DUALSTACK_ENDPOINT, else false */
  readonly dualstack?: boolean | undefined
  /** Allow `http:` to a host that is not loopback. @default false */
  readonly allowHttp?: boolean | undefined
}

/**
 * Makes a logical call that is to be answered as `type`.
 *
 * @throws ConfigurationError where a middleware answers it otherwise.
 */
export type Dispatch = <Type extends BedrockResponse['type']>(
  type: Type,
  request: Omit<BedrockRequest, 'headers' | 'signal'> & { readonly signal?: AbortSignal | undefined },
) => Promise<BedrockResponse & { type: Type }>
