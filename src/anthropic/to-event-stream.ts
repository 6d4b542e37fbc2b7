import type { RawMessageStreamEvent } from '../core/messages/types.ts'
import type { JsonObject } from '../core/types.ts'
import { type AnthropicResponseOptions, resolveResponseOptions } from './response-options.ts'
import { errorResponse } from './errors.ts'
import { eventStreamResponse } from './event-stream.ts'

/** The argument of {@link toEventStream}: the stream of `messages.stream`, or any events of a message. */
export interface MessageEvents extends AsyncIterable<RawMessageStreamEvent> {
  started?(): Promise<unknown>
  abort?(): void
}

/**
 * Responds with a message as Anthropic streams it: server-sent events with pings, for browsers, `EventSource` and
 * Anthropic's SDKs. A failure before the first event is an error response; a later one is an `error` event. If the
 * client disconnects, the call ends.
 *
 * Close an `EventSource` at `message_stop` and at `error`, or it reconnects and sends the request again.
 *
 * @example
 * ```ts
 * export default {
 *   fetch: async (request) => toEventStream(bedrock.messages.stream({ model: 'sonnet', ...(await request.json()) })),
 * }
 * ```
 * @throws ConfigurationError for invalid options.
 */
export async function toEventStream(stream: MessageEvents, options: AnthropicResponseOptions = {}): Promise<Response> {
  const responding = resolveResponseOptions(options)
  const begun = Promise.resolve(stream.started?.()).then(() => ({
    events: stream as AsyncIterable<unknown> as AsyncIterable<JsonObject>,
    metadata: { usage: {}, requestId: undefined },
  }))
  try {
    return await eventStreamResponse(begun, {
      ...responding,
      onClose: (isLeft) => isLeft && stream.abort?.(),
    })
  } catch (error) {
    return errorResponse(responding.describe(error))
  }
}
