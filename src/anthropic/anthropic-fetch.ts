import { ConfigurationError } from '../core/errors.ts'
import { createDefaultLogger } from '../core/internal/logger.ts'
import { systemClock } from '../core/internal/signal.ts'
import type { CallOptions, Clock, Logger } from '../core/types.ts'
import type { AnthropicBackend } from './backend.ts'
import { type AnthropicError, errorResponse, RefusedRequest, toAnthropicError } from './errors.ts'
import { countTokens, createMessage } from './messages.ts'
import { getModel, listModels } from './models.ts'
import { type IncomingRequest, readRequest } from './read-request.ts'

/** Options of {@link anthropicFetch}. */
export interface AnthropicFetchOptions {
  /**
   * Whether errors show account IDs, ARNs and what to do about them. For your own eyes, not for a gateway's users.
   *
   * @default false
   */
  readonly exposeUpstreamErrors?: boolean | undefined
  /**
   * Options of each call, such as a guardrail or deadlines; or a function of the request that gives them. The signal of the
   * request is added.
   */
  readonly callOptions?: CallOptions | ((request: AnthropicRequest) => CallOptions | Promise<CallOptions>) | undefined
  /**
   * Answer `count_tokens` with an estimate, marked `estimated: true`, for a model that Bedrock does not count for. Needs a
   * client of `outcrop`.
   *
   * @default false: that is an error
   */
  readonly estimateTokens?: boolean | undefined
  /** After how many milliseconds of silence a stream sends a `ping`; 0 for never. @default 15_000 */
  readonly pingInterval?: number | undefined
  /** The longest body that is read, in bytes. @default 25_000_000, what Bedrock takes */
  readonly maxBodySize?: number | undefined
  /** Hears the whole text of errors that are shown in part. @default as the client's */
  readonly logger?: Logger | undefined
  /** Time, for tests. @default the real time */
  readonly clock?: Clock | undefined
}

/** What `callOptions` may look at. */
export type AnthropicRequest = Pick<IncomingRequest, 'method' | 'url' | 'headers'>

/**
 * Makes a `fetch` that takes requests meant for Anthropic's API and answers them from Bedrock, for any client that lets
 * its `fetch` be replaced: nothing goes to Anthropic. Messages (whole and streamed), counting and models are there; any
 * host and base path will do. The key of the request is not looked at and goes nowhere.
 *
 * Errors come as Anthropic's, with its statuses and types; it rejects only where the request's own signal aborts.
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
 * @throws ConfigurationError for options that can never work.
 * @see https://platform.claude.com/docs/en/api/messages
 */
export function anthropicFetch(bedrock: AnthropicBackend, options: AnthropicFetchOptions = {}): typeof fetch {
  const {
    exposeUpstreamErrors = false,
    callOptions,
    estimateTokens = false,
    pingInterval = 15_000,
    maxBodySize = 25_000_000,
    logger = createDefaultLogger(),
    clock = systemClock,
  } = options
  if (!(pingInterval >= 0)) throw new ConfigurationError('pingInterval must be 0 or more milliseconds')
  if (!(maxBodySize > 0)) throw new ConfigurationError('maxBodySize must be more than 0 bytes')

  const answer = async (request: IncomingRequest, describe: (error: unknown) => AnthropicError): Promise<Response> => {
    const { method, url, headers, signal } = request
    const { name, id = '' } = routeOf(request)
    if (name === 'models') return id ? getModel(bedrock, id) : listModels(bedrock, url.searchParams)
    const given = typeof callOptions === 'function' ? await callOptions({ method, url, headers }) : callOptions
    const call = { ...given, signal }
    return name === 'messages'
      ? createMessage(bedrock, request, call, { pingInterval, clock, describe })
      : countTokens(bedrock, request, call, estimateTokens)
  }

  return async function anthropicFetch(input, init) {
    const signal = init?.signal ?? (input as Partial<Request>).signal
    const describe = (error: unknown): AnthropicError => {
      signal?.throwIfAborted()
      const shown = toAnthropicError(error, exposeUpstreamErrors)
      if (!(error instanceof RefusedRequest)) logger.warn(`Answered ${shown.status} ${shown.type}`, error)
      return shown
    }
    try {
      signal?.throwIfAborted()
      return await answer(readRequest(input, init, maxBodySize), describe)
    } catch (error) {
      return errorResponse(describe(error))
    }
  }
}

type Route = { readonly name: 'messages' | 'count_tokens' | 'models'; readonly id?: string }

const missing: readonly (readonly [RegExp, string])[] = [
  [/\/messages\/batches(\/|$)/, 'Message batches are not available here. Send the requests one by one.'],
  [/\/files(\/|$)/, 'Amazon Bedrock has no Files API. Send files as base64 in the message.'],
  [/\/skills(\/|$)/, 'Amazon Bedrock has no Skills API.'],
]

/** Which of Anthropic's routes a request means, whatever precedes it. @throws RefusedRequest */
function routeOf({ method, url }: IncomingRequest): Route {
  const path = url.pathname.replace(/\/$/, '')
  const allow = (allowed: string, route: Route): Route => {
    if (method === allowed) return route
    throw new RefusedRequest(405, `${method} is not allowed here`, { allow: allowed })
  }
  if (path.endsWith('/messages')) return allow('POST', { name: 'messages' })
  if (path.endsWith('/messages/count_tokens')) return allow('POST', { name: 'count_tokens' })
  const [isModel, id] = /\/models(?:\/([^/]+))?$/.exec(path) ?? []
  if (isModel) return allow('GET', { name: 'models', ...(id !== undefined && { id: decode(id) }) })
  const [, reason = 'Not found'] = missing.find(([pattern]) => pattern.test(path)) ?? []
  throw new RefusedRequest(404, reason)
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new RefusedRequest(404, 'Not found')
  }
}
