import { assertOptions } from './internal/assert-options.ts'
import { type ClientContext, createClientContext, type InheritedState, inheritState } from './client-context.ts'
import { createDispatch, resolveModel } from './dispatch.ts'
import { ModelResolutionError } from './errors.ts'
import { cached } from './internal/cached-provider.ts'
import { environmentIdentity } from './internal/environment-identity.ts'
import { partitionOf } from './internal/partitions.ts'
import { remember } from './internal/remember.ts'
import { parseModelId } from './model-id.ts'
import { assertModel } from './messages/body.ts'
import { createMessages, type Messages } from './messages/messages.ts'
import { type ClientOptions, clientOptionNames, mergeOptions } from './options.ts'
import type { BedrockFetch, CallOptions, JsonObject, ModelRef, ModelResolver, ResponseMetadata } from './types.ts'

/** A call to any model, with the provider's own body. */
export interface InvokeRequest {
  readonly model: string | ModelRef
  readonly body: JsonObject
}

/** A complete response. */
export interface InvokeResult {
  readonly body: JsonObject
  readonly metadata: ResponseMetadata
}

/** A streamed response that has begun. */
export interface InvokeStreamResult {
  /** Each chunk's JSON, in order. Rejects if the stream fails. Can be iterated once. */
  readonly events: AsyncIterable<JsonObject>
  /** `usage` and `latency` are complete when `events` has ended. */
  readonly metadata: ResponseMetadata
}

/** The methods of every client. */
export interface CoreClient {
  /** The Anthropic Messages API on Bedrock. */
  readonly messages: Messages
  readonly models: {
    /** Returns the model that a name stands for. @throws ModelResolutionError */
    resolve(name: string): Promise<ModelRef>
  }
  /**
   * Calls any model with its provider's own JSON (InvokeModel).
   *
   * @example
   * ```ts
   * const { body } = await bedrock.invoke({ model: 'amazon.nova-lite-v1:0', body: { messages } })
   * ```
   * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
   */
  invoke(request: InvokeRequest, options?: CallOptions): Promise<InvokeResult>
  /**
   * Calls any model and streams its answer (InvokeModelWithResponseStream). Resolves once the response has begun.
   *
   * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
   */
  invokeStream(request: InvokeRequest, options?: CallOptions): Promise<InvokeStreamResult>
  /** Sends one signed request to Bedrock's runtime or control host. */
  readonly fetch: BedrockFetch
}

/** Options of the core's client. */
export interface CoreClientOptions extends ClientOptions {
  /** Resolves model names. @default accepts only full IDs and ARNs */
  readonly models?: ModelResolver | undefined
}

/** The core's client: no catalog, no hints. */
export interface BedrockCoreClient extends CoreClient {
  /**
   * Creates a client with other options, which shares identities and caches with this one. `headers` are merged by
   * name.
   */
  withOptions(options: CoreClientOptions): BedrockCoreClient
}

/**
 * Creates a client with only the thin core: full model IDs, and modules of your choice.
 *
 * @example
 * ```ts
 * import { createBedrockClient } from 'outcrop/core'
 *
 * const bedrock = createBedrockClient({ region: 'us-east-1', credentials: { token } })
 * const stream = bedrock.messages.stream({ model: 'us.anthropic.claude-sonnet-4-6', max_tokens: 1024, messages })
 * for await (const text of stream.textStream) write(text)
 * ```
 * @throws ConfigurationError for invalid options.
 */
export function createBedrockClient(options: CoreClientOptions = {}): BedrockCoreClient {
  return build(options)
}

function build(options: CoreClientOptions, inherited?: InheritedState): BedrockCoreClient {
  const context = createClientContext(
    options,
    {
      optionNames: `${clientOptionNames} models`,
      resolver: options.models ?? fullIdResolver,
      credentials: cached(async () => environmentIdentity(options.env)),
    },
    inherited,
  )
  return {
    ...createOperations(context),
    withOptions: (changes) => build(mergeOptions(options, changes), inheritState(context, changes)),
  }
}

/** Creates the methods that every client has. */
export function createOperations(context: ClientContext): CoreClient {
  const dispatch = createDispatch(context)
  return {
    messages: createMessages(dispatch),
    models: { resolve: (name) => resolveModel(context, name) },
    invoke: async (request, options = {}) => {
      const { model, body: sent } = assertInvokeRequest(request)
      const { body, metadata } = await dispatch('json', { operation: 'InvokeModel', model, body: sent, options })
      return { body, metadata }
    },
    invokeStream: async (request, options = {}) => {
      const { model, body } = assertInvokeRequest(request)
      const operation = 'InvokeModelWithResponseStream'
      const { events, metadata } = await dispatch('stream', { operation, model, body, options })
      return { events, metadata }
    },
    fetch: context.fetch,
  }
}

function assertInvokeRequest(request: InvokeRequest): InvokeRequest {
  assertOptions(request, 'request', 'model body')
  assertModel(request.model)
  return request
}

const known = new Map<string, ModelRef>()

const fullIdResolver: ModelResolver = {
  resolve: (name, { region }) => remember(known, `${region} ${name}`, () => refOf(name, region)),
}

/** Accepts full IDs and ARNs. An ARN's own Region and partition count. */
function refOf(id: string, clientRegion: string): ModelRef {
  const { kind, base, family, version, geo, partition, region = clientRegion } = parseModelId(id)
  if (kind === 'name') {
    throw new ModelResolutionError(`${JSON.stringify(id.slice(0, 100))} is not a full model ID`, {
      hint: "Use a model ID, inference profile ID or well-formed ARN; names like 'sonnet' need `outcrop` or a resolver in `models`.",
    })
  }
  return { id, base, family, version, geo, region, partition: partition ?? partitionOf(region).id, source: 'explicit' }
}
