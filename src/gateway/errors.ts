import { errorResponse, RefusedRequest, refusedSignature, toAnthropicError } from '../anthropic/errors.ts'
import { hideIdentifiers } from '../anthropic/hide-identifiers.ts'
import { isBedrockError } from '../core/errors.ts'
import { isOfKind } from '../core/internal/error-kinds.ts'
import type { RequestError, ApiFormat } from './request-context.ts'

// Found out here, before anything was sent.
const ownCodes: readonly string[] = ['configuration', 'model_resolution', 'quota_exceeded']

/** Describes an error for logs, metrics and the status page. */
export function describeError(error: unknown): RequestError {
  if (error instanceof RefusedRequest)
    return { type: `refused_${error.status}`, message: error.message, isUpstream: false }
  if (!isBedrockError(error)) return { type: 'internal', message: 'Internal error', isUpstream: false }
  const { code, message, hint } = error
  const type = ('type' in error && error.type) || code
  return { type, message, hint, isUpstream: !ownCodes.includes(code) }
}

// AWS's error types by status.
const awsTypes: Readonly<Record<number, string>> = {
  400: 'ValidationException',
  401: 'UnrecognizedClientException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  413: 'ValidationException',
  429: 'ThrottlingException',
  502: 'InternalServerException',
  503: 'ServiceUnavailableException',
  504: 'ModelTimeoutException',
  529: 'ThrottlingException',
}

/**
 * Returns the error for refused credentials of the gateway. With a 401, callers would suspect their own key.
 */
export function ownCredentialsError(error: unknown): RefusedRequest | undefined {
  if (!isBedrockError(error)) return undefined
  const isRefused = error.code === 'service' && isOfKind(error, ...refusedSignature)
  if (!isRefused && error.code !== 'credentials') return undefined
  return new RefusedRequest(502, `The gateway's own AWS credentials are not accepted: ${error.message}`)
}

/**
 * Converts an error to the form that the client expects.
 *
 * @param expose - whether the client may see account IDs, ARNs and hints
 */
export function errorResponseFor(api: ApiFormat, error: unknown, expose: boolean): Response {
  const known = toAnthropicError(ownCredentialsError(error) ?? error, expose)
  if (api === 'anthropic') return errorResponse(known)
  const { status, message, headers, retryAfter } = known
  // AWS has no 529, and its SDKs retry a 429.
  const type = awsTypes[status] ?? (status < 500 ? 'ValidationException' : 'InternalServerException')
  return Response.json(
    { message: expose ? message : hideIdentifiers(message) },
    {
      status: status === 529 ? 429 : status,
      headers: {
        'x-amzn-errortype': type,
        ...(retryAfter !== undefined && { 'retry-after': String(Math.ceil(retryAfter / 1000)) }),
        ...headers,
      },
    },
  )
}
