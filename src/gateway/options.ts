import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { createLogger } from '../core/internal/logger.ts'
import { systemClock } from '../core/internal/signal.ts'
import type { Clock, Logger } from '../core/types.ts'
import type { TokenPrices } from '../usage/cost.ts'
import type { LimitStore } from '../limits/store.ts'
import type { AccessLogEntry } from './access-log.ts'
import { assertCallerGuardrail, type Authenticate, type CallerGuardrail } from './caller.ts'
import type { ApiFormat } from './request-context.ts'
import { memorySpendStore, type SpendStore } from './spend-store.ts'

/** Options of {@link createGateway}. */
export interface GatewayOptions {
  /** Identifies callers. `apiKeys` creates such a function from a list of keys. */
  readonly authenticate: Authenticate
  /**
   * Prices per million tokens, in any currency, by family (`sonnet`), Anthropic's ID (`claude-sonnet-4-6`), or the ID
   * or ARN that is called. Only for these models is cost reported and daily spending limited.
   *
   * @default none
   */
  readonly prices?: Readonly<Record<string, TokenPrices>> | undefined
  /**
   * The guardrail of every call whose caller has none. Callers can neither change nor remove it. A
   * guardrail in the client's middleware or headers is no substitute: requests on Bedrock's API bypass the middleware and
   * can override the headers.
   *
   * @default none
   */
  readonly guardrail?: CallerGuardrail | undefined
  /**
   * The APIs to serve. Requests on Bedrock's API bypass the client's middleware: leave it out if every call must go through
   * the middleware.
   *
   * @default ['anthropic', 'bedrock']
   */
  readonly wires?: readonly ApiFormat[] | undefined
  /**
   * Stores callers' token limits. Several processes can share one in Redis; while it is unavailable, each keeps to its
   * share.
   *
   * @default the memory of this process
   */
  readonly limitStore?: LimitStore | undefined
  /** The number of processes that share `limitStore`. @default the number it has recently seen */
  readonly instances?: number | undefined
  /** Stores callers' spending. @default the memory of this process */
  readonly spendStore?: SpendStore | undefined
  /**
   * The treatment of callers with a spend limit while `spendStore` is unavailable. `'refuse'`: status 529 in
   * Anthropic's API, 429 in Bedrock's. `'allow'`: this process continues with what it knows, and updates the store when
   * it is back.
   *
   * @default 'refuse'
   */
  readonly storeFailure?: 'refuse' | 'allow' | undefined
  /** The maximum request body in bytes: 1 or more. @default 25_000_000, Bedrock's own limit */
  readonly maxBodySize?: number | undefined
  /** The maximum of concurrent model calls: 1 or more. @default 1000 */
  readonly maxConcurrent?: number | undefined
  /** The maximum of waiting calls: 0 or more. @default 1000 */
  readonly maxQueued?: number | undefined
  /** How long a call waits, in milliseconds, before it is rejected with an overload error. @default 10_000 */
  readonly queueTimeout?: number | undefined
  /**
   * The milliseconds of silence before an Anthropic stream sends a `ping`; 0 or Infinity turns pings off.
   *
   * @default 15_000
   */
  readonly pingInterval?: number | undefined
  /**
   * Whether to answer `/v1/messages/count_tokens` with an estimate for models that Bedrock does not count.
   *
   * @default true
   */
  readonly estimateTokens?: boolean | undefined
  /** Whether callers see account IDs, ARNs and hints in errors. @default false */
  readonly exposeUpstreamErrors?: boolean | undefined
  /** The model that `/readyz` checks. @default 'default', the client's default model */
  readonly readinessModel?: string | undefined
  /** Whether `/metrics` is open to everyone, not only to operators. @default false */
  readonly openMetrics?: boolean | undefined
  /** Whether `/` shows the gateway's activity to operators; in a browser, the key is the password. @default false */
  readonly statusPage?: boolean | undefined
  /** The path under which the gateway is mounted, such as `/claude`. @default '' */
  readonly basePath?: string | undefined
  /** Called for each request when it is over. `(entry) => console.log(JSON.stringify(entry))` writes JSON lines. */
  readonly accessLog?: ((entry: AccessLogEntry) => void) | undefined
  /** Receives errors in full. @default silent; `OUTCROP_LOG=warn` writes to stderr */
  readonly logger?: Logger | undefined
  /** Time, for tests. @default the real time */
  readonly clock?: Clock | undefined
}

const optionNames =
  'authenticate prices guardrail wires limitStore instances spendStore storeFailure maxBodySize maxConcurrent maxQueued queueTimeout pingInterval estimateTokens exposeUpstreamErrors readinessModel openMetrics statusPage basePath accessLog logger clock'

/** {@link GatewayOptions} with all defaults. */
export type ResolvedOptions = Pick<GatewayOptions, Optional> & {
  readonly [Name in Exclude<keyof GatewayOptions, Optional>]-?: Exclude<GatewayOptions[Name], undefined>
}

type Optional = 'accessLog' | 'guardrail' | 'instances' | 'limitStore'

/** @throws ConfigurationError for invalid options */
export function resolveOptions(options: GatewayOptions): ResolvedOptions {
  assertOptions(options, '', optionNames)
  const {
    authenticate,
    prices = {},
    guardrail,
    wires = ['anthropic', 'bedrock'],
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
    throw new ConfigurationError('A gateway needs authenticate: without it, anyone could spend on your account', {
      hint: 'Pass apiKeys([...]), or a function that identifies the caller.',
    })
  }
  assertNumber('maxBodySize', maxBodySize, 1)
  assertNumber('maxConcurrent', maxConcurrent, 1)
  assertNumber('maxQueued', maxQueued, 0)
  assertNumber('queueTimeout', queueTimeout, 0)
  if (guardrail !== undefined) assertCallerGuardrail(guardrail, 'guardrail')
  if (!Array.isArray(wires) || !wires.every((api) => api === 'anthropic' || api === 'bedrock'))
    throw new ConfigurationError("wires must be a list of 'anthropic' and 'bedrock'")
  if (instances !== undefined) assertNumber('instances', instances, 1)
  if (storeFailure !== 'refuse' && storeFailure !== 'allow')
    throw new ConfigurationError("storeFailure must be 'refuse' or 'allow'")
  if (!/^(\/[\w.~-]+)*$/.test(basePath))
    throw new ConfigurationError(`basePath must be '' or a path such as '/claude', not ${JSON.stringify(basePath)}`)
  for (const [model, price] of Object.entries(prices)) assertPrices(price, `prices[${JSON.stringify(model)}]`)
  return {
    authenticate,
    prices,
    guardrail,
    wires,
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
      throw new ConfigurationError(`${name} must have input and output, 0 or more per million tokens`)
  }
}
