import { ConfigurationError } from '../core/errors.ts'
import { assertOptions, describeType } from '../core/internal/assert-options.ts'
import type { QuotaBucket } from './budget-key.ts'
import type { LimitStore } from './store.ts'

/** A quota of the account, for one model. `readQuotas` reads them; those of a contract or a test are written by hand. */
export interface Quota {
  /** The base model, such as `anthropic.claude-sonnet-4-6`. */
  readonly model: string
  /** Which calls it counts: of base IDs, of profiles of a geography, or of `global.` profiles. */
  readonly bucket: QuotaBucket
  /** The Region that is called. @default every one */
  readonly region?: string | undefined
  /** The account. @default every one */
  readonly account?: string | undefined
  /** Tokens per minute; `0` where the account has none. @default unknown */
  readonly tokensPerMinute?: number | undefined
  /** Requests per minute. @default none */
  readonly requestsPerMinute?: number | undefined
}

/** Options of {@link limits}. All may be left out. */
export interface LimitsOptions {
  /** The account's quotas. @default none: limits are learned from refusals */
  readonly quotas?: readonly Quota[] | undefined
  /** The part of each quota that may be used, above 0 and up to 1, where others use the account as well. @default 1 */
  readonly share?: number | undefined
  /** Calls at once, for each budget. @default no limit */
  readonly concurrency?: number | undefined
  /** How long a call may wait for its turn, in milliseconds; 0 refuses whatever cannot go at once. @default 30_000 */
  readonly maxWait?: number | undefined
  /** How many calls may wait, for each budget. @default 1_000 */
  readonly maxQueue?: number | undefined
  /**
   * How much may be used at once after a pause, in milliseconds of the quota: 1 to 60,000. More lets bursts pass; less
   * spreads them, and leaves more room for a minute that begins elsewhere.
   *
   * @default 10_000
   */
  readonly burst?: number | undefined
  /** Where budgets are kept. @default the memory of this process */
  readonly store?: LimitStore | undefined
  /**
   * How many processes share the quotas: each keeps to its part where no store is shared, or while the store is away.
   *
   * @default 1, or as many as were seen at the store
   */
  readonly instances?: number | undefined
  /** How long a call waits for the store, in milliseconds. @default 500 */
  readonly storeTimeout?: number | undefined
  /** How long a reservation stands that nobody settles, as its process has died, in milliseconds. @default 600_000 */
  readonly lease?: number | undefined
  /** A name for the account, where the credentials do not tell and a store is shared by several. @default theirs */
  readonly account?: string | undefined
}

/** {@link LimitsOptions} with every blank filled in. */
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

// Beyond 2^31 - 1 ms, timers fire at once.
const longest = 2_147_483_647

/** @throws ConfigurationError for options that make no sense. */
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
      hint: 'Wrap a client of Redis: redisLimitStore(client).',
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
      hint: 'readQuotas gives an object with the list in it: limits({ quotas: (await readQuotas(bedrock)).quotas }).',
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
