import { type BedrockErrorByCode, type BedrockErrorCode, isBedrockError } from '../core/errors.ts'
import {
  type AnthropicErrorType,
  anthropicErrorTypes,
  statusOfAnthropicError,
} from '../core/internal/anthropic-errors.ts'
import { type ErrorKind, inputTooLong, isOfKind, refusedIdentity, wrongClock } from '../core/internal/error-kinds.ts'
import { hideIdentifiers } from './hide-identifiers.ts'
import { metadataHeaders } from './metadata-headers.ts'

function typeOf(status: number): AnthropicErrorType {
  const known: Readonly<Record<number, AnthropicErrorType>> = anthropicErrorTypes
  return known[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
}

/** An error in the form of Anthropic's API. */
export interface AnthropicError {
  readonly status: number
  readonly type: AnthropicErrorType
  readonly message: string
  readonly requestId?: string | undefined
  /** Whether the same request may succeed later. */
  readonly shouldRetry: boolean
  /** How long to wait before retrying, in milliseconds. */
  readonly retryAfter?: number | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Details for programs. */
  readonly details?: { readonly error_code: string } | undefined
}

/** Options of {@link RefusedRequest}. */
export type RefusalDetails = Partial<Pick<AnthropicError, 'headers' | 'details' | 'shouldRetry' | 'retryAfter'>>

/** A request that is rejected before it reaches Bedrock. */
export class RefusedRequest extends Error {
  readonly status: number
  readonly more: RefusalDetails

  constructor(status: number, message: string, more: RefusalDetails = {}) {
    super(message)
    this.status = status
    this.more = more
  }
}

/**
 * Converts an error to Anthropic's form. Keeps AWS's wording, because clients match on it.
 *
 * @param expose - whether the client may see account IDs, ARNs and hints
 */
export function toAnthropicError(error: unknown, expose: boolean): AnthropicError {
  if (error instanceof RefusedRequest) {
    const { status, message, more } = error
    return { status, type: typeOf(status), message, shouldRetry: false, ...more }
  }
  // JSON is parsed at any depth but serialized recursively. Engines word the resulting error differently.
  if (error instanceof Error && /call stack|too much recursion/i.test(error.message)) {
    return { status: 400, type: 'invalid_request_error', message: 'The body is nested too deeply', shouldRetry: false }
  }
  if (!isBedrockError(error)) {
    const message = expose && error instanceof Error ? error.message : 'Internal error'
    return { status: 500, type: 'api_error', message, shouldRetry: false }
  }
  const status = statusOf(error)
  const words = inAnthropicsWords(error.message)
  // A hint about a model name is meant for the client that sent the name.
  const isForClient = expose || error.code === 'model_resolution'
  const message = error.hint && isForClient ? `${words.replace(/([^.!?])$/, '$1.')} ${error.hint}` : words
  return {
    status,
    type: typeOf(status),
    message: expose ? message : hideIdentifiers(message),
    requestId: error.requestId,
    shouldRetry: 'retryable' in error && error.retryable,
    retryAfter: 'retryAfter' in error ? error.retryAfter : undefined,
  }
}

/** Returns the JSON of an error: a response's body, or the data of an `error` event. */
export function errorJson({ type, message, details, requestId }: AnthropicError): string {
  return JSON.stringify({ type: 'error', error: { type, message, details }, request_id: requestId ?? null })
}

/** Returns an error as a response. */
export function errorResponse(error: AnthropicError): Response {
  const { status, shouldRetry, retryAfter, headers } = error
  return new Response(errorJson(error), {
    status,
    headers: {
      'content-type': 'application/json',
      'x-should-retry': String(shouldRetry),
      ...metadataHeaders(error),
      ...(retryAfter !== undefined && {
        'retry-after': String(Math.ceil(retryAfter / 1000)),
        'retry-after-ms': String(Math.ceil(retryAfter)),
      }),
      ...headers,
    },
  })
}

function statusOf(error: BedrockErrorByCode[BedrockErrorCode]): number {
  switch (error.code) {
    case 'configuration':
    case 'guardrail_intervened':
      return 400
    case 'credentials':
      return 401
    case 'model_resolution':
      return 404
    case 'quota_exceeded':
      return 429
    case 'timeout':
      return 504
    case 'connection':
    case 'stream_truncated':
    case 'stream_corrupt':
      return 502
    // Errors of the tool loop and of structured output, which only a middleware could cause here.
    case 'output_invalid':
    case 'limit_reached':
      return 500
    case 'service':
    case 'stream_exception':
      return statusOfException(error)
  }
}

// Errors for which Anthropic uses another status than AWS.
const byName: Readonly<Record<string, number>> = {
  ServiceQuotaExceededException: 429,
  ModelNotReadyException: 529,
  ServiceUnavailableException: 529,
  ModelTimeoutException: 504,
}
const byStatus: Readonly<Record<number, number>> = { 408: 504, 424: 500, 502: 502, 503: 529 }

/** How AWS rejects an identity, or the time of its signature. */
export const refusedSignature: readonly ErrorKind[] = [...refusedIdentity, wrongClock]

function statusOfException(error: BedrockErrorByCode['service' | 'stream_exception']): number {
  const { status = 500, type = '' } = error
  if (isOfKind(error, ...refusedSignature)) return 401
  if (error.code === 'service' && type === 'ModelErrorException' && (error.originalStatusCode ?? 500) < 500) return 400
  const known = byName[type] ?? byStatus[status]
  if (known) return known
  // An `error` event from Anthropic.
  const own = statusOfAnthropicError(type)
  if (own) return own
  // A redirect, or an unusable success, such as Bedrock's response to an unknown path.
  if (status < 400) return type.startsWith('UnknownOperation') ? 404 : 502
  if (status in anthropicErrorTypes) return status
  return status < 500 ? 400 : 500
}

/**
 * Claude Code compacts a conversation when it reads this token, and other clients when they read Anthropic's words.
 * Bedrock uses neither.
 *
 * @see https://code.claude.com/docs/en/llm-gateway-protocol
 */
function inAnthropicsWords(message: string): string {
  if (!isOfKind({ message }, inputTooLong)) return message
  const words = /prompt is too long/i.test(message) ? message : `prompt is too long: ${message}`
  return `${words} (capability_rejected: prompt_too_long)`
}
