import { ConfigurationError } from '../core/errors.ts'
import { assertOptions, describeType } from '../core/internal/assert-options.ts'
import { hex } from '../core/internal/bytes.ts'
import type { Clock } from '../core/types.ts'
import { reserveScript, settleScript } from './redis-scripts.ts'
import type { BudgetState, Charge, LimitReason, LimitStore, Settlement } from './store.ts'

/** The used part of an ioredis client, or of a compatible one such as iovalkey. */
export interface IoredisLike {
  evalsha(sha1: string, keyCount: number, ...args: string[]): Promise<unknown>
  eval(script: string, keyCount: number, ...args: string[]): Promise<unknown>
}

/** The used part of a connected node-redis client (the package `redis`). */
export interface NodeRedisLike {
  evalSha(sha1: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** The used part of an `@upstash/redis` client, which uses HTTP and so runs on Workers. */
export interface UpstashLike {
  evalsha(sha1: string, keys: string[], args: string[]): Promise<unknown>
  eval(script: string, keys: string[], args: string[]): Promise<unknown>
}

/** Options of {@link redisLimitStore} and {@link upstashLimitStore}. */
export interface RedisLimitStoreOptions {
  /**
   * The prefix of all keys. In a Redis cluster, keep the part in braces, so that all keys are in one slot.
   *
   * @default '{outcrop:limits}'
   */
  readonly prefix?: string | undefined
  /** The clock, for tests. @default the server's own, the same for all processes */
  readonly clock?: Pick<Clock, 'now'> | undefined
}

/**
 * Keeps budgets in Redis or Valkey, for all processes that share a quota. Each call takes two round trips: one script
 * reserves, and one settles. The server's clock counts. Needs Redis 5 or newer.
 *
 * @param client - a connected ioredis or node-redis client; closing it remains your job
 * @example
 * ```ts
 * const store = redisLimitStore(new Redis('redis://limits.internal:6379'))
 * const bedrock = createBedrockClient({ region, middleware: [limits({ quotas, store })] })
 * ```
 * @throws ConfigurationError for an invalid client.
 */
export function redisLimitStore(client: IoredisLike | NodeRedisLike, options: RedisLimitStoreOptions = {}): LimitStore {
  if (isNodeRedis(client)) {
    return scriptedStore(options, {
      evalsha: (sha1, keys, args) => client.evalSha(sha1, { keys, arguments: args }),
      eval: (script, keys, args) => client.eval(script, { keys, arguments: args }),
    })
  }
  assertClient(client)
  return scriptedStore(options, {
    evalsha: (sha1, keys, args) => client.evalsha(sha1, keys.length, ...keys, ...args),
    eval: (script, keys, args) => client.eval(script, keys.length, ...keys, ...args),
  })
}

/**
 * Does the same as {@link redisLimitStore} over HTTP, for Cloudflare Workers and other platforms without TCP. Takes an
 * `@upstash/redis` client or a compatible one.
 *
 * @example
 * ```ts
 * const store = upstashLimitStore(Redis.fromEnv())
 * ```
 * @throws ConfigurationError for an invalid client.
 */
export function upstashLimitStore(client: UpstashLike, options: RedisLimitStoreOptions = {}): LimitStore {
  assertClient(client)
  return scriptedStore(options, client)
}

function isNodeRedis(client: IoredisLike | NodeRedisLike): client is NodeRedisLike {
  return typeof (client as NodeRedisLike | undefined)?.evalSha === 'function'
}

function assertClient(client: IoredisLike | UpstashLike): void {
  if (typeof client?.evalsha === 'function' && typeof client.eval === 'function') return
  throw new ConfigurationError(`Not a Redis client: ${describeType(client)} without evalsha and eval`)
}

function scriptedStore(options: RedisLimitStoreOptions, client: UpstashLike): LimitStore {
  assertOptions(options, '', 'prefix clock')
  const { prefix = '{outcrop:limits}', clock } = options
  const reserve = createScript(client, reserveScript)
  const settle = createScript(client, settleScript)
  const process = crypto.randomUUID()
  let count = 0
  const keysOf = (charges: readonly Charge[]): string[] =>
    charges.flatMap(({ key }) => [`${prefix}:${key}`, `${prefix}:${key}:open`])
  const now = (): string => (clock ? String(clock.now()) : '')

  return {
    async reserve(charges, { lease }) {
      const id = `${process}:${++count}`
      const answer = await reserve(
        [...keysOf(charges), `${prefix}:processes`],
        [now(), id, String(lease), process, String(charges.length), ...charges.flatMap(argumentsOf)],
      )
      const states = statesOf(answer)
      const sharers = Number(answer.sharers)
      if (answer.reason === undefined)
        return { granted: true, ticket: { id, at: Number(answer.now), charges }, states, sharers }
      const wait = Number(answer.wait)
      return {
        granted: false,
        wait: wait < 0 ? Number.POSITIVE_INFINITY : wait,
        key: charges[Number(answer.index) - 1]?.key ?? '',
        reason: answer.reason as LimitReason,
        states,
        sharers,
      }
    },
    async settle({ id, at, charges }, outcomes) {
      const observed = charges.flatMap((_, i) => outcomeOf(outcomes[i] ?? {}))
      const args = [now(), id, String(at), String(charges.length), ...charges.flatMap(argumentsOf), ...observed]
      return statesOf(await settle(keysOf(charges), args))
    },
  }
}

function argumentsOf({ rule, hold, expected = hold }: Charge): string[] {
  const { limit, window, burst, concurrency } = rule
  return [limit, window, burst, concurrency, hold, expected].map(textOf)
}

function outcomeOf({ used, throttled, pause }: Settlement): string[] {
  return [textOf(used), throttled ? '1' : '', textOf(pause)]
}

const textOf = (value: number | undefined): string => (value === undefined ? '' : String(value))

interface Answer {
  readonly states: readonly (readonly unknown[])[]
  readonly [field: string]: unknown
}

function statesOf({ states }: Answer): BudgetState[] {
  return states.map((state) => {
    const [used = 0, held = 0, open = 0, learned = -1] = state.map(Number)
    return { used, held, open, learned: learned < 0 ? undefined : learned }
  })
}

/** Runs a script by its hash, and loads it if the server does not have it. */
function createScript(client: UpstashLike, script: string): (keys: string[], args: string[]) => Promise<Answer> {
  let hash: string | undefined
  return async (keys, args) => {
    hash ??= await sha1(script)
    const answer = await client.evalsha(hash, keys, args).catch((error: unknown) => {
      if (!/NOSCRIPT/.test(String((error as Error | undefined)?.message))) throw error
      return client.eval(script, keys, args)
    })
    // Upstash's client parses values that look like JSON.
    const parsed = (typeof answer === 'string' ? JSON.parse(answer) : answer) as Answer | undefined
    if (!Array.isArray(parsed?.states)) throw new Error('The script of the limit store returned an invalid answer')
    return parsed
  }
}

// Redis identifies scripts by SHA-1.
async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return hex(new Uint8Array(digest))
}
