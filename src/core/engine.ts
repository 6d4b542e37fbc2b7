import { compose } from './compose.ts'
import { type BedrockError, ConfigurationError, isBedrockError } from './errors.ts'
import { cached } from './internal/cached-provider.ts'
import { env } from './internal/env.ts'
import { isWholeIdentity } from './internal/identity.ts'
import { mergeHeaders } from './internal/headers.ts'
import { createDefaultLogger } from './internal/logger.ts'
import { assertRegion } from './internal/region.ts'
import { systemClock } from './internal/signal.ts'
import { decodeJson } from './transport/decode-response.ts'
import { decodeStream } from './transport/decode-stream.ts'
import { encodeRequest } from './transport/encode-request.ts'
import { createEndpointResolver, type EndpointResolver } from './transport/endpoint.ts'
import { exchange, identify, type Wire } from './transport/exchange.ts'
import { createRetryPolicy } from './transport/retry.ts'
import { createSignedFetch } from './transport/signed-fetch.ts'
import type {
  BedrockFetch,
  BedrockRequest,
  BedrockResponse,
  Clock,
  CredentialProvider,
  Dispatch,
  EndpointOptions,
  Identity,
  Logger,
  Middleware,
  MiddlewareContext,
  ModelRef,
  ModelResolutionContext,
  ModelResolver,
  Next,
  Operation,
  RetryOptions,
  Timeouts,
} from './types.ts'

/** Options of a client that both doors share. */
export interface EngineOptions {
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
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** How failed calls are repeated; `false` makes one attempt. */
  readonly retry?: RetryOptions | false | undefined
  /** Deadlines in milliseconds. */
  readonly timeout?: Timeouts | undefined
  /** Sends HTTP requests. @default the global `fetch`, looked up at every call */
  readonly fetch?: typeof fetch | undefined
  /** Hears what goes on. @default silent; `OUTCROP_LOG=debug` writes to stderr */
  readonly logger?: Logger | undefined
  /** Time, for tests. @default the real time */
  readonly clock?: Clock | undefined
  /** Numbers from 0 up to 1 that spread retries, for tests. @default Math.random */
  readonly random?: (() => number) | undefined
}

/** What a door puts into the engine. */
export interface EngineParts {
  readonly resolver: ModelResolver
  /** Runs inside the caller's own middleware. */
  readonly middleware?: readonly Middleware[]
  readonly defaultCredentials: CredentialProvider
  /** The region of the profile in use, where there are profiles. */
  readonly profileRegion?: () => Promise<string | undefined>
  /** What to do about an error. */
  readonly hint?: (error: BedrockError, facts: HintFacts) => string | undefined
}

/** What is known when something goes wrong. */
export interface HintFacts {
  readonly operation: Operation
  readonly model: ModelRef
  readonly region: string
  readonly identity: Identity | undefined
  readonly now: number
}

/** The machinery behind a client: one logical call in, one response out. */
export interface Engine {
  readonly dispatch: Dispatch
  readonly fetch: BedrockFetch
  readonly resolve: (model: string) => Promise<ModelRef>
  readonly region: () => Promise<string>
  /** What a resolver may use. */
  readonly resolutionContext: (signal?: AbortSignal) => Promise<ModelResolutionContext>
  readonly endpoint: EndpointResolver
  readonly wire: Wire
  readonly parts: EngineParts
}

/** What a client made by `withOptions` takes over from the one it was made of. */
export interface Inheritance {
  readonly credentials?: Wire['credentials'] | undefined
  readonly endpoint?: EndpointResolver | undefined
  readonly skew?: Wire['skew'] | undefined
}

/** @throws ConfigurationError for options that can never work. */
export function createEngine(options: EngineOptions, parts: EngineParts, inherited: Inheritance = {}): Engine {
  const { middleware = [], timeout = {}, clock = systemClock, logger = createDefaultLogger() } = options
  validate(options)
  const clientHeaders = mergeHeaders(options.headers)
  const endpoint = inherited.endpoint ?? createEndpointResolver(options.endpoint)
  const wire: Wire = {
    // An arrow, so that nobody calls the platform's own as a method: workerd refuses a foreign `this`.
    fetch: (input, init) => (options.fetch ?? globalThis.fetch)(input, init),
    clock,
    random: options.random ?? Math.random,
    logger,
    credentials: inherited.credentials ?? providerOf(options.credentials, parts),
    skew: inherited.skew ?? { milliseconds: 0 },
  }

  const region = async (): Promise<string> => {
    const value = options.region ?? env('AWS_REGION') ?? env('AWS_DEFAULT_REGION') ?? (await parts.profileRegion?.())
    if (value === undefined) {
      throw new ConfigurationError('No AWS region is set', {
        hint: 'Pass `region` to createBedrockClient, or set AWS_REGION or AWS_DEFAULT_REGION; on Node the region of the AWS profile counts too.',
      })
    }
    return assertRegion(value)
  }

  const signedFetch = createSignedFetch({ wire, endpoint, region, headers: clientHeaders, timeout })

  const resolutionContext = async (signal?: AbortSignal): Promise<ModelResolutionContext> => ({
    region: await region(),
    fetch: signedFetch,
    scope: typeof wire.credentials === 'function' ? wire.credentials : undefined,
    logger,
    signal,
  })

  const contextOf = async (
    { model: name, options: call, signal }: BedrockRequest,
    inner: readonly Middleware[],
  ): Promise<MiddlewareContext> => {
    const context = await resolutionContext(signal)
    const model = typeof name === 'string' ? await parts.resolver.resolve(name, context) : name
    const target = model.region ?? context.region
    return {
      model,
      region: target,
      get endpoint() {
        return endpoint('bedrock-runtime', target)
      },
      timeout: { ...timeout, ...call.timeout },
      inner,
      identity: () => identify(wire, { region: target }, signal),
      logger,
      clock,
      fetch: (path, init) => signedFetch(path, { region: target, ...init }),
    }
  }

  const send = async (request: BedrockRequest, { model, region, timeout }: MiddlewareContext): ReturnType<Next> => {
    const { operation, options: call } = request
    const isStream = operation === 'InvokeModelWithResponseStream'
    let identity: Identity | undefined
    const annotate = (error: unknown): void => {
      if (!isBedrockError(error) || error.hint !== undefined) return
      const hint = parts.hint?.(error, { operation, model, region, identity, now: clock.now() })
      if (hint !== undefined) error.hint = hint
    }
    try {
      const encoded = encodeRequest(
        { ...request, headers: mergeHeaders(request.headers) },
        model,
        endpoint('bedrock-runtime', region),
      )
      const facts = { model, clock, started: clock.now(), annotate }
      return await exchange(
        wire,
        {
          request: encoded,
          region,
          isStream,
          signal: request.signal,
          timeout,
          retry:
            call.retry === undefined ? options.retry : call.retry && { ...(options.retry || undefined), ...call.retry },
          onIdentity: (used) => {
            identity = used
          },
        },
        (arrival) => (isStream ? decodeStream(arrival, facts) : decodeJson(arrival, facts)),
      )
    } catch (error) {
      annotate(error)
      throw error
    }
  }

  const chain = compose([...middleware, ...(parts.middleware ?? [])], contextOf, send)
  return {
    dispatch: async (type, request) => {
      const { options } = request
      const headers = mergeHeaders(clientHeaders, options.headers)
      const response = await chain({ signal: options.signal, ...request, headers })
      if (response.type !== type) {
        throw new ConfigurationError(
          `A middleware answered ${request.operation} with a response of type ${response.type}, where ${type} was asked for`,
        )
      }
      return response as BedrockResponse & { type: typeof type }
    },
    fetch: signedFetch,
    resolve: async (model) =>
      (await contextOf({ model, operation: 'InvokeModel', body: {}, headers: {}, options: {} }, [])).model,
    region,
    resolutionContext,
    endpoint,
    wire,
    parts,
  }
}

/** What a changed client can go on using of this engine. */
export function inherit({ wire, endpoint }: Engine, changes: EngineOptions): Inheritance {
  return {
    credentials: changes.credentials === undefined ? wire.credentials : undefined,
    endpoint: changes.endpoint === undefined ? endpoint : undefined,
    skew: wire.skew,
  }
}

/** Lays changes over options; headers by name. */
export function mergeOptions<Options extends EngineOptions>(options: Options, changes: Options): Options {
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as Options
  return { ...options, ...given, headers: { ...options.headers, ...changes.headers } }
}

function providerOf(
  credentials: EngineOptions['credentials'],
  { defaultCredentials }: EngineParts,
): CredentialProvider | 'none' {
  if (credentials === undefined) return defaultCredentials
  if (credentials === 'none') return 'none'
  if (typeof credentials === 'function') return cached(credentials)
  if (!isWholeIdentity(credentials)) {
    throw new ConfigurationError('credentials is neither a pair of AWS keys nor a Bedrock API key', {
      hint: "Give { accessKeyId, secretAccessKey, sessionToken? }, { token }, a provider function, or 'none'.",
    })
  }
  return async () => credentials
}

function validate({ region, retry, timeout = {} }: EngineOptions): void {
  if (region !== undefined) assertRegion(region)
  createRetryPolicy(retry)
  for (const [phase, milliseconds] of Object.entries(timeout)) {
    if (milliseconds !== undefined && !(milliseconds >= 0))
      throw new ConfigurationError(`timeout.${phase} must be 0 or more milliseconds`)
  }
}
