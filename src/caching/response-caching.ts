import { ConfigurationError } from '../core/errors.ts'
import { localMetadata } from '../core/internal/local-metadata.ts'
import { isIoBoundToRequest } from '../core/internal/single-flight.ts'
import type {
  BedrockRequest,
  BedrockResponse,
  Clock,
  JsonObject,
  Logger,
  Middleware,
  MiddlewareContext,
  ResponseMetadata,
} from '../core/types.ts'
import { type CacheEntry, decodeEntry, encodeEntry } from './cache-entry.ts'
import { cacheKey } from './cache-key.ts'
import { type Flight, startFlight } from './flight.ts'
import type { ResponseStore } from './store.ts'

/** Options of {@link responseCaching}. */
export interface ResponseCachingOptions {
  readonly store: ResponseStore
  /** How long a response is good, in milliseconds. @default 3_600_000 (an hour) */
  readonly ttl?: number | undefined
  /** Keeps tenants, or versions of an app, apart in one store. @default '' */
  readonly namespace?: string | undefined
  /** Makes a key of your own; the default one is what your key should begin with. */
  readonly key?: ((request: BedrockRequest, defaultKey: string) => string | Promise<string>) | undefined
  /** Which calls are cached. A call's own `cache` option comes first. @default those with `temperature: 0` */
  readonly when?: ((request: BedrockRequest) => boolean) | undefined
  /** How long a call waits for the store, in milliseconds, before it goes on without. @default 150 */
  readonly storeTimeout?: number | undefined
  /** Keeps a Worker alive until a response is stored: `ctx.waitUntil.bind(ctx)`. */
  readonly waitUntil?: ((promise: Promise<unknown>) => void) | undefined
}

declare global {
  interface OutcropCallOptions {
    /** Whether the response cache has to do with this call: `false` passes by it, `true` uses it in any case. */
    readonly cache?: boolean | { readonly ttl?: number | undefined } | undefined
  }
}

/**
 * Answers identical calls without Bedrock. Only whole, successful responses are kept, and none in which a guardrail
 * intervened; a stream is kept as its events and played back as a stream. Equal calls at the same time are one call of
 * Bedrock, each caller with a stream of their own. `metadata.cache` tells what became of a call.
 *
 * A key is the SHA-256 of the operation, the model's invoke ID, the body, the headers that change an answer, the call's
 * guardrail and the namespace; never of credentials. Put it behind `guardrails(…)` in `middleware`, so that it sees
 * what they add. A store that is slow or down costs a call `storeTimeout` at most, and never fails it.
 *
 * @example
 * ```ts
 * const caching = responseCaching({ store: memoryStore(), ttl: 600_000 })
 * const bedrock = createBedrockClient({ region, middleware: [caching] })
 * const message = await bedrock.messages.create({ ...params, temperature: 0 })
 * message.metadata.cache // { status: 'miss' }, and the next time { status: 'hit', age: 1200 }
 * ```
 * @throws ConfigurationError for options that make no sense.
 */
export function responseCaching(options: ResponseCachingOptions): Middleware {
  const {
    store,
    ttl = 3_600_000,
    namespace = '',
    key: keyOf,
    when = isDeterministic,
    storeTimeout = 150,
    waitUntil,
  } = options
  if (typeof store?.get !== 'function' || typeof store.set !== 'function')
    throw new ConfigurationError('responseCaching needs a store', {
      hint: 'Give memoryStore(), unstorageStore(…) or webCacheStore(…).',
    })
  if (!(ttl > 0) || !(storeTimeout > 0))
    throw new ConfigurationError('ttl and storeTimeout must be positive numbers of milliseconds')
  const flights = new Map<string, Flight>()

  return async (request, next, context) => {
    const { model, clock, logger } = context
    const { cache } = request.options
    if (request.operation === 'CountTokens' || cache === false || !(cache || when(request))) {
      const response = await next(request)
      response.metadata.cache = { status: 'bypass' }
      return response
    }
    const defaultKey = await cacheKey(request, model, namespace)
    const key = keyOf ? await keyOf(request, defaultKey) : defaultKey
    // Where I/O is bound to a request, no other can read the stream, and nobody can be given the rest of one from elsewhere.
    const shared = isIoBoundToRequest() ? undefined : flights
    const joined = shared?.get(key)
    if (joined?.isOpen) return joined.join({ status: 'hit', age: 0 }, request.signal)

    const lifetime = (typeof cache === 'object' ? cache.ttl : undefined) ?? ttl
    const keep = (
      content: { readonly body: JsonObject } | { readonly events: readonly JsonObject[] },
      metadata: ResponseMetadata,
    ): void => {
      if (!isWorthKeeping(metadata, request)) return
      const writing = writeEntry(store, key, encodeEntry(content, metadata, clock.now(), lifetime), lifetime, logger)
      waitUntil?.(writing)
    }
    // Joined before the store is asked, so that equal calls ask it once.
    const flight = startFlight(
      async (signal) => {
        const started = clock.now()
        const entry = await readEntry(store, key, request, storeTimeout, context)
        if (entry) return replay(entry, context, started)
        return next({ ...request, signal })
      },
      (content, metadata) => {
        if (metadata.cache?.status !== 'hit') keep(content, metadata)
      },
      () => shared?.delete(key),
    )
    shared?.set(key, flight)
    return flight.join({ status: 'miss' }, request.signal)
  }
}

const isDeterministic = ({ body }: BedrockRequest): boolean => body.temperature === 0

// A response under a guardrail that the key knows nothing of would answer calls without it.
function isWorthKeeping({ guardrail, status }: ResponseMetadata, { headers, options, body }: BedrockRequest): boolean {
  if (status >= 300 || guardrail?.action === 'INTERVENED') return false
  const isInKey =
    'x-amzn-bedrock-guardrailidentifier' in headers ||
    (options as { guardrail?: unknown }).guardrail !== undefined ||
    'amazon-bedrock-guardrailConfig' in body
  return !guardrail || isInKey
}

async function readEntry(
  store: ResponseStore,
  key: string,
  { operation }: BedrockRequest,
  timeout: number,
  { clock, logger }: MiddlewareContext,
): Promise<CacheEntry | undefined> {
  try {
    const text = await withTimeout(store.get(key), timeout, clock)
    const type = operation === 'InvokeModelWithResponseStream' ? 'stream' : 'json'
    return text ? decodeEntry(text, type, clock.now()) : undefined
  } catch (error) {
    logger.warn(`The response cache cannot be read: ${(error as Error).message}`)
    return undefined
  }
}

async function writeEntry(
  store: ResponseStore,
  key: string,
  value: string,
  ttl: number,
  logger: Logger,
): Promise<void> {
  try {
    await store.set(key, value, { ttl })
  } catch (error) {
    logger.warn(`The response cache cannot be written: ${(error as Error).message}`)
  }
}

function withTimeout<T>(promise: Promise<T>, timeout: number, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(new Error(`no answer within ${timeout} ms`)), timeout)
    promise.then(resolve, reject).finally(() => clock.clearTimeout(timer))
  })
}

function replay(
  { body, events, usage, guardrail, stored }: CacheEntry,
  { model, clock }: MiddlewareContext,
  started: number,
): BedrockResponse {
  const metadata: ResponseMetadata = {
    ...localMetadata(model, usage, clock.now() - started),
    ...(guardrail && { guardrail }),
    cache: { status: 'hit', age: Math.max(0, clock.now() - stored) },
  }
  if (body) return { type: 'json', body, metadata }
  return { type: 'stream', events: iterate(events ?? []), metadata }
}

async function* iterate(events: readonly JsonObject[]): AsyncGenerator<JsonObject> {
  yield* events
}
