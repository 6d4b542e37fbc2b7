import { type CoreClient, createSurface } from './core/client.ts'
import {
  createEngine,
  type EngineOptions,
  type HintFacts,
  type Inheritance,
  inherit,
  mergeOptions,
} from './core/engine.ts'
import { type BedrockError, isBedrockError } from './core/errors.ts'
import { describeIdentitySource } from './core/internal/identity-source.ts'
import type { Middleware, ModelResolver } from './core/types.ts'
import { compatibility, type CompatibilityOptions } from './compatibility/compatibility.ts'
import { type CredentialsExplanation, explainCredentials } from './credentials/explain.ts'
import { describeBedrockApiKey } from './credentials/bedrock-api-key.ts'
import { guardrailHeaders } from './guardrails/guardrails.ts'
import { hintFor } from './hints/hint-for.ts'
import { autoProfile } from './models/auto-profile.ts'
import type { InferenceProfile } from './models/discovery.ts'
import type { ModelExplanation } from './models/explanation.ts'
import { profileFor } from './models/geography.ts'
import { type CatalogModelResolver, createModelResolver, type ModelResolverOptions } from './models/resolver.ts'
import { requestHeaders } from './usage/request-headers.ts'
import { credentialChain, defaultCredentials, profileRegion } from '#default-credentials'

/** Options of {@link createBedrockClient}. */
export interface BedrockClientOptions extends EngineOptions {
  /** How names become models: options of the built-in resolver, or a resolver of your own. */
  readonly models?: ModelResolver | ModelResolverOptions | undefined
  /** How bodies are made to fit the model; `false` leaves them as they are. @default { policy: 'adapt' } */
  readonly compatibility?: CompatibilityOptions | false | undefined
}

/** A client of Amazon Bedrock. */
export interface BedrockClient extends CoreClient {
  readonly models: CoreClient['models'] & {
    /** The inference profiles that can be called: the account's with `discovery`, else those that the catalog knows. */
    list(): Promise<readonly InferenceProfile[]>
    /** How a name resolves, step by step: as data, and with `toString()` as text. */
    explain(name: string): Promise<ModelExplanation>
  }
  /** Where the credentials come from, and what is set and passed over: as data, and with `toString()` as text. */
  explain(): Promise<CredentialsExplanation>
  /** A client with other options, which shares identities and caches with this one. `headers` are merged by name. */
  withOptions(options: BedrockClientOptions): BedrockClient
}

/**
 * Makes a client of Claude on Amazon Bedrock. Every option may be left out.
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
 * @throws ConfigurationError for options that can never work. What only a call can tell, such as a missing region,
 *   rejects the call.
 */
export function createBedrockClient(options: BedrockClientOptions = {}): BedrockClient {
  return build(options)
}

function build(
  options: BedrockClientOptions,
  inherited?: Inheritance & { readonly resolver?: ModelResolver | undefined },
): BedrockClient {
  const { models = {} } = options
  const resolver =
    inherited?.resolver ?? ('resolve' in models ? models : createModelResolver({ clock: options.clock, ...models }))
  const engine = createEngine(
    options,
    {
      resolver,
      middleware: builtIn(resolver, options.compatibility),
      defaultCredentials: defaultCredentials(),
      profileRegion,
      hint: (error, facts) => hint(error, facts, resolver),
    },
    inherited,
  )
  const surface = createSurface(engine)
  const catalogResolver = isCatalogResolver(resolver) ? resolver : createModelResolver()
  return {
    ...surface,
    models: {
      ...surface.models,
      list: async () => catalogResolver.list(await engine.resolutionContext()),
      explain: async (name) => catalogResolver.explain(name, await engine.resolutionContext()),
    },
    explain: async () => {
      const { credentials, fetch, clock } = options
      return explainCredentials({
        credentials,
        region: await engine.region(),
        fetch,
        clock,
        chain: credentialChain?.(),
      })
    },
    withOptions: (changes) =>
      build(mergeOptions(options, changes), {
        ...inherit(engine, changes),
        resolver: changes.models === undefined ? resolver : undefined,
      }),
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
  { model, region, identity }: HintFacts,
  resolver: ModelResolver,
): string | undefined {
  if (!isBedrockError(error, 'service') && !isBedrockError(error, 'stream_exception')) return undefined
  const { source } = identity ?? {}
  return hintFor(error, {
    model: model.id,
    region,
    source: source ? describeIdentitySource(source) : 'the client’s options',
    profile: profileFor(model.base, region, isCatalogResolver(resolver) ? resolver.options : {}),
    apiKey: identity && 'token' in identity ? describeBedrockApiKey(identity.token) : undefined,
  })
}
