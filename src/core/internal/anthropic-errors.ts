/**
 * The error types of Anthropic's API by HTTP status.
 *
 * @see https://platform.claude.com/docs/en/api/errors
 */
export const anthropicErrorTypes = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
} as const

export type AnthropicErrorType = (typeof anthropicErrorTypes)[keyof typeof anthropicErrorTypes]

/** Returns the status of an error type in Anthropic's API. */
export function statusOfAnthropicError(type: string): number | undefined {
  const known = Object.entries(anthropicErrorTypes).find(([, name]) => name === type)
  return known && Number(known[0])
}
