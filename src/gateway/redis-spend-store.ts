import { ConfigurationError } from '../core/errors.ts'
import { assertOptions, describeType } from '../core/internal/assert-options.ts'
import type { IoredisLike, NodeRedisLike, UpstashLike } from '../limits/redis-store.ts'
import type { SpendStore } from './spend-store.ts'

// Amounts are whole numbers, so that nothing is rounded. A key expires some time after its last call.
const script = `local value = redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return value`

type Run = (keys: string[], args: string[]) => Promise<unknown>

/** Options of {@link redisSpendStore} and {@link upstashSpendStore}. */
export interface RedisSpendStoreOptions {
  /** The prefix of every key. @default 'outcrop:spend' */
  readonly prefix?: string | undefined
}

/**
 * Stores spending in Redis or Valkey, for all processes of a gateway.
 *
 * @param client - a connected client of ioredis or node-redis; you close it
 * @example
 * ```ts
 * const redis = new Redis('redis://gateway.internal:6379')
 * const gateway = createGateway(bedrock, {
 *   authenticate,
 *   prices,
 *   limitStore: redisLimitStore(redis),
 *   spendStore: redisSpendStore(redis),
 * })
 * ```
 * @throws ConfigurationError if `client` isn't a Redis client.
 */
export function redisSpendStore(
  client: Pick<IoredisLike, 'eval'> | NodeRedisLike,
  options: RedisSpendStoreOptions = {},
): SpendStore {
  assertClient(client)
  if ('evalSha' in client) return scripted((keys, args) => client.eval(script, { keys, arguments: args }), options)
  return scripted((keys, args) => client.eval(script, keys.length, ...keys, ...args), options)
}

/**
 * Like {@link redisSpendStore}, but over HTTP, for Cloudflare Workers and other places without TCP. Takes a client of
 * `@upstash/redis`.
 *
 * @throws ConfigurationError if `client` isn't a Redis client.
 */
export function upstashSpendStore(client: Pick<UpstashLike, 'eval'>, options: RedisSpendStoreOptions = {}): SpendStore {
  assertClient(client)
  return scripted((keys, args) => client.eval(script, keys, args), options)
}

function scripted(run: Run, options: RedisSpendStoreOptions): SpendStore {
  assertOptions(options, '', 'prefix')
  const { prefix = 'outcrop:spend' } = options
  return {
    add: async (key, amount, { ttl }) => {
      const sum = Number(await run([`${prefix}:${key}`], [String(amount), String(ttl)]))
      if (!Number.isFinite(sum)) throw new TypeError("Redis's answer is not a number")
      return sum
    },
  }
}

function assertClient(client: unknown): void {
  if (typeof (client as Partial<UpstashLike> | undefined)?.eval === 'function') return
  throw new ConfigurationError(`Not a Redis client: ${describeType(client)} without eval`)
}
