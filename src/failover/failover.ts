import { type BedrockError, ConfigurationError, enrich, isBedrockError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { isGuardrail } from '../core/internal/guardrail.ts'
import { operations } from '../core/internal/operations.ts'
import type { FailedTarget, FailoverCause, FailoverOutcome, Middleware, MiddlewareContext } from '../core/types.ts'
import { callAt } from './call.ts'
import { causeOf } from './cause.ts'
import { cacheLifetime, conversationOf, weightOf } from './conversation.ts'
import { type Destination, findDestinations } from './destinations.ts'
import { createHealth } from './health.ts'
import { type FailoverTargets, readTargets, type Target } from './targets.ts'

/** Options of {@link failover}. */
export interface FailoverOptions {
  /**
   * How many attempts a target gets before a call leaves it, while there is another: another try costs less than a cold
   * cache. What no call leaves a target for is repeated as `retry` says, and so is everything at the last target.
   *
   * @default 2
   */
  readonly attempts?: number | undefined
  /**
   * How long a target that cannot be reached, says that it has no capacity, or throttles three calls in a row is passed
   * over, in milliseconds; longer where it asks for more, but an hour at most.
   *
   * @default 30_000
   */
  readonly cooldown?: number | undefined
  /**
   * How long a conversation that has left its first choice stays away, in milliseconds. Each return costs a new prompt
   * cache, so that it should be longer than one lives.
   *
   * @default a minute longer than Bedrock keeps the prompt: 6 minutes, or 61 where a `cache_control` asks for an hour
   */
  readonly returnAfter?: number | undefined
  /**
   * Decides in place of the built-in rule whether an error makes a call leave a target. Not asked for the daily quota,
   * nor for what fails before anything is sent.
   */
  readonly leaveIf?:
    | ((error: Error & { readonly status?: number; readonly retryable?: boolean }) => boolean)
    | undefined
  /** Leaves out a target whose model means nothing or is not allowed, with a warning. @default false: the call rejects */
  readonly skipUnusable?: boolean | undefined
}

/**
 * Sends a call elsewhere when its target throttles it, has no capacity or cannot be reached: to another profile, model,
 * Region or account, in the order of the list. The call as it is comes first, or where `{}` stands. Targets in a list of
 * their own share the conversations.
 *
 * A conversation stays where its prompt cache is: it leaves its target only when that fails, and comes back when the
 * cache would have gone anyway. Errors of the request or of permissions, guardrails and streams that have begun are never
 * repeated elsewhere, nor is a call beyond the daily quota in the same account and Region. No target runs where the call
 * itself may not, unless its `residency` says so. `metadata.failover` tells which target answered, and why.
 *
 * One `failover(…)` is for one client: it holds what that client has learned.
 *
 * @example
 * ```ts
 * const east = createBedrockClient({ region: 'us-east-1' })
 * const bedrock = east.withOptions({
 *   middleware: [failover([{ region: 'us-west-2' }, { model: 'global.anthropic.claude-sonnet-4-6', residency: 'anywhere' }])],
 * })
 * const { metadata } = await bedrock.messages.create(params)
 * metadata.failover // { target: 'us-west-2', reason: 'failed', tried: [{ target: 'primary', cause: 'throttled', … }] }
 * ```
 * @throws ConfigurationError for targets and options that can never work; the call rejects with one for a target that
 *   leaves where the call may run.
 */
export function failover(targets: FailoverTargets, options: FailoverOptions = {}): Middleware {
  assertOptions(options, '', 'attempts cooldown returnAfter leaveIf skipUnusable')
  const { attempts = 2, cooldown = 30_000, returnAfter, leaveIf, skipUnusable = false } = options
  for (const [name, value] of Object.entries({ cooldown, returnAfter })) {
    if (value !== undefined && !(Number.isFinite(value) && value >= 0))
      throw new ConfigurationError(`${name} must be 0 or more milliseconds`)
  }
  if (!Number.isInteger(attempts) || attempts < 1)
    throw new ConfigurationError('attempts must be a whole number, 1 or more')
  if (leaveIf !== undefined && typeof leaveIf !== 'function') throw new ConfigurationError('leaveIf must be a function')
  const tiers = readTargets(targets)
  const hasClients = tiers.flat().some(({ client }) => client)
  const health = createHealth(cooldown)
  const warned = new Set<string>()

  const whyLeave = (error: unknown): FailoverCause | undefined => {
    const cause = causeOf(error)
    // What was wrong before anything was sent has no `retryable`.
    if (!leaveIf || cause === 'daily-quota' || !isBedrockError(error) || !('retryable' in error)) return cause
    return leaveIf(error) ? (cause ?? 'other') : undefined
  }

  return async function failover(request, next, context) {
    const { clock, logger, model } = context
    if (hasClients) assertGuarded(context)
    const onUnusable = (error: Error, { name }: Target): void => {
      if (!warned.has(name)) logger.warn(`${error.message}; it is left out`)
      warned.add(name)
    }
    const found = await findDestinations(tiers, context, skipUnusable ? onUnusable : undefined)
    const conversation = await conversationOf(request, model.id)
    const ranked = (await Promise.all(found.map((tier) => rank(tier, conversation)))).flat()
    const started = clock.now()
    const place = health.placeOf(conversation, started)
    // Where there is nothing better, what rests is tried too, the soonest to be back first.
    const waiting = [...ranked]
      .sort((a, b) => Number(b.key === place) - Number(a.key === place))
      .map((destination) => ({ destination, until: health.restsUntil(destination) }))
      .map((entry) => (entry.until > started ? entry : { ...entry, until: 0 }))
      .sort((a, b) => a.until - b.until)
      .map(({ destination }) => destination)

    const { total = 0 } = context.timeout
    const isBounded = total > 0 && total < Number.POSITIVE_INFINITY
    const isTold = operations[request.operation].generates
    const tried: FailedTarget[] = []
    const reasonFor = ({ key }: Destination): FailoverOutcome['reason'] => {
      if (tried.length > 0) return 'failed'
      if (key === ranked[0]?.key) return 'preferred'
      return key === place ? 'moved' : 'cooldown'
    }
    for (;;) {
      const destination = waiting.shift() as Destination
      const { name } = destination.target
      try {
        const response = await callAt(destination, request, next, context, {
          isLast: waiting.length === 0,
          left: isBounded ? started + total - clock.now() : undefined,
          attempts,
          leaves: (error) => whyLeave(error) !== undefined,
        })
        response.metadata.failover = { target: name, reason: reasonFor(destination), tried }
        if (isTold) {
          health.succeeded(destination)
          if (destination === ranked[0]) health.place(conversation)
          else if (destination.key !== place)
            health.place(conversation, destination, clock.now() + (returnAfter ?? cacheLifetime(request.body) + 60_000))
        }
        return response
      } catch (error) {
        const cause = whyLeave(error)
        if (!isBedrockError(error)) throw error
        if (!cause) throw withTried(error, tried)
        const {
          status,
          attempts: made,
          retryAfter,
        } = error as { status?: number; attempts?: number; retryAfter?: number }
        // How long `limits` would let this call wait says nothing of others.
        const wait = error.code === 'quota_exceeded' ? undefined : retryAfter
        const rests = isTold && health.failed(destination, cause, wait, clock.now())
        if (cause === 'daily-quota') leaveOut(waiting, destination)
        const isLate = isBounded && clock.now() >= started + total
        if (waiting.length === 0 || isLate || request.signal?.aborted) throw withTried(error, tried)
        tried.push({ target: name, cause, message: error.message, status, attempts: made })
        const follows = `a call goes on to ${waiting[0]?.target.name}`
        if (rests) logger.warn(`The failover target ${name} is passed over for some time (${cause}); ${follows}`)
        else logger.info(`The failover target ${name} failed (${cause}); ${follows}`)
      }
    }
  }
}

/** A tier's destinations, the one that a conversation is drawn to first. */
async function rank(tier: readonly Destination[], conversation: string): Promise<readonly Destination[]> {
  if (tier.length < 2) return tier
  const weighed = await Promise.all(
    tier.map(async (destination) => ({ destination, weight: await weightOf(conversation, destination.target.name) })),
  )
  return weighed.sort((a, b) => (a.weight < b.weight ? 1 : -1)).map(({ destination }) => destination)
}

/** Takes out what shares the daily quota of a destination. */
function leaveOut(waiting: Destination[], { quota }: Destination): void {
  for (let i = waiting.length - 1; i >= 0; i--) if (waiting[i]?.quota === quota) waiting.splice(i, 1)
}

/** @throws ConfigurationError where another client would be called without the guardrail that this one has */
function assertGuarded({ inner }: MiddlewareContext): void {
  if (!inner.some(isGuardrail)) return
  throw new ConfigurationError('A failover target with a client of its own would be called without the guardrail', {
    hint: 'Put guardrails(...) before failover(...) in `middleware`.',
  })
}

function withTried(error: BedrockError, tried: readonly FailedTarget[]): BedrockError {
  return tried.length > 0 ? enrich(error, { tried }) : error
}
