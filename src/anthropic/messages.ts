import { isBedrockError, ServiceError } from '../core/errors.ts'
import { isOfKind, uncountable } from '../core/internal/error-kinds.ts'
import { onAbort } from '../core/internal/signal.ts'
import { encodeParams } from '../core/messages/body.ts'
import type { MessageCountTokensParams } from '../core/messages/types.ts'
import type { CallOptions, JsonObject, ResponseMetadata } from '../core/types.ts'
import type { AnthropicBackend } from './backend.ts'
import { RefusedRequest } from './errors.ts'
import { type EventStreamOptions, eventStreamResponse } from './event-stream.ts'
import { metadataHeaders } from './metadata-headers.ts'
import type { IncomingRequest } from './read-request.ts'
import { withUsage } from './usage.ts'

/** Answers `POST /v1/messages`. */
export async function createMessage(
  bedrock: AnthropicBackend,
  request: IncomingRequest,
  options: CallOptions,
  streaming: EventStreamOptions,
): Promise<Response> {
  const params = await readParams(request)
  if (![true, false, undefined].includes(params.stream as boolean | undefined))
    throw new RefusedRequest(400, 'stream: Input should be a valid boolean')
  const call = encodeParams(params)
  if (params.stream) {
    const controller = new AbortController()
    const release = onAbort(options.signal, (reason) => controller.abort(reason))
    const begun = bedrock.invokeStream(call, { ...options, signal: controller.signal })
    begun.catch(release)
    const onClose = (isLeft: boolean): void => {
      release()
      if (isLeft) controller.abort(new DOMException('The client disconnected', 'AbortError'))
    }
    return eventStreamResponse(begun, { ...streaming, onClose })
  }
  const { body, metadata } = await bedrock.invoke(call, options)
  if (body.type !== 'message') {
    throw new ServiceError(`model: ${String(params.model)} does not answer with a message; only Claude does`, {
      status: 404,
      requestId: metadata.requestId,
    })
  }
  const { inputTokens = 0, outputTokens = 0 } = metadata.usage
  return jsonResponse(withUsage(body, { input_tokens: inputTokens, output_tokens: outputTokens }), metadata)
}

/**
 * Answers `POST /v1/messages/count_tokens`.
 *
 * @param estimate - whether to estimate for a model that Bedrock does not count
 */
export async function countTokens(
  bedrock: AnthropicBackend,
  request: IncomingRequest,
  options: CallOptions,
  estimate: boolean,
): Promise<Response> {
  const params = (await readParams(request)) as unknown as MessageCountTokensParams
  const count = (given: MessageCountTokensParams): ReturnType<AnthropicBackend['messages']['countTokens']> =>
    bedrock.messages.countTokens(given, options)
  const { input_tokens, estimated } = await count(params).catch((error: unknown) => {
    if (estimate && isBedrockError(error) && isOfKind(error, uncountable)) return count({ ...params, estimate: true })
    throw error
  })
  return jsonResponse({ input_tokens, ...(estimated && { estimated }) })
}

/** Creates a JSON response of Anthropic's API. */
export function jsonResponse(body: object, metadata: Partial<ResponseMetadata> = {}): Response {
  return new Response(JSON.stringify(body), {
    headers: { 'content-type': 'application/json', ...metadataHeaders(metadata) },
  })
}

/** Reads the parameters of a call: the body, and the headers that Bedrock expects in the body. */
async function readParams({ headers, json }: IncomingRequest): Promise<JsonObject> {
  const { betas, thread, ...params } = await json()
  // An object would count as a resolved model, and bypass every rule for names.
  if (typeof params.model !== 'string') throw new RefusedRequest(400, 'model: Input should be a valid string')
  if (params.model.length > 2048) throw new RefusedRequest(400, 'model: String should have at most 2048 characters')
  if (betas !== undefined) throw new RefusedRequest(400, 'betas: Extra inputs are not permitted')
  // If it were removed silently, the client would send only new messages from now on. The error code makes Anthropic's
  // SDK send the whole conversation.
  if (thread !== undefined && thread !== null) {
    throw new RefusedRequest(400, 'thread: Amazon Bedrock keeps no message threads. Send the whole conversation.', {
      details: { error_code: 'thread_unsupported_request' },
    })
  }
  const named = headers.get('anthropic-beta') ?? ''
  if (named.length > 8192) throw new RefusedRequest(400, 'anthropic-beta: the header has more than 8192 characters')
  const userProfile = headers.get('anthropic-user-profile-id')
  return {
    ...params,
    ...(named && { betas: named.split(',').flatMap((beta) => beta.trim() || []) }),
    // As in Anthropic's own client for Bedrock.
    ...(userProfile && params.user_profile_id === undefined && { user_profile_id: userProfile }),
  }
}
