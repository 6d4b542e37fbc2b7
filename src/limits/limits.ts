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
    /** How {@link limits} treats this call; `false` lets it pass, uncounted. */
    readonly limits?:
      | false
      | {
          /** Who goes first where calls have to wait: the higher number. @default 0 */
          readonly priority?: number | undefined
          /** How long the call may wait for its turn, in milliseconds. @default that of `limits` */
          readonly maxWait?: number | undefined
        }
      | undefined
  }
}

/** What {@link limits} gives: a middleware that can be asked how things stand. */
export interface Limits extends Middleware {
  /** What is held, used and learned, for each budget that was used. Plain data without secrets, for a log or a page. */
  snapshot(): LimitsSnapshot
}

/** How things stand. */
export interface LimitsSnapshot {
  /**
   * Where the budgets are: in this `memory`, in the `shared` store, or, as that is away, in memory as this process's
   * `share`.
   */
  readonly store: 'memory' | 'shared' | 'share'
  /** How many processes share the budgets, as far as is known. */
  readonly instances: number
  readonly budgets: readonly BudgetSnapshot[]
}

/**
 * Keeps calls within the account's quotas, so that Bedrock need not refuse them.
 *
 * Bedrock sets aside the input and `max_tokens` of a call when it arrives, and counts input, cache writes and the output
 * times the model's burndown when it ends; this does the same beforehand. Each account, Region, kind of profile and model
 * has a budget of its own. Calls that find too little wait for their turn; those that would wait too long are refused at
 * once.
 *
 * With no quota given, it lets everything pass until Bedrock refuses a call for the first time. It then goes on with 0.7
 * of what got through, and comes back slowly. With a quota, it never goes beyond that.
 *
 * Put it behind caches and before nothing else: it is to see the calls that are really sent.
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
 * Calls reject with a {@link QuotaError} (`code: 'quota_exceeded'`) that tells how long to wait.
 *
 * @throws ConfigurationError for options that make no sense.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html
 */
export function limits(options: LimitsOptions = {}): Limits {
  const settings = resolveOptions(options)
  const store = createFallbackStore(settings)
  const budgets = new Map<string, ModelBudget>()

  const budgetFor = async (context: MiddlewareContext): Promise<ModelBudget> => {
    const { model, region } = context
    // Without credentials the call itself says so, and better.
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

/** The request as it goes on: its attempts are heard of, and what it has waited is taken off its deadline. */
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
