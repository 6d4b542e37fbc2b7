import { assertOptions } from '../core/internal/assert-options.ts'
import { ConfigurationError } from '../core/errors.ts'
import { isGuarded, isGuardrail } from '../core/internal/guardrail.ts'
import { encodeJson, isJsonObject } from '../core/internal/json.ts'
import { localMetadata } from '../core/internal/local-metadata.ts'
import { raceSignal } from '../core/internal/signal.ts'
import { isIoBoundToRequest } from '../core/internal/single-flight.ts'
import { operations } from '../core/internal/operations.ts'
import type {
  BedrockRequest,
  BedrockResponse,
  JsonObject,
  Middleware,
  MiddlewareContext,
  Next,
  ResponseMetadata,
} from '../core/types.ts'
import { type CacheEntry, entryOf, isWhole } from './cache-entry.ts'
import { type CacheScope, cacheKey } from './cache-key.ts'
import { openCaller } from './caller.ts'
import { createEntryStore } from './entry-store.ts'
import { type SharedResponse, shareResponse } from './shared-response.ts'
import type { ResponseStore } from './store.ts'

/** Options of {@link responseCaching}. */
export interface ResponseCachingOptions {
  readonly store: ResponseStore
  /** How long a response is good, in milliseconds. @default 3_600_000 (an hour) */
  readonly ttl?: number | undefined
  /** Keeps apps, or versions of one, apart in one store. @default '' */
  readonly namespace?: string | undefined
  /**
   * Who shares answers. `'identity'`: calls with the same access key or API key. `'account'`: all keys of one AWS
   * account, also when temporary ones are replaced; the credentials must name it. `'store'`: all who use the store and
   * the namespace, with any identity.
   *
   * An API key, and headers that carry credentials, are secrets whose hash leaves no process: under `'identity'` and
   * `'account'` such answers are shared within one process only.
   *
   * @default 'identity'
   */
  readonly scope?: CacheScope | undefined
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
 * Bedrock, each caller with a stream and a deadline of their own. `metadata.cache` tells what became of a call.
 *
 * A key is the SHA-256 of all that an answer may depend on: operation, model, region, endpoint, body, options, headers,
 * and who is asking. Put it behind `guardrails(…)` in `middleware`: in front of it nothing is cached, as the key would
 * not know what is added later. A store that is slow or down costs a call `storeTimeout` at most, and never fails it.
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
  assertOptions(options, '', 'store ttl namespace scope key when storeTimeout waitUntil')
  const { namespace = '', scope = 'identity', key: keyOf, when = isDeterministic } = options
  const { ttl: defaultTtl = 3_600_000, storeTimeout = 150 } = options
  assertMilliseconds('ttl', defaultTtl)
  // Beyond 2^31 - 1 ms, timers fire at once.
  assertMilliseconds('storeTimeout', storeTimeout, 2_147_483_647)
  if (!['identity', 'account', 'store'].includes(scope))
    throw new ConfigurationError("scope must be 'identity', 'account' or 'store'")
  const entries = createEntryStore({ ...options, storeTimeout })
  const inflight = new Map<string, SharedResponse>()
  let hasWarned = false

  return async function responseCaching(request, next, context) {
    const { operation, options } = request
    const { cache } = options
    if (!operations[operation].generates || cache === false || !(cache || when(request))) return bypass(request, next)
    if (context.inner.some(isGuardrail)) {
      if (!hasWarned) context.logger.warn('Nothing is cached: put responseCaching after guardrails in `middleware`')
      hasWarned = true
      return bypass(request, next)
    }
    if (typeof cache === 'object') assertOptions(cache, 'cache', 'ttl')
    const ttl = (typeof cache === 'object' ? cache.ttl : undefined) ?? defaultTtl
    assertMilliseconds('cache.ttl', ttl)
    // What is sent is what the key was made of, also where the caller changes the body meanwhile.
    const body = JSON.parse(encodeJson(request.body)) as JsonObject
    const makeKey = async (): Promise<string> => {
      const defaultKey = await cacheKey(request, body, context, { namespace, scope })
      const key = keyOf ? await keyOf(request, defaultKey) : defaultKey
      if (typeof key !== 'string' || !key) throw new ConfigurationError('key must return a non-empty string')
      return key
    }
    const caller = openCaller(request.signal, context)
    try {
      const key = await raceSignal(makeKey(), caller.signal)
      const inflightKey = inflightKeyOf(key, request, context)
      const equal = inflightKey === undefined ? undefined : inflight.get(inflightKey)
      if (equal) return await equal.join(caller, { status: 'hit', age: 0 })

      // Begun before the store is asked, so that equal calls ask it once.
      const shared = shareResponse(
        async (signal) => {
          const started = context.clock.now()
          const entry = await entries.read(key, context)
          if (entry && answers(entry, request)) return replay(entry, context, started)
          // Each caller has a deadline of their own.
          const timeout = { ...options.timeout, total: 0 }
          return next({ ...request, body, signal, options: { ...options, signal, timeout } })
        },
        {
          onWhole: (content, metadata) => {
            if (metadata.cache?.status === 'hit' || metadata.status >= 300) return
            const entry = entryOf(content, metadata, context.clock.now(), ttl)
            if (answers(entry, request)) entries.write(key, entry, ttl, context)
          },
          onEnd: () => {
            if (inflightKey) inflight.delete(inflightKey)
          },
        },
      )
      if (inflightKey) inflight.set(inflightKey, shared)
      return await shared.join(caller, { status: 'miss' })
    } catch (error) {
      caller.dispose()
      throw error
    }
  }
}

const isDeterministic = ({ body }: BedrockRequest): boolean => body?.temperature === 0

async function bypass(request: BedrockRequest, next: Next): Promise<BedrockResponse> {
  const response = await next(request)
  response.metadata.cache = { status: 'bypass' }
  return response
}

function assertMilliseconds(name: string, value: number, most = Number.MAX_SAFE_INTEGER): void {
  if (!(value > 0 && value <= most))
    throw new ConfigurationError(`${name} must be a positive number of milliseconds, at most ${most}`)
}

// A call in flight is shared by those that take the same kind of answer, would fail at the same time, and repeat the same
// failures. Two functions cannot be compared; and where I/O is bound to a request, no other request can read its stream.
function inflightKeyOf(key: string, request: BedrockRequest, { timeout }: MiddlewareContext): string | undefined {
  const { operation, options } = request
  const hasFunction = Object.values(options).some(
    (option) => isJsonObject(option) && Object.values(option).some((value: unknown) => typeof value === 'function'),
  )
  if (hasFunction || isIoBoundToRequest()) return undefined
  return JSON.stringify([key, operation, isGuarded(request), `${timeout.response}`, `${timeout.idle}`, options.retry])
}

/** Whether an entry may be the answer to a call: whole, of its kind, and guarded if and only if the call is. */
function answers(entry: CacheEntry, request: BedrockRequest): boolean {
  const { events, guardrail } = entry
  const isStream = operations[request.operation].answers === 'stream'
  if ((events !== undefined) !== isStream || !isWhole(entry, isMessages(request))) return false
  return guardrail?.action !== 'INTERVENED' && isGuarded(request) === (guardrail !== undefined)
}

const isMessages = ({ body }: BedrockRequest): boolean => 'anthropic_version' in body && 'messages' in body

function replay(
  { body, events, usage, guardrail, adaptations, stored }: CacheEntry,
  { model, clock }: MiddlewareContext,
  started: number,
): BedrockResponse {
  const metadata: ResponseMetadata = {
    ...localMetadata(model, usage, clock.now() - started),
    ...(guardrail && { guardrail }),
    ...(adaptations && { adaptations }),
    cache: { status: 'hit', age: Math.max(0, clock.now() - stored) },
  }
  return events ? { type: 'stream', events: iterate(events), metadata } : { type: 'json', body: body ?? {}, metadata }
}

async function* iterate(events: readonly JsonObject[]): AsyncGenerator<JsonObject> {
  yield* events
}
