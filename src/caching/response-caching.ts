import { assertOptions } from '../core/internal/assert-options.ts'
import { ConfigurationError } from '../core/errors.ts'
import { isGuarded, isGuardrail } from '../core/internal/guardrail.ts'
import { isJsonObject } from '../core/internal/json.ts'
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
  ModelRef,
  Next,
  ResponseMetadata,
} from '../core/types.ts'
import { type CacheEntry, entryOf, isWhole } from './cache-entry.ts'
import { type CacheScope, cacheKey } from './cache-key.ts'
import { openCaller } from './caller.ts'
import { createEntryStore } from './entry-store.ts'
import { type SharedResponse, shareResponse } from './shared-response.ts'
import { snapshotOf } from './snapshot.ts'
import type { ResponseStore } from './store.ts'

/** Options of {@link responseCaching}. */
export interface ResponseCachingOptions {
  readonly store: ResponseStore
  /** How long a response is valid, in milliseconds. @default 3_600_000 (an hour) */
  readonly ttl?: number | undefined
  /** Separates applications, or versions of one, in the same store. @default '' */
  readonly namespace?: string | undefined
  /**
   * Who shares answers. `'identity'`: calls with the same access key or API key. `'account'`: all keys of one AWS
   * account, even after temporary ones are replaced; the credentials must name the account. `'store'`: everyone who
   * uses the store and the namespace, with any identity.
   *
   * API keys, and headers that carry credentials, are secrets whose hashes never leave the process. With `'identity'`
   * and `'account'` such answers are shared only within one process.
   *
   * @default 'identity'
   */
  readonly scope?: CacheScope | undefined
  /** Creates your own key; it should start with the default key. */
  readonly key?: ((request: BedrockRequest, defaultKey: string) => string | Promise<string>) | undefined
  /** Selects the calls to cache. A call's own `cache` option overrides it. @default calls with `temperature: 0` */
  readonly when?: ((request: BedrockRequest) => boolean) | undefined
  /** How long a call waits for the store, in milliseconds, before it goes on without it. @default 150 */
  readonly storeTimeout?: number | undefined
  /** Keeps a Worker alive until a response is stored: `ctx.waitUntil.bind(ctx)`. */
  readonly waitUntil?: ((promise: Promise<unknown>) => void) | undefined
}

declare global {
  interface OutcropCallOptions {
    /** Whether this call uses the response cache: `false` bypasses it, `true` uses it regardless of `when`. */
    readonly cache?: boolean | { readonly ttl?: number | undefined } | undefined
  }
}

/**
 * Answers identical calls without calling Bedrock. It stores only complete, successful responses in which no guardrail
 * intervened. A stream is stored as its events and replayed as a stream. Concurrent equal calls share one Bedrock call,
 * but each caller has its own stream and timeout. `metadata.cache` reports the outcome.
 *
 * The key is a SHA-256 of everything that an answer may depend on: operation, model, Region, endpoint, body, options,
 * headers and identity. Put this middleware after `guardrails(…)` in `middleware`: in front of it nothing is cached,
 * because the key cannot include what is added later. A slow or failing store delays a call by at most `storeTimeout`
 * and never fails it.
 *
 * @example
 * ```ts
 * const caching = responseCaching({ store: memoryStore(), ttl: 600_000 })
 * const bedrock = createBedrockClient({ region, middleware: [caching] })
 * const message = await bedrock.messages.create({ ...params, temperature: 0 })
 * message.metadata.cache // { status: 'miss' }; the next time { status: 'hit', age: 1200 }
 * ```
 * @throws ConfigurationError for invalid options.
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
    // The key and the request use the same snapshot of the body, even if the caller changes it meanwhile.
    const body = snapshotOf(request.body)
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

      // Starts before the store is read, so that equal calls read it once.
      const shared = shareResponse(
        async (controller) => {
          const started = context.clock.now()
          const entry = await entries.read(key, context)
          if (entry && answers(entry, request)) return replay(entry, context, started)
          // Each caller has its own timeout.
          const timeout = { ...options.timeout, total: 0 }
          const { signal } = controller
          return next({ ...request, body, signal, options: { ...options, signal, timeout } })
        },
        {
          onWhole: (content, metadata) => {
            if (metadata.cache?.status === 'hit' || metadata.status >= 300) return
            // Another model may have answered, by a fallback behind this.
            if (nameOf(metadata.model) !== nameOf(context.model)) return
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

const nameOf = ({ base, id }: ModelRef): string => base ?? id

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

// Calls share a call in flight if they expect the same kind of answer and have the same timeouts and retries. Functions
// cannot be compared, so they rule sharing out; so does a runtime that binds I/O to a request.
function inflightKeyOf(key: string, request: BedrockRequest, { timeout }: MiddlewareContext): string | undefined {
  const { operation, options } = request
  const hasFunction = Object.values(options).some(
    (option) => isJsonObject(option) && Object.values(option).some((value: unknown) => typeof value === 'function'),
  )
  if (hasFunction || isIoBoundToRequest()) return undefined
  return JSON.stringify([key, operation, isGuarded(request), `${timeout.response}`, `${timeout.idle}`, options.retry])
}

/** Tests whether an entry can answer a call: complete, of the same kind, and guarded if and only if the call is. */
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
