import type { ClientContext } from './client-context.ts'
import { ConfigurationError, enrich, isBedrockError } from './errors.ts'
import { mergeHeaders } from './internal/headers.ts'
import { keepOne } from './internal/keep.ts'
import { silent } from './internal/logger.ts'
import { operations } from './internal/operations.ts'
import { describeOutcome } from './internal/outcome.ts'
import { CallScope, raceSignal } from './internal/signal.ts'
import { nameWaitingCode } from './internal/waiting-code.ts'
import { assertModel } from './messages/body.ts'
import { assertCallOptions } from './options.ts'
import { decodeJson } from './transport/decode-response.ts'
import { decodeStream } from './transport/decode-stream.ts'
import { encodeRequest } from './transport/encode-request.ts'
import { identify } from './transport/identify.ts'
import { mergeRetry } from './transport/retry.ts'
import { send } from './transport/send.ts'
import type {
  BedrockFetch,
  BedrockRequest,
  BedrockResponse,
  Clock,
  Dispatch,
  Environment,
  Identity,
  Logger,
  Middleware,
  MiddlewareContext,
  ModelRef,
  Next,
  ResponseMetadata,
  RetryOptions,
  Timeouts,
} from './types.ts'

/** Creates the function that all of a client's operations go through: its middleware, then the HTTP call. */
export function createDispatch(client: ClientContext): Dispatch {
  keepOne(CallScope)
  keepOne(RequestContext, { transport: {}, options: {} })
  return async (type, request) => {
    const { options } = request
    assertCallOptions(options)
    const headers = mergeHeaders(client.headers, options.headers)
    let response: BedrockResponse
    try {
      response = await handle(client, 0, { signal: options.signal, ...request, headers })
    } catch (error) {
      nameWaitingCode(error)
      throw error
    }
    if (response.type !== type) {
      throw new ConfigurationError(`A middleware answered ${request.operation} with type ${response.type}, not ${type}`)
    }
    return response as BedrockResponse & { type: typeof type }
  }
}

/** Returns the model that a name stands for. @throws ModelResolutionError */
export async function resolveModel(
  client: ClientContext,
  model: string | ModelRef,
  signal?: AbortSignal,
  region?: string,
): Promise<ModelRef> {
  const found =
    typeof model === 'string'
      ? await client.resolver.resolve(model, client.resolutionContext(region ?? (await client.region()), signal))
      : model
  // In plain JavaScript, resolvers and middleware may return anything.
  assertModel(found)
  return found
}

/** Passes a request to the middleware at `index`, or to Bedrock after the last one. */
async function handle(
  client: ClientContext,
  index: number,
  request: BedrockRequest,
  outer?: MiddlewareContext,
): Promise<BedrockResponse> {
  // The model is resolved once. Only if a middleware asks for another one do inner ones see another.
  const model = request.model === outer?.model ? outer.model : await resolveModel(client, request.model, request.signal)
  const resolved = request.model === model ? request : { ...request, model }
  const region = model === outer?.model ? outer.region : (model.region ?? (await client.region()))
  const context = new RequestContext(client, index, resolved, model, region)
  const layer = client.middleware[index]
  // Not without `await`: to take over another promise costs an async function twice as much.
  return await (layer
    ? layer(resolved, (inner) => handle(client, index + 1, inner, context), context)
    : call(client, resolved, context))
}

/** The context of a middleware. Rarely used members are computed on demand. */
class RequestContext implements MiddlewareContext {
  readonly model: ModelRef
  readonly region: string
  readonly logger: Logger
  readonly clock: Clock
  readonly env: Environment | undefined
  readonly #client: ClientContext
  readonly #index: number
  readonly #request: BedrockRequest

  constructor(client: ClientContext, index: number, request: BedrockRequest, model: ModelRef, region: string) {
    this.model = model
    this.region = region
    this.logger = client.transport.logger
    this.clock = client.transport.clock
    this.env = client.options.env
    this.#client = client
    this.#index = index
    this.#request = request
  }

  get fetch(): BedrockFetch {
    return (path, init) => this.#client.fetch(path, { region: this.region, ...init })
  }

  get endpoint(): string {
    return this.#client.endpoint('bedrock-runtime', this.region)
  }

  get timeout(): Timeouts {
    return { ...this.#client.options.timeout, ...this.#request.options.timeout }
  }

  get retry(): RetryOptions | false | undefined {
    return mergeRetry(this.#client.options.retry, this.#request.options.retry)
  }

  get resolve(): MiddlewareContext['resolve'] {
    return (name, region) => resolveModel(this.#client, name, this.#request.signal, region)
  }

  get inner(): readonly Middleware[] {
    return this.#client.middleware.slice(this.#index + 1)
  }

  get identity(): () => Promise<Identity | undefined> {
    const { signal } = this.#request
    return () => raceSignal(Promise.resolve(identify(this.#client.transport, this.region, signal)), signal)
  }
}

/** Calls Bedrock. */
async function call(
  { endpoint, hint, transport }: ClientContext,
  request: BedrockRequest,
  { model, region, retry, timeout }: MiddlewareContext,
): ReturnType<Next> {
  const { operation, signal } = request
  const { clock, logger } = transport
  const started = clock.now()
  let identity: Identity | undefined
  const ended = (metadata?: ResponseMetadata, error: unknown = signal?.reason): void => {
    const now = clock.now()
    if (isBedrockError(error) && error.hint === undefined)
      enrich(error, { hint: hint?.(error, { operation, model, region, identity, now }) })
    if (logger.info !== silent)
      logger.info(`${operation} ${model.id}${describeOutcome(error, metadata, now - started)}`)
  }
  const headers = mergeHeaders(request.headers)
  const encoded = encodeRequest({ ...request, headers }, model, endpoint('bedrock-runtime', region))
  const isStream = operations[operation].answers === 'stream'
  const context = { model, clock, started, ended }
  try {
    const response = await send(
      transport,
      {
        request: encoded,
        region,
        isStream,
        signal,
        timeout,
        retry,
        onRetry: request.options.onRetry,
        onIdentity: (used) => {
          identity = used
        },
      },
      (incoming) => (isStream ? decodeStream(incoming, context) : decodeJson(incoming, context)),
    )
    if (!isStream) ended(response.metadata)
    return response
  } catch (error) {
    ended(undefined, error)
    throw error
  }
}
