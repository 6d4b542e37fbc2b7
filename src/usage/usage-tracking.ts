import { ConfigurationError } from '../core/errors.ts'
import { type EventTap, tapEvents } from '../core/internal/event-iterator.ts'
import type { CacheOutcome, Middleware, ModelRef, Operation, TokenUsage } from '../core/types.ts'

/** A finished call. */
export interface UsageRecord {
  readonly operation: Operation
  readonly model: ModelRef
  /** The Region that was called. */
  readonly region: string
  /** The inference profile that was called, as its ID or ARN. Left out for a base model's ID. */
  readonly profile?: string | undefined
  readonly usage: TokenUsage
  /** Milliseconds until the call ended. */
  readonly latency: number
  /** Milliseconds until the first event of a stream. */
  readonly firstByteLatency?: number | undefined
  readonly requestId: string | undefined
  /**
   * The outcome of the response cache, if there is one. A hit has the usage of the call that produced the answer, and
   * costs nothing.
   */
  readonly cache?: CacheOutcome | undefined
  /** Whether the answer arrived complete. A stream that was left or failed has the usage reported so far. */
  readonly complete: boolean
}

/**
 * Reports the tokens and times of each call when it is over. A stream is reported at its end, even if it was left,
 * failed, or was aborted unread.
 *
 * @param onUsage - receives each record. If it throws, the error is logged and does not fail the call.
 * @example
 * ```ts
 * const bedrock = createBedrockClient({ region, middleware: [usageTracking((record) => meter.add(record))] })
 * ```
 * @throws ConfigurationError if `onUsage` is not a function.
 */
export function usageTracking(onUsage: (record: UsageRecord) => void): Middleware {
  if (typeof onUsage !== 'function') throw new ConfigurationError('usageTracking needs a function')
  return async function usageTracking(request, next, { region: asked, clock, logger }) {
    const { operation } = request
    const started = clock.now()
    const response = await next(request)
    const { metadata } = response
    const report = (complete: boolean): void => {
      const { model, usage, latency = clock.now() - started, firstByteLatency, requestId, cache } = metadata
      const { region = asked } = model
      const profile = model.id === model.base ? undefined : model.id
      try {
        onUsage({ operation, model, region, profile, usage, latency, firstByteLatency, requestId, cache, complete })
      } catch (error) {
        logger.error('usageTracking: the function threw', error)
      }
    }
    if (response.type === 'json') {
      report(true)
      return response
    }
    let complete = false
    const tap: EventTap = {
      event({ type }) {
        if (type === 'message_stop') complete = true
      },
      end() {
        complete = true
      },
      closed: () => report(complete),
    }
    return { ...response, events: tapEvents(response.events, tap, request.signal) }
  }
}
