import { QuotaError } from '../core/errors.ts'
import type { BedrockRequest, MiddlewareContext } from '../core/types.ts'
import type { BudgetKey } from './budget-key.ts'
import { createEstimator, type Estimate, type Estimator } from './estimate.ts'
import type { FallbackStore } from './fallback-store.ts'
import { assertNumber, type LimitSettings, type Quota } from './options.ts'
import { createLimitQueue, type Turn } from './queue.ts'
import type { BudgetState, Charge, LimitReason, LimitRule, LimitTicket, Settlement } from './store.ts'

const minute = 60_000

/** The state of one budget, as far as this process knows. Counts are for this process. */
export interface BudgetSnapshot extends BudgetKey {
  /** The account's tokens per minute, from `quotas`. */
  readonly quota: number | undefined
  /** The tokens per minute learned from refusals. */
  readonly learned: number | undefined
  /** Tokens of the quota that the calls of the last minute have used. */
  readonly used: number
  /** Tokens of the quota reserved for calls in progress. */
  readonly held: number
  /** Calls in progress. */
  readonly open: number
  /** Requests of the last minute. */
  readonly requests: number
  /** Waiting calls. */
  readonly queued: number
  /** Admitted calls. */
  readonly admitted: number
  /** Admitted calls that had to wait. */
  readonly delayed: number
  /** Calls that were rejected here. */
  readonly refused: number
  /** Attempts that Bedrock throttled. */
  readonly throttled: number
}

/** The outcome of a call. */
export interface CallOutcome {
  /** The tokens of the quota that it took. Left out while the call goes on. */
  readonly used?: number | undefined
  /** The kind of quota for which Bedrock throttled it, if it did. */
  readonly throttled?: 'tokens' | 'requests' | 'day' | undefined
  /** How long Bedrock asked to wait, in milliseconds. */
  readonly pause?: number | undefined
}

/** The budget of one model in one Region and account. */
export interface ModelBudget {
  readonly estimator: Estimator
  /** Waits until the call may start. @throws QuotaError */
  admit(estimate: Estimate, request: BedrockRequest, context: MiddlewareContext): Promise<LimitTicket>
  /** Never rejects. */
  settle(ticket: LimitTicket, outcome: CallOutcome, context: MiddlewareContext): Promise<void>
  snapshot(): BudgetSnapshot
}

// How long to pause after the account's daily tokens are used up, in milliseconds. AWS does not say when the day ends,
// so one call every few minutes tries.
const dailyPause = 300_000
const nothing: BudgetState = { used: 0, held: 0, open: 0, learned: undefined }

export function createModelBudget(key: BudgetKey, store: FallbackStore, settings: LimitSettings): ModelBudget {
  const { account, region, bucket, model } = key
  const quota = quotaOf(settings.quotas, key)
  const name = `${account}/${region}/${bucket}/${model}`
  const rule = (perMinute: number | undefined): LimitRule => ({
    limit: perMinute === undefined ? undefined : perMinute * settings.share,
    window: minute,
    burst: settings.burst,
  })
  const rules = {
    tokens: { ...rule(quota?.tokensPerMinute), concurrency: settings.concurrency },
    requests: rule(quota?.requestsPerMinute),
    day: rule(undefined),
  }
  const queue = createLimitQueue()
  const estimator = createEstimator()
  const counts = { admitted: 0, delayed: 0, refused: 0, throttled: 0 }
  let states: readonly BudgetState[] = [nothing, nothing]
  // Why the first call of the queue waits. Those behind it wait for the same reason.
  let obstacle: { readonly reason: LimitReason; readonly key: string } = { reason: 'rate', key: name }
  const where = `${model} in ${region}`

  const refuse = (limit: string, message: string, hint: string, wait?: number): QuotaError => {
    counts.refused++
    const retryAfter = wait === undefined || wait === Number.POSITIVE_INFINITY ? undefined : Math.ceil(wait)
    return new QuotaError(message, { limit, hint, retryAfter })
  }
  const refuseOutright = ({ hold }: Estimate): void => {
    const limit = rules.tokens.limit ?? Number.POSITIVE_INFINITY
    if (quota?.tokensPerMinute === 0 || quota?.requestsPerMinute === 0) {
      throw refuse(
        'tokens',
        `The account's quota (${bucket}) for ${where} is 0 per minute`,
        'Request an increase in the Service Quotas console, or call another profile of the model.',
      )
    }
    if (hold > limit) {
      throw refuse(
        'tokens',
        `This call reserves ${hold} tokens of the quota, but ${where} has ${limit} per minute`,
        'Lower max_tokens: all of it is reserved until the call ends.',
      )
    }
  }
  const refuseToWait = (wait: number, reason: LimitReason, at: string): QuotaError => {
    const limit = at.endsWith('/day') ? 'day' : reason === 'concurrency' ? reason : at === name ? 'tokens' : 'requests'
    const seconds = Math.ceil(wait / 1000)
    return limit === 'day'
      ? refuse(limit, `The account has used up its daily tokens in ${region}`, askAgain(seconds), wait)
      : refuse(limit, `The budget is exhausted: too many ${words[limit]} for ${where}`, askAgain(seconds), wait)
  }

  return {
    estimator,
    async admit(estimate, request, context) {
      refuseOutright(estimate)
      const { expected, hold } = estimate
      const charges: Charge[] = [
        { key: name, rule: rules.tokens, hold, expected },
        { key: `${name}/requests`, rule: rules.requests, hold: 0, expected: 1 },
        { key: `${account}/${region}/day`, rule: rules.day, hold: 0, expected: 0 },
      ]
      const { priority, maxWait } = waitingOf(request, context, settings)
      let ownWait = 0
      const attempt = async (): Promise<Turn<LimitTicket>> => {
        const result = await store.reserve(charges, settings.lease, context)
        states = result.states
        if (result.granted) return { done: result.ticket }
        obstacle = result
        ownWait = result.wait
        return { wait: ownWait }
      }
      const expired = (wait: number): QuotaError => refuseToWait(wait, obstacle.reason, obstacle.key)

      const deadline = context.clock.now() + maxWait
      const isFirst = queue.size === 0
      if (isFirst) {
        const turn = await attempt()
        if ('done' in turn) {
          counts.admitted++
          return turn.done
        }
      }
      const limit = Math.min(
        rules.tokens.limit ?? Number.POSITIVE_INFINITY,
        states[0]?.learned ?? Number.POSITIVE_INFINITY,
      )
      const wait = ownWait + (queue.ahead(priority) * minute) / limit
      if (wait > maxWait) throw expired(wait)
      if (queue.size >= settings.maxQueue)
        throw refuse('queue', `${queue.size} calls already wait for ${where}`, askAgain(Math.ceil(wait / 1000)), wait)
      const ticket = await queue.wait({ priority, expected }, attempt, {
        clock: context.clock,
        signal: request.signal,
        deadline,
        expired,
      })
      counts.admitted++
      counts.delayed++
      // There may be enough for the next call too.
      queue.wake()
      return ticket
    },
    async settle(ticket, { used, throttled, pause }, context) {
      if (throttled) counts.throttled++
      const isOver = used !== undefined
      const outcomes: Settlement[] = [
        { used, throttled: throttled === 'tokens', pause: throttled === 'tokens' ? pause : undefined },
        {
          used: isOver ? 1 : undefined,
          throttled: throttled === 'requests',
          pause: throttled === 'requests' ? pause : undefined,
        },
        { used: isOver ? 0 : undefined, pause: throttled === 'day' ? Math.max(pause ?? 0, dailyPause) : undefined },
      ]
      states = (await store.settle(ticket, outcomes, context)) ?? states
      queue.wake()
    },
    snapshot() {
      const [tokens = nothing, requests = nothing] = states
      const { learned, used, held, open } = tokens
      return {
        ...key,
        quota: quota?.tokensPerMinute,
        learned: learned === undefined ? undefined : Math.round(learned),
        used: Math.round(used),
        held,
        open,
        requests: Math.round(requests.used),
        queued: queue.size,
        ...counts,
      }
    },
  }
}

const words = { tokens: 'tokens per minute', requests: 'requests per minute', concurrency: 'concurrent calls' } as const

const askAgain = (seconds: number): string =>
  `Try again in ${seconds} s, give the call more time with limits.maxWait, or lower max_tokens.`

function quotaOf(quotas: readonly Quota[], { account, region, bucket, model }: BudgetKey): Quota | undefined {
  return quotas.find(
    (quota) =>
      quota.model === model &&
      quota.bucket === bucket &&
      (quota.region ?? region) === region &&
      (quota.account ?? account) === account,
  )
}

function waitingOf(
  { options }: BedrockRequest,
  { timeout }: MiddlewareContext,
  settings: LimitSettings,
): { readonly priority: number; readonly maxWait: number } {
  const { priority = 0, maxWait = settings.maxWait } = options.limits || {}
  assertNumber('limits.priority', priority, Number.MIN_SAFE_INTEGER)
  assertNumber('limits.maxWait', maxWait, 0)
  const { total = 0 } = timeout
  return { priority, maxWait: total > 0 ? Math.min(maxWait, total) : maxWait }
}
