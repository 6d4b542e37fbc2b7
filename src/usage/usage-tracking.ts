import { ConfigurationError } from '../core/errors.ts'
import type { JsonObject, Middleware, ModelRef, Operation, ResponseMetadata, TokenUsage } from '../core/types.ts'

/** One call, when it is over. */
export interface UsageRecord {
  readonly operation: Operation
  readonly model: ModelRef
  /** The region that was called. */
  readonly region: string
  /** The inference profile that was called: its ID or ARN. Left out for a base model's ID. */
  readonly profile?: string | undefined
  readonly usage: TokenUsage
  /** Milliseconds until the end. */
  readonly latency: number | undefined
  /** Milliseconds until the first event of a stream. */
  readonly firstByteLatency?: number | undefined
  readonly requestId: string | undefined
  /** Whether the answer came in whole. A stream that was left or failed has the usage as far as it was told. */
  readonly complete: boolean
}

/**
 * Tells each call's tokens and times when it is over: a stream's at its end, also when it was left or failed.
 *
 * @param onUsage - what it throws is not passed on: bookkeeping must not fail a call. It is logged.
 * @example
 * ```ts
 * const bedrock = createBedrockClient({ region, middleware: [usageTracking((record) => meter.add(record))] })
 * ```
 * @throws ConfigurationError without a function.
 */
export function usageTracking(onUsage: (record: UsageRecord) => void): Middleware {
  if (typeof onUsage !== 'function') throw new ConfigurationError('usageTracking needs a function')
  return async ({ operation, ...request }, next, { model, region, logger }) => {
    const response = await next({ operation, ...request })
    const tell = ({ usage, latency, firstByteLatency, requestId }: ResponseMetadata, complete: boolean): void => {
      const profile = model.id === model.base ? undefined : model.id
      try {
        onUsage({ operation, model, region, profile, usage, latency, firstByteLatency, requestId, complete })
      } catch (error) {
        logger.error('usageTracking: the function threw', error)
      }
    }
    if (response.type === 'json') {
      tell(response.metadata, true)
      return response
    }
    return { ...response, events: follow(response.events, response.metadata, tell) }
  }
}

async function* follow(
  events: AsyncIterable<JsonObject>,
  metadata: ResponseMetadata,
  tell: (metadata: ResponseMetadata, complete: boolean) => void,
): AsyncGenerator<JsonObject> {
  let complete = false
  try {
    for await (const event of events) {
      if (event.type === 'message_stop') complete = true
      yield event
    }
    complete = true
  } finally {
    tell(metadata, complete)
  }
}
