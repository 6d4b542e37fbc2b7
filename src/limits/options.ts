import { ConfigurationError } from '../core/errors.ts'
import { assertOptions, describeType } from '../core/internal/assert-options.ts'
import type { QuotaBucket } from './budget-key.ts'
import type { LimitStore } from './store.ts'

/** A quota of the account for one model. `readQuotas` reads them; you can also write them by hand. */
export interface Quota {
  /** The base model, such as `anthropic.claude-sonnet-4-6`. */
  readonly model: string
  /** The calls that it covers: base IDs, geographic profiles, or `global.` profiles. */
  readonly bucket: QuotaBucket
  /** The Region to call. @default every Region */
  readonly region?: string | undefined
  /** The account. @default every account */
  readonly account?: string | undefined
  /** Tokens per minute; `0` if the account has none. @default unknown */
  readonly tokensPerMinute?: number | undefined
  /** Requests per minute. @default none */
  readonly requestsPerMinute?: number | undefined
}

/** Options of {@link limits}. All are optional. */
export interface LimitsOptions {
  /** The account's quotas. @default none: limits are learned from refusals */
  readonly quotas?: readonly Quota[] | undefined
  /** The share of each quota to use, above 0 and up to 1, if others use the account too. @default 1 */
  readonly share?: number | undefined
  /** The maximum of concurrent calls for each budget. @default no limit */
  readonly concurrency?: number | undefined
  /** How long a call may wait, in milliseconds; 0 rejects calls that cannot start at once. @default 30_000 */
  readonly maxWait?: number | undefined
  /** The maximum of waiting calls for each budget. @default 1_000 */
  readonly maxQueue?: number | undefined
  /**
   * How much may be used at once after a pause, in milliseconds of the quota: 1 to 60,000. A higher value allows
   * bursts. A lower one spreads them, and leaves more room if AWS's minute starts at another time.
   *
   * @default 10_000
   */
  readonly burst?: number | undefined
  /** Where the budgets are kept. @default the memory of this process */
  readonly store?: LimitStore | undefined
  /**
   * The number of processes that share the quotas. Each keeps to its part if no store is shared, or while the store is
   * unavailable.
   *
   * @default 1, or the number seen at the store
   */
  readonly instances?: number | undefined
  /** How long a call waits for the store, in milliseconds. @default 500 */
  readonly storeTimeout?: number | undefined
  /** When a reservation ends that was never settled because its process died, in milliseconds. @default 600_000 */
  readonly lease?: number | undefined
  /** A name for the account, if the credentials do not name it and several accounts share a store. @default theirs */
  readonly account?: string | undefined
}

/** {@link LimitsOptions} with all defaults. */
export interface LimitSettings {
  readonly quotas: readonly Quota[]
  readonly share: number
  readonly concurrency: number | undefined
  readonly maxWait: number
  readonly maxQueue: number
  readonly burst: number
  readonly store: LimitStore | undefined
  readonly instances: number | undefined
  readonly storeTimeout: number
  readonly lease: number
  readonly account: string | undefined
}

// Timers longer than 2^31 - 1 ms fire at once.
const longest = 2_147_483_647

/** @throws ConfigurationError for invalid options. */
export function resolveOptions(options: LimitsOptions): LimitSettings {
  assertOptions(
    options,
    '',
    'quotas share concurrency maxWait maxQueue burst store instances storeTimeout lease account',
  )
  const { quotas = [], share = 1, maxWait = 30_000, maxQueue = 1_000, burst = 10_000 } = options
  const { storeTimeout = 500, lease = 600_000, concurrency, instances, store, account } = options
  if (!(share > 0 && share <= 1)) throw new ConfigurationError('share must be above 0 and at most 1')
  assertNumber('maxWait', maxWait, 0, longest)
  assertNumber('maxQueue', maxQueue, 0)
  assertNumber('burst', burst, 1, 60_000)
  assertNumber('storeTimeout', storeTimeout, 1, longest)
  assertNumber('lease', lease, 1_000)
  if (concurrency !== undefined) assertNumber('concurrency', concurrency, 1)
  if (instances !== undefined) assertNumber('instances', instances, 1)
  if (account !== undefined && (typeof account !== 'string' || !/^[\w.:-]{1,128}$/.test(account)))
    throw new ConfigurationError('account must be 1 to 128 letters, digits and . _ : -')
  if (store !== undefined && (typeof store?.reserve !== 'function' || typeof store.settle !== 'function')) {
    throw new ConfigurationError('store is not a limit store: it needs reserve and settle', {
      hint: 'Wrap a Redis client: redisLimitStore(client).',
    })
  }
  assertQuotas(quotas)
  return {
    quotas,
    share,
    concurrency,
    maxWait,
    maxQueue,
    burst,
    store,
    instances,
    storeTimeout,
    lease,
    account,
  }
}

function assertQuotas(quotas: readonly Quota[]): void {
  if (!Array.isArray(quotas)) {
    throw new ConfigurationError(`quotas must be a list, not ${describeType(quotas)}`, {
      hint: 'readQuotas returns an object with the list in it: limits({ quotas: (await readQuotas(bedrock)).quotas }).',
    })
  }
  quotas.forEach((quota: Quota, i) => {
    const name = `quotas[${i}]`
    assertOptions(quota, name, 'model bucket region account tokensPerMinute requestsPerMinute')
    const { model, bucket, tokensPerMinute, requestsPerMinute } = quota
    if (typeof model !== 'string' || !model)
      throw new ConfigurationError(`${name}.model must be the ID of a base model`)
    if (!['on-demand', 'cross-region', 'global'].includes(bucket))
      throw new ConfigurationError(`${name}.bucket must be 'on-demand', 'cross-region' or 'global'`)
    if (tokensPerMinute !== undefined) assertNumber(`${name}.tokensPerMinute`, tokensPerMinute, 0)
    if (requestsPerMinute !== undefined) assertNumber(`${name}.requestsPerMinute`, requestsPerMinute, 0)
  })
}

/** @throws ConfigurationError */
export function assertNumber(
  name: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  if (typeof value === 'number' && value >= least && value <= most) return
  throw new ConfigurationError(
    `${name} must be a number, ${least} or more${most < Number.MAX_SAFE_INTEGER ? `, at most ${most}` : ''}`,
  )
}
