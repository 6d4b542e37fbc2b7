import { ConfigurationError } from '../core/errors.ts'
import { mergeHeaders } from '../core/internal/headers.ts'
import type { CallOptions } from '../core/types.ts'
import { type AnthropicResponseOptions, resolveResponseOptions } from './response-options.ts'
import type { AnthropicBackend } from './backend.ts'
import { type AnthropicError, errorResponse, RefusedRequest } from './errors.ts'
import type { EventStreamOptions } from './event-stream.ts'
import { countTokens, createMessage } from './messages.ts'
import { getModel, listModels } from './models.ts'
import { type IncomingRequest, readRequest } from './read-request.ts'

/** Options of {@link anthropicFetch}. */
export interface AnthropicFetchOptions extends AnthropicResponseOptions {
  /**
   * Options for each call, such as a guardrail or timeouts, or a function that returns them for a request. The
   * request's own signal also ends the call.
   */
  readonly callOptions?: CallOptions | ((request: AnthropicRequest) => CallOptions | Promise<CallOptions>) | undefined
  /**
   * Whether to answer `count_tokens` with an estimate, marked `estimated: true`, for a model that Bedrock does not
   * count. Needs a client of `outcrop`.
   *
   * @default false, which makes it an error
   */
  readonly estimateTokens?: boolean | undefined
  /** The maximum body size in bytes. @default 25_000_000, Bedrock's own limit */
  readonly maxBodySize?: number | undefined
}

/** The request, for `callOptions`. */
export type AnthropicRequest = Pick<IncomingRequest, 'method' | 'url' | 'headers'>

/**
 * Creates a `fetch` that accepts requests for Anthropic's API and answers them from Bedrock, for any client that lets
 * you replace its `fetch`. No request reaches Anthropic. It supports messages (whole and streamed), token counting and
 * models, under any host and base path. It ignores the request's API key and forwards it to nobody.
 *
 * Errors have Anthropic's statuses and types. The function rejects only if the request's own signal aborts.
 *
 * @example
 * ```ts
 * import Anthropic from '@anthropic-ai/sdk'
 * import { createBedrockClient } from 'outcrop'
 * import { anthropicFetch } from 'outcrop/anthropic'
 *
 * const bedrock = createBedrockClient({ region: 'us-east-1' })
 * const anthropic = new Anthropic({ apiKey: 'unused', fetch: anthropicFetch(bedrock) })
 * ```
 * @throws ConfigurationError for invalid options.
 * @see https://platform.claude.com/docs/en/api/messages
 */
export function anthropicFetch(bedrock: AnthropicBackend, options: AnthropicFetchOptions = {}): typeof fetch {
  const responding = resolveResponseOptions(options, 'callOptions estimateTokens maxBodySize')
  const { callOptions, estimateTokens = false, maxBodySize = 25_000_000 } = options
  if (!(maxBodySize > 0)) throw new ConfigurationError('maxBodySize must be more than 0 bytes')

  const answer = async (request: IncomingRequest, describe: EventStreamOptions['describe']): Promise<Response> => {
    const { method, url, headers, signal } = request
    const { name, id = '' } = routeOf(request)
    if (name === 'models') return id ? getModel(bedrock, id) : listModels(bedrock, url.searchParams)
    const given = typeof callOptions === 'function' ? await callOptions({ method, url, headers }) : callOptions
    const session = headers.get(sessionHeader)
    const call = {
      ...given,
      ...(session && { headers: mergeHeaders({ [sessionHeader]: session }, given?.headers) }),
      signal: anyOf(signal, given?.signal),
    }
    return name === 'messages'
      ? createMessage(bedrock, request, call, { ...responding, describe })
      : countTokens(bedrock, request, call, estimateTokens)
  }

  return async function anthropicFetch(input, init) {
    const signal = init?.signal ?? (input as Partial<Request> | undefined)?.signal
    const describe = (error: unknown): AnthropicError => {
      signal?.throwIfAborted()
      return responding.describe(error)
    }
    try {
      signal?.throwIfAborted()
      return await answer(readRequest(input, init, maxBodySize), describe)
    } catch (error) {
      return errorResponse(describe(error))
    }
  }
}

// Failover identifies conversations by this header. Claude Code sends it to Bedrock itself.
const sessionHeader = 'x-claude-code-session-id'

function anyOf(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : (one ?? other)
}

type Route = { readonly name: 'messages' | 'count_tokens' | 'models'; readonly id?: string }

const missing: readonly (readonly [RegExp, string])[] = [
  [/\/messages\/batches(\/|$)/, 'Message batches are not available here. Send the requests one by one.'],
  [/\/files(\/|$)/, 'Amazon Bedrock has no Files API. Send files as base64 in the message.'],
  [/\/skills(\/|$)/, 'Amazon Bedrock has no Skills API.'],
]

/** Returns Anthropic's route of a request, under any base path. @throws RefusedRequest */
function routeOf({ method, url }: IncomingRequest): Route {
  const path = url.pathname.replace(/\/$/, '')
  const allow = (allowed: string, route: Route): Route => {
    if (method === allowed) return route
    throw new RefusedRequest(405, `${method} is not allowed here`, { headers: { allow: allowed } })
  }
  if (path.endsWith('/messages')) return allow('POST', { name: 'messages' })
  if (path.endsWith('/messages/count_tokens')) return allow('POST', { name: 'count_tokens' })
  const [isModel, id] = /\/models(?:\/([^/]{1,2048}))?$/.exec(path) ?? []
  if (isModel) return allow('GET', { name: 'models', ...(id !== undefined && { id: decode(id) }) })
  throw new RefusedRequest(404, reasonMissing(path))
}

/** Why a path of Anthropic's API is not there. */
export function reasonMissing(path: string): string {
  const [, reason = 'Not found'] = missing.find(([pattern]) => pattern.test(path)) ?? []
  return reason
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new RefusedRequest(404, 'Not found')
  }
}
