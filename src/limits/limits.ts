import { type EventTap, tapEvents } from '../core/internal/event-iterator.ts'
import { operations } from '../core/internal/operations.ts'
import type { BedrockRequest, FailedAttempt, Middleware, MiddlewareContext } from '../core/types.ts'
import { burndownOf } from '../models/burndown.ts'
import { accountOf, bucketOf } from './budget-key.ts'
import { createFallbackStore } from './fallback-store.ts'
import { type BudgetSnapshot, createModelBudget, type ModelBudget } from './model-budget.ts'
import { openCall } from './open-call.ts'
import { type LimitsOptions, resolveOptions } from './options.ts'

declare global {
  interface OutcropCallOptions {
    /** How {@link limits} treats this call; `false` lets it pass without counting it. */
    readonly limits?:
      | false
      | {
          /** The order of waiting calls: higher numbers go first. @default 0 */
          readonly priority?: number | undefined
          /** How long the call may wait, in milliseconds. @default the option of `limits` */
          readonly maxWait?: number | undefined
        }
      | undefined
  }
}

/** The middleware that {@link limits} returns, with a view of its state. */
export interface Limits extends Middleware {
  /** Returns the state of each budget in use. Plain data without secrets, for a log or a page. */
  snapshot(): LimitsSnapshot
}

/** The state of a limiter. */
export interface LimitsSnapshot {
  /**
   * Where the budgets are: in this process's `memory`, in the `shared` store, or, while the store is unavailable, in
   * memory as this process's `share`.
   */
  readonly store: 'memory' | 'shared' | 'share'
  /** The number of processes that share the budgets, as far as known. */
  readonly instances: number
  readonly budgets: readonly BudgetSnapshot[]
}

/**
 * Keeps calls within the account's quotas, so that Bedrock need not refuse them.
 *
 * Bedrock reserves the input and `max_tokens` of a call when it arrives. When the call ends, Bedrock counts input,
 * cache writes and the output times the model's burndown rate. This middleware does the same in advance, with a
 * separate budget for each account, Region, kind of profile and model. If a budget is too low, calls wait for their
 * turn; calls that would wait too long are rejected at once.
 *
 * Without quotas, it lets everything pass until Bedrock first refuses a call. It then continues with 0.7 of the rate
 * that got through, and recovers slowly. With a quota, it never exceeds that.
 *
 * Put it after caches in `middleware`, as the last one, so that it sees the calls that are really sent.
 *
 * @example
 * ```ts
 * const plain = createBedrockClient({ region: 'us-east-1' })
 * const { quotas } = await readQuotas(plain)
 * const limiter = limits({ quotas, store: redisLimitStore(redis) })
 * const bedrock = plain.withOptions({ middleware: [limiter] })
 * await bedrock.messages.create(params, { limits: { priority: 1, maxWait: 5_000 } })
 * limiter.snapshot()
 * ```
 * Calls reject with a {@link QuotaError} (`code: 'quota_exceeded'`) that says how long to wait.
 *
 * @throws ConfigurationError for invalid options.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html
 */
export function limits(options: LimitsOptions = {}): Limits {
  const settings = resolveOptions(options)
  const store = createFallbackStore(settings)
  const budgets = new Map<string, ModelBudget>()
  const warned = new WeakSet<ModelBudget>()

  const budgetFor = async (context: MiddlewareContext): Promise<ModelBudget> => {
    const { model, region } = context
    // If there are no credentials, the call itself reports a better error.
    const account = settings.account ?? (await context.identity().then(accountOf, () => 'default'))
    const key = { account, region, bucket: bucketOf(model), model: model.base ?? model.id }
    const name = Object.values(key).join('/')
    let budget = budgets.get(name)
    if (!budget) {
      budget = createModelBudget(key, store, settings)
      budgets.set(name, budget)
    }
    return budget
  }

  const middleware: Middleware = async function limits(request, next, context) {
    const { operation, options: own } = request
    if (!operations[operation].generates || own.limits === false) return next(request)
    const { clock } = context
    const started = clock.now()
    const budget = await budgetFor(context)
    const burndown = burndownOf(context.model.base).rate
    const estimate = budget.estimator.estimate(request.body, context.model.base, burndown)
    if (!estimate.hasMaxTokens && !warned.has(budget)) {
      warned.add(budget)
      context.logger.warn(
        `A call of ${context.model.id} sets no max_tokens, so it reserves ${estimate.hold} tokens until it ends`,
      )
    }
    const ticket = await budget.admit(estimate, request, context)
    const waited = clock.now() - started
    const call = openCall({ budget, ticket, estimate, burndown, request, context })
    try {
      const response = await next(watched(request, context, waited, call.retried))
      const { metadata } = response
      metadata.limits = { waited, reserved: estimate.hold }
      if (response.type === 'json') {
        await call.end(metadata.usage)
        return response
      }
      const tap: EventTap = {
        event: (event) => call.see(event),
        end: () => call.end(metadata.usage),
        closed: (error) => call.leave(metadata.usage, error),
      }
      return { ...response, events: tapEvents(response.events, tap, request.signal) }
    } catch (error) {
      call.fail(error)
      throw error
    }
  }
  return Object.assign(middleware, {
    snapshot: (): LimitsSnapshot => ({
      store: store.mode,
      instances: store.sharers,
      budgets: [...budgets.values()].map((budget) => budget.snapshot()),
    }),
  })
}

/** Returns the request to pass on: with a listener for retries, and the waiting time deducted from its timeout. */
function watched(
  request: BedrockRequest,
  { timeout }: MiddlewareContext,
  waited: number,
  retried: (failed: FailedAttempt) => void,
): BedrockRequest {
  const { options } = request
  const { total = 0 } = timeout
  const hasDeadline = waited > 0 && total > 0 && total < Number.POSITIVE_INFINITY
  return {
    ...request,
    options: {
      ...options,
      ...(hasDeadline && { timeout: { ...options.timeout, total: Math.max(1, total - waited) } }),
      onRetry(failed) {
        retried(failed)
        options.onRetry?.(failed)
      },
    },
  }
}
