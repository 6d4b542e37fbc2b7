import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { createLogger } from '../core/internal/logger.ts'
import { systemClock } from '../core/internal/signal.ts'
import type { Clock, Logger } from '../core/types.ts'
import type { TokenPrices } from '../usage/cost.ts'
import type { LimitStore } from '../limits/store.ts'
import type { AccessLogEntry } from './access-log.ts'
import type { Authenticate } from './caller.ts'
import { memorySpendStore, type SpendStore } from './spend-store.ts'

/** Options of {@link createGateway}. */
export interface GatewayOptions {
  /** Who may call. `apiKeys` makes one of a list of keys. */
  readonly authenticate: Authenticate
  /**
   * Prices per million tokens, in a currency of your own, by family (`sonnet`), Anthropic's ID (`claude-sonnet-4-6`), or
   * the ID or ARN that is called. Cost is reported, and daily spend limited, for these models only.
   *
   * @default none
   */
  readonly prices?: Readonly<Record<string, TokenPrices>> | undefined
  /**
   * Where the token limits of callers are kept. One in Redis is shared by several processes; while it is away, each of them
   * keeps to its share.
   *
   * @default the memory of this process
   */
  readonly limitStore?: LimitStore | undefined
  /** How many processes share `limitStore`. @default as many as it has seen lately */
  readonly instances?: number | undefined
  /** Where the spending of callers is kept. @default the memory of this process */
  readonly spendStore?: SpendStore | undefined
  /**
   * What happens to callers with a spend limit while `spendStore` is away. `'refuse'`: status 529 on Anthropic's wire, 429
   * on Bedrock's. `'allow'`: this process goes on by what it knows, and tells the store when it is back.
   *
   * @default 'refuse'
   */
  readonly storeFailure?: 'refuse' | 'allow' | undefined
  /** The longest request body, in bytes: 1 or more. @default 25_000_000, what Bedrock takes */
  readonly maxBodySize?: number | undefined
  /** How many calls of models run at once: 1 or more. @default 1000 */
  readonly maxConcurrent?: number | undefined
  /** How many more wait for a place: 0 or more. @default 1000 */
  readonly maxQueued?: number | undefined
  /** How long one waits, in milliseconds, before it is refused as overloaded. @default 10_000 */
  readonly queueTimeout?: number | undefined
  /** After how many milliseconds of silence an Anthropic stream sends a `ping`; 0 or Infinity for never. @default 15_000 */
  readonly pingInterval?: number | undefined
  /** Answer `/v1/messages/count_tokens` with an estimate for models that Bedrock does not count for. @default true */
  readonly estimateTokens?: boolean | undefined
  /** Whether callers may read account IDs, ARNs and hints in errors. @default false */
  readonly exposeUpstreamErrors?: boolean | undefined
  /** The model that `/readyz` looks at. @default 'default', the model that the client takes by itself */
  readonly readinessModel?: string | undefined
  /** Serve `/metrics` to everybody, rather than to operators. @default false */
  readonly openMetrics?: boolean | undefined
  /** Serve a page at `/` that shows operators what goes on; in a browser, the key is the password. @default false */
  readonly statusPage?: boolean | undefined
  /** Where the gateway is mounted, such as `/claude`; left out of the paths that it looks at. @default '' */
  readonly basePath?: string | undefined
  /** Hears of each request when it is over. `(entry) => console.log(JSON.stringify(entry))` writes JSON lines. */
  readonly accessLog?: ((entry: AccessLogEntry) => void) | undefined
  /** Hears of errors in full. @default silent; `OUTCROP_LOG=warn` writes to stderr */
  readonly logger?: Logger | undefined
  /** Time, for tests. @default the real time */
  readonly clock?: Clock | undefined
}

const optionNames =
  'authenticate prices limitStore instances spendStore storeFailure maxBodySize maxConcurrent maxQueued queueTimeout pingInterval estimateTokens exposeUpstreamErrors readinessModel openMetrics statusPage basePath accessLog logger clock'

/** {@link GatewayOptions} with every blank filled in. */
export type ResolvedOptions = Pick<GatewayOptions, Optional> & {
  readonly [Name in Exclude<keyof GatewayOptions, Optional>]-?: Exclude<GatewayOptions[Name], undefined>
}

type Optional = 'accessLog' | 'limitStore' | 'instances'

/** @throws ConfigurationError for options that can never work */
export function resolveOptions(options: GatewayOptions): ResolvedOptions {
  assertOptions(options, '', optionNames)
  const {
    authenticate,
    prices = {},
    limitStore,
    instances,
    spendStore = memorySpendStore({ clock: options.clock }),
    storeFailure = 'refuse',
    maxBodySize = 25_000_000,
    maxConcurrent = 1000,
    maxQueued = 1000,
    queueTimeout = 10_000,
    pingInterval = 15_000,
    estimateTokens = true,
    exposeUpstreamErrors = false,
    readinessModel = 'default',
    openMetrics = false,
    statusPage = false,
    basePath = '',
    accessLog,
    logger,
    clock = systemClock,
  } = options
  if (typeof authenticate !== 'function') {
    throw new ConfigurationError('A gateway needs authenticate: without it, anybody could spend on your account', {
      hint: 'Pass apiKeys([...]), or a function that says who is calling.',
    })
  }
  assertNumber('maxBodySize', maxBodySize, 1)
  assertNumber('maxConcurrent', maxConcurrent, 1)
  assertNumber('maxQueued', maxQueued, 0)
  assertNumber('queueTimeout', queueTimeout, 0)
  if (instances !== undefined) assertNumber('instances', instances, 1)
  if (storeFailure !== 'refuse' && storeFailure !== 'allow')
    throw new ConfigurationError("storeFailure must be 'refuse' or 'allow'")
  if (!/^(\/[\w.~-]+)*$/.test(basePath))
    throw new ConfigurationError(`basePath must be '' or a path such as '/claude', not ${JSON.stringify(basePath)}`)
  for (const [model, price] of Object.entries(prices)) assertPrices(price, `prices[${JSON.stringify(model)}]`)
  return {
    authenticate,
    prices,
    limitStore,
    instances,
    spendStore,
    storeFailure,
    maxBodySize,
    maxConcurrent,
    maxQueued,
    queueTimeout,
    pingInterval,
    estimateTokens,
    exposeUpstreamErrors,
    readinessModel,
    openMetrics,
    statusPage,
    basePath,
    accessLog,
    logger: createLogger(logger),
    clock,
  }
}

function assertNumber(name: string, value: number, least: number): void {
  if (!(typeof value === 'number' && value >= least)) throw new ConfigurationError(`${name} must be ${least} or more`)
}

function assertPrices(prices: TokenPrices, name: string): void {
  assertOptions(prices, name, 'input output cacheRead cacheWrite')
  const { input, output, cacheRead = 0, cacheWrite = 0 } = prices
  for (const price of [input, output, cacheRead, cacheWrite]) {
    if (!(typeof price === 'number' && price >= 0 && price < Number.POSITIVE_INFINITY))
      throw new ConfigurationError(`${name} must have input and output, 0 or more for a million tokens`)
  }
}
