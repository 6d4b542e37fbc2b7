import { QuotaError } from '../core/errors.ts'
import type { BedrockRequest, MiddlewareContext } from '../core/types.ts'
import type { BudgetKey } from './budget-key.ts'
import { createEstimator, type Estimate, type Estimator } from './estimate.ts'
import type { FallbackStore } from './fallback-store.ts'
import { assertNumber, type LimitSettings, type Quota } from './options.ts'
import { createLimitQueue, type Turn } from './queue.ts'
import type { BudgetState, Charge, LimitReason, LimitRule, LimitTicket, Settlement } from './store.ts'

const minute = 60_000

/** How one budget stands, as far as this process knows. Counts are of this process. */
export interface BudgetSnapshot extends BudgetKey {
  /** Tokens per minute that the account has, by `quotas`. */
  readonly quota: number | undefined
  /** Tokens per minute that refusals have taught. */
  readonly learned: number | undefined
  /** Tokens of the quota that the calls of the last minute have used. */
  readonly used: number
  /** Tokens of the quota that are set aside for calls under way. */
  readonly held: number
  /** Calls under way. */
  readonly open: number
  /** Requests of the last minute. */
  readonly requests: number
  /** Calls that wait here. */
  readonly queued: number
  /** Calls that were let through. */
  readonly admitted: number
  /** Calls of them that had to wait. */
  readonly delayed: number
  /** Calls that were refused here. */
  readonly refused: number
  /** Attempts that Bedrock refused. */
  readonly throttled: number
}

/** What became of a call. */
export interface CallOutcome {
  /** Tokens of the quota that it took. Left out: it goes on. */
  readonly used?: number | undefined
  /** What Bedrock refused it for, if it did. */
  readonly throttled?: 'tokens' | 'requests' | 'day' | undefined
  /** How long Bedrock asked to wait, in milliseconds. */
  readonly pause?: number | undefined
}

/** The budget of one model in one place. */
export interface ModelBudget {
  readonly estimator: Estimator
  /** Waits until the call may go. @throws QuotaError */
  admit(estimate: Estimate, request: BedrockRequest, context: MiddlewareContext): Promise<LimitTicket>
  /** Never rejects. */
  settle(ticket: LimitTicket, outcome: CallOutcome, context: MiddlewareContext): Promise<void>
  snapshot(): BudgetSnapshot
}

// How long nothing is sent after the account's tokens of the day were used up, in milliseconds. AWS does not say when the
// day ends, so a call every few minutes finds out.
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
        'Ask for an increase in the Service Quotas console, or call another profile of the model.',
      )
    }
    if (hold > limit) {
      throw refuse(
        'tokens',
        `This call sets aside ${hold} tokens of the quota, but ${where} has ${limit} per minute`,
        'Lower max_tokens: all of it is set aside until the call ends.',
      )
    }
  }
  const refuseToWait = (wait: number, reason: LimitReason, at: string): QuotaError => {
    const limit = at.endsWith('/day') ? 'day' : reason === 'concurrency' ? reason : at === name ? 'tokens' : 'requests'
    const seconds = Math.ceil(wait / 1000)
    return limit === 'day'
      ? refuse(limit, `The account has used up its tokens of the day in ${region}`, askAgain(seconds), wait)
      : refuse(limit, `There is no room for this call: too many ${words[limit]} of ${where}`, askAgain(seconds), wait)
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
      let last: { wait: number; reason: LimitReason; key: string } = { wait: 0, reason: 'rate', key: name }
      const attempt = async (): Promise<Turn<LimitTicket>> => {
        const result = await store.reserve(charges, settings.lease, context)
        states = result.states
        if (result.granted) return { done: result.ticket }
        last = result
        return { wait: result.wait }
      }
      const expired = (wait: number): QuotaError => refuseToWait(wait, last.reason, last.key)

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
      const wait = last.wait + (queue.ahead(priority) * minute) / limit
      if (wait > maxWait) throw expired(wait)
      if (queue.size >= settings.maxQueue)
        throw refuse('queue', `${queue.size} calls wait for ${where} already`, askAgain(Math.ceil(wait / 1000)), wait)
      const ticket = await queue.wait({ priority, expected }, attempt, {
        clock: context.clock,
        signal: request.signal,
        deadline,
        expired,
      })
      counts.admitted++
      counts.delayed++
      // There may be enough for the next one as well.
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

const words = { tokens: 'tokens per minute', requests: 'requests per minute', concurrency: 'calls at once' } as const

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
