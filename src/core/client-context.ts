import { type BedrockError, ConfigurationError } from './errors.ts'
import { cached } from './internal/cached-provider.ts'
import { env } from './internal/env.ts'
import { mergeHeaders } from './internal/headers.ts'
import { assertIdentity, fixedIdentities } from './internal/identity.ts'
import { createLogger } from './internal/logger.ts'
import { assertRegion } from './internal/region.ts'
import { systemClock } from './internal/signal.ts'
import { assertClientOptions, type ClientOptions, clientOptionNames, listOf } from './options.ts'
import { createEndpointResolver, type EndpointResolver } from './transport/endpoint.ts'
import { createRetryBudget } from './transport/retry.ts'
import type { TransportState } from './transport/call.ts'
import { createSignedFetch } from './transport/signed-fetch.ts'
import type {
  BedrockFetch,
  CredentialProvider,
  Identity,
  Middleware,
  ModelRef,
  ModelResolutionContext,
  ModelResolver,
  Operation,
} from './types.ts'
import { openNetwork } from '#platform'

/** The differences between `outcrop` and `outcrop/core`. */
export interface ClientDefaults {
  /** The names of the known options, separated by spaces. @default those of {@link ClientOptions} */
  readonly optionNames?: string
  readonly resolver: ModelResolver
  /** Runs inside the caller's own middleware. */
  readonly middleware?: readonly Middleware[]
  readonly credentials: CredentialProvider
  /** Returns the Region of the profile in use, on platforms with profiles. */
  readonly profileRegion?: () => Promise<string | undefined>
  /** Returns the hint for an error. */
  readonly hint?: (error: BedrockError, context: ErrorContext) => string | undefined
}

/** The facts about a call for its error's hint. */
export interface ErrorContext {
  readonly operation: Operation
  readonly model: ModelRef
  readonly region: string
  readonly identity: Identity | undefined
  readonly now: number
}

/** The shared context of a client's operations. */
export interface ClientContext {
  readonly options: ClientOptions
  readonly headers: Readonly<Record<string, string>>
  /** The caller's own middleware, then the built-in. */
  readonly middleware: readonly Middleware[]
  readonly resolver: ModelResolver
  readonly endpoint: EndpointResolver
  readonly transport: TransportState
  readonly fetch: BedrockFetch
  readonly hint: ClientDefaults['hint']
  /** Returns the client's Region, which is looked up once. @throws ConfigurationError if there is none */
  readonly region: () => string | Promise<string>
  /** Returns the context for a model resolver. */
  readonly resolutionContext: (region: string, signal?: AbortSignal) => ModelResolutionContext
}

/** The state that a client made by `withOptions` shares with the original. */
export type InheritedState = Partial<Pick<TransportState, 'credentials' | 'skew' | 'retryBudget'>> & {
  readonly endpoint?: EndpointResolver | undefined
}

/** @throws ConfigurationError for invalid options. */
export function createClientContext(
  options: ClientOptions,
  defaults: ClientDefaults,
  inherited: InheritedState = {},
): ClientContext {
  assertClientOptions(options, defaults.optionNames ?? clientOptionNames)
  const { clock = systemClock, retryBudget, timeout = {} } = options
  const logger = createLogger(options.logger, options.env)
  const headers = mergeHeaders(options.headers)
  const endpoint = inherited.endpoint ?? createEndpointResolver(options.endpoint, options.env)
  const transport: TransportState = {
    network: openNetwork(options.fetch, options.env),
    clock,
    random: options.random ?? Math.random,
    logger,
    credentials: inherited.credentials ?? providerOf(options.credentials, defaults),
    skew: inherited.skew ?? { milliseconds: 0 },
    retryBudget: retryBudget === false ? undefined : (inherited.retryBudget ?? createRetryBudget(retryBudget)),
  }

  let found: string | undefined
  const region = (): string | Promise<string> =>
    found ??
    findRegion(options, defaults).then((region) => {
      found = assertRegion(region)
      return found
    })

  const fetch = createSignedFetch({ transport, endpoint, region, headers, timeout, retry: options.retry })
  return {
    options,
    headers,
    middleware: [...listOf(options.middleware), ...(defaults.middleware ?? [])],
    resolver: defaults.resolver,
    endpoint,
    transport,
    fetch,
    hint: defaults.hint,
    region,
    resolutionContext: (region, signal) => ({
      region,
      fetch,
      scope: typeof transport.credentials === 'function' ? transport.credentials : undefined,
      logger,
      signal,
    }),
  }
}

/** Returns the state that a client with changed options can share. */
export function inheritState({ transport, endpoint }: ClientContext, changes: ClientOptions): InheritedState {
  const { credentials, skew, retryBudget } = transport
  return {
    skew,
    ...(changes.credentials === undefined && changes.env === undefined && { credentials }),
    ...(changes.endpoint === undefined && changes.env === undefined && { endpoint }),
    ...(changes.retryBudget === undefined && { retryBudget }),
  }
}

async function findRegion({ region, env: from }: ClientOptions, { profileRegion }: ClientDefaults): Promise<string> {
  const found = region ?? env('AWS_REGION', from) ?? env('AWS_DEFAULT_REGION', from) ?? (await profileRegion?.())
  if (found !== undefined) return found
  throw new ConfigurationError('No AWS Region is set', {
    hint: 'Pass `region`, or set AWS_REGION, AWS_DEFAULT_REGION or, on Node, a Region in the AWS profile.',
  })
}

function providerOf(credentials: ClientOptions['credentials'], defaults: ClientDefaults): CredentialProvider | 'none' {
  if (credentials === undefined) return defaults.credentials
  if (credentials === 'none') return 'none'
  if (typeof credentials === 'function') return cached(credentials)
  const identity = assertIdentity(credentials, 'credentials', ConfigurationError)
  const provider = async (): Promise<Identity> => identity
  fixedIdentities.set(provider, identity)
  return provider
}
