import { type CoreClient, createOperations } from './core/client.ts'
import { createClientContext, type ErrorContext, type InheritedState, inheritState } from './core/client-context.ts'
import { type BedrockError, isBedrockError } from './core/errors.ts'
import { describeIdentitySource } from './core/internal/identity-source.ts'
import { type ClientOptions, clientOptionNames, mergeOptions } from './core/options.ts'
import type { Middleware, ModelResolver } from './core/types.ts'
import { compatibility, type CompatibilityOptions } from './compatibility/compatibility.ts'
import { type CredentialsExplanation, explainCredentials } from './credentials/explain.ts'
import { describeBedrockApiKey } from './credentials/bedrock-api-key.ts'
import { guardrailHeaders } from './guardrails/guard-call.ts'
import { hintFor } from './hints/hint-for.ts'
import { autoProfile } from './models/auto-profile.ts'
import type { InferenceProfile } from './models/discovery.ts'
import { explainByResolver, type ModelExplanation } from './models/explanation.ts'
import { profileFor } from './models/geography.ts'
import { type CatalogModelResolver, createModelResolver } from './models/resolver.ts'
import type { ModelResolverOptions } from './models/resolver-options.ts'
import { requestHeaders } from './usage/request-headers.ts'
import { credentialChain, defaultCredentials, profileRegion } from '#default-credentials'

/** Options of {@link createBedrockClient}. */
export interface BedrockClientOptions extends ClientOptions {
  /** How model names resolve: options of the built-in resolver, or your own resolver. */
  readonly models?: ModelResolver | ModelResolverOptions | undefined
  /** How bodies are adapted to the model; `false` sends them unchanged. @default { policy: 'adapt' } */
  readonly compatibility?: CompatibilityOptions | false | undefined
}

/** A client of Amazon Bedrock. */
export interface BedrockClient extends CoreClient {
  readonly models: CoreClient['models'] & {
    /** Lists the inference profiles that can be called: the account's with `discovery`, else the catalog's. */
    list(): Promise<readonly InferenceProfile[]>
    /** Explains step by step how a name resolves: as data, and with `toString()` as text. */
    explain(name: string): Promise<ModelExplanation>
  }
  /**
   * Explains where the credentials come from, and which settings are ignored: as data, and with `toString()` as text.
   */
  explain(): Promise<CredentialsExplanation>
  /**
   * Creates a client with other options, which shares identities and caches with this one. `headers` are merged by
   * name.
   */
  withOptions(options: BedrockClientOptions): BedrockClient
}

/**
 * Creates a client for Claude on Amazon Bedrock. Every option is optional.
 *
 * @example
 * ```ts
 * import { createBedrockClient } from 'outcrop'
 *
 * const bedrock = createBedrockClient({ region: 'us-east-1' })
 * const message = await bedrock.messages.create({
 *   model: 'sonnet',
 *   max_tokens: 1024,
 *   messages: [{ role: 'user', content: 'Hello!' }],
 * })
 * ```
 * @throws ConfigurationError for invalid options. Errors that only a call can detect, such as a missing Region, reject
 *   the call.
 */
export function createBedrockClient(options: BedrockClientOptions = {}): BedrockClient {
  return build(options)
}

/** The state that a client made by `withOptions` shares, including what was learned about models. */
interface Inherited extends InheritedState {
  readonly resolver?: ModelResolver | undefined
  readonly middleware?: readonly Middleware[] | undefined
}

function build(options: BedrockClientOptions, inherited?: Inherited): BedrockClient {
  const { models = {}, clock, env } = options
  const resolver = inherited?.resolver ?? ('resolve' in models ? models : createModelResolver({ clock, ...models }))
  const middleware = inherited?.middleware ?? builtIn(resolver, options.compatibility)
  const context = createClientContext(
    options,
    {
      optionNames: `${clientOptionNames} models compatibility`,
      resolver,
      middleware,
      credentials: defaultCredentials(env),
      profileRegion: () => profileRegion(env),
      hint: (error, known) => hint(error, known, resolver),
    },
    inherited,
  )
  const operations = createOperations(context)
  const catalogResolver = isCatalogResolver(resolver)
    ? resolver
    : { ...createModelResolver(), explain: explainByResolver(resolver) }
  return {
    ...operations,
    models: {
      ...operations.models,
      list: async () => catalogResolver.list(context.resolutionContext(await context.region())),
      explain: async (name) => catalogResolver.explain(name, context.resolutionContext(await context.region())),
    },
    explain: async () => {
      const { credentials } = options
      const { fetch } = context.transport.network
      const region = await context.region()
      return explainCredentials({ credentials, region, fetch, clock, env, chain: credentialChain?.({ env }) })
    },
    withOptions: (changes) => {
      const isSameResolver = changes.models === undefined
      return build(mergeOptions(options, changes), {
        ...inheritState(context, changes),
        ...(isSameResolver && { resolver }),
        ...(isSameResolver && changes.compatibility === undefined && { middleware }),
      })
    },
  }
}

function builtIn(resolver: ModelResolver, fit: CompatibilityOptions | false | undefined): readonly Middleware[] {
  return [
    ...(isCatalogResolver(resolver) && resolver.options.autoProfile ? [autoProfile(resolver)] : []),
    ...(fit === false ? [] : [compatibility(fit)]),
    requestHeaders,
    guardrailHeaders,
  ]
}

function isCatalogResolver(resolver: ModelResolver): resolver is CatalogModelResolver {
  return 'profileFor' in resolver
}

function hint(
  error: BedrockError,
  { model, region, identity }: ErrorContext,
  resolver: ModelResolver,
): string | undefined {
  if (!isBedrockError(error, 'service') && !isBedrockError(error, 'stream_exception')) return undefined
  const { source } = identity ?? {}
  return hintFor(error, {
    model: model.id,
    region,
    source: source ? describeIdentitySource(source) : "the client's options",
    command: source?.command,
    profile: profileFor(model.base, region, isCatalogResolver(resolver) ? resolver.options : {}),
    apiKey: identity && 'token' in identity ? describeBedrockApiKey(identity.token) : undefined,
  })
}
