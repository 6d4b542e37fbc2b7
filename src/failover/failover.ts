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
   * The number of attempts before a call leaves a target, as long as another is left. Errors for which no call leaves, and
   * all errors at the last target, are retried as `retry` says.
   *
   * @default 2
   */
  readonly attempts?: number | undefined
  /**
   * How long all calls avoid a target that cannot be reached, has no capacity, or has throttled three calls in a row, in
   * milliseconds. Longer if its `retry-after` says so, but at most an hour.
   *
   * @default 30_000
   */
  readonly cooldown?: number | undefined
  /**
   * How long a conversation stays away after it left its first choice, in milliseconds. Each return writes a new prompt
   * cache, so this should be longer than a cache lives.
   *
   * @default a minute longer than a cache lives: 6 minutes, or 61 if a `cache_control` in the body asks for an hour
   */
  readonly returnAfter?: number | undefined
  /**
   * Replaces the built-in rule that decides whether an error makes a call leave a target. Not called for the daily quota,
   * nor for errors before anything is sent.
   */
  readonly leaveIf?:
    | ((error: Error & { readonly status?: number; readonly retryable?: boolean }) => boolean)
    | undefined
  /** Skips a target whose model is unknown or not allowed, with a warning. @default false: the call rejects */
  readonly skipUnusable?: boolean | undefined
}

/**
 * Creates a middleware that sends a call to another profile, model, Region or account if its target throttles it, has no
 * capacity or cannot be reached. Targets are tried in the order of the list. The unchanged call comes first, or where
 * `{}` is in the list. Targets in a nested list share the conversations.
 *
 * A conversation stays where its prompt cache is: it leaves its target only if that fails, and returns when its old cache
 * has expired. Errors of the request, permissions, guardrails and streams that have begun are never repeated elsewhere,
 * nor is a call beyond the daily quota in the same account and Region. No target runs where the call itself may not,
 * unless its `residency` allows it. `metadata.failover` has the target that answered, and the reason.
 *
 * Create one for each client: it remembers targets and conversations.
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
 * @throws ConfigurationError for invalid targets and options. The call rejects with one if a target may run where the
 *   call may not.
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
    // Errors before anything is sent have no `retryable`.
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
    // A long prompt takes as long to hash as to sign, and in most calls nothing hangs on it.
    let hash: Promise<string> | undefined
    const conversation = (): Promise<string> => {
      hash ??= conversationOf(request, model.id)
      return hash
    }
    const ranked = (await Promise.all(found.map((tier) => rank(tier, conversation)))).flat()
    const started = clock.now()
    const place = health.hasMoved(started) ? health.placeOf(await conversation(), started) : undefined
    const waiting = inOrder(ranked, place, (destination) => Math.max(started, health.restsUntil(destination)))

    const { total = 0 } = context.timeout
    const isBounded = total > 0 && total < Number.POSITIVE_INFINITY
    const { generates } = operations[request.operation]
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
        if (generates) {
          health.succeeded(destination)
          const isHome = destination === ranked[0]
          if (isHome && place !== undefined) health.moveBack(await conversation())
          if (!isHome && destination.key !== place) {
            const stay = returnAfter ?? cacheLifetime(request.body) + 60_000
            health.move(await conversation(), destination, clock.now() + stay)
          }
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
        // The wait that `limits` names is that of this call alone.
        const wait = error.code === 'quota_exceeded' ? undefined : retryAfter
        const rests = generates && health.failed(destination, cause, wait, clock.now())
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

/** Orders destinations: the conversation's place, then by rank. Those that rest come last, the next to return first. */
function inOrder(
  ranked: readonly Destination[],
  place: string | undefined,
  availableFrom: (destination: Destination) => number,
): Destination[] {
  return ranked
    .map((destination) => ({ destination, from: availableFrom(destination), isElsewhere: destination.key !== place }))
    .sort((a, b) => a.from - b.from || Number(a.isElsewhere) - Number(b.isElsewhere))
    .map(({ destination }) => destination)
}

/** Ranks the destinations of a tier for a conversation. */
async function rank(
  tier: readonly Destination[],
  conversation: () => Promise<string>,
): Promise<readonly Destination[]> {
  if (tier.length < 2) return tier
  const hash = await conversation()
  const weighed = await Promise.all(
    tier.map(async (destination) => ({ destination, weight: await weightOf(hash, destination.target.name) })),
  )
  return weighed.sort((a, b) => (a.weight < b.weight ? 1 : -1)).map(({ destination }) => destination)
}

/** Removes the destinations that share a daily quota. */
function leaveOut(waiting: Destination[], { quota }: Destination): void {
  for (let i = waiting.length - 1; i >= 0; i--) if (waiting[i]?.quota === quota) waiting.splice(i, 1)
}

/** @throws ConfigurationError if another client would be called without this client's guardrail. */
function assertGuarded({ inner }: MiddlewareContext): void {
  if (!inner.some(isGuardrail)) return
  throw new ConfigurationError('A failover target with a client of its own would be called without the guardrail', {
    hint: 'Put guardrails(...) before failover(...) in `middleware`.',
  })
}

function withTried(error: BedrockError, tried: readonly FailedTarget[]): BedrockError {
  return tried.length > 0 ? enrich(error, { tried }) : error
}
