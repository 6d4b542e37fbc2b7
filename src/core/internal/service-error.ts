import { ConnectionError, ServiceError } from '../errors.ts'
import type { Identity, JsonObject } from '../types.ts'
import { isJsonObject, parseJsonObject } from './json.ts'
import { redact } from './redact.ts'

/** What of a response an error is made of. */
export interface ErrorResponse {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/**
 * Makes the error that an answer stands for.
 *
 * The type is looked for as the AWS SDKs do (AWS restJson1, "Operation error serialization"): header, then `code`, then
 * `__type`, without what follows a comma or colon and what precedes a `#`.
 *
 * @see https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
 */
export function serviceErrorFrom(
  { status, headers, text }: ErrorResponse,
  identity?: Identity,
  now: number = Date.now(),
): ServiceError {
  const body = parseJsonObject(text)
  const type = errorType(headers.get('x-amzn-errortype') ?? body?.code ?? body?.__type)
  // The layer that checks authentication spells it with a capital.
  const said = body?.message ?? body?.Message
  const message = typeof said === 'string' && said ? said : describeBody(status, text, body)
  const originalStatusCode = typeof body?.originalStatusCode === 'number' ? body.originalStatusCode : undefined
  return new ServiceError(redact(message, identity), {
    status,
    type,
    retryable: isRetryable(status, type, message, originalStatusCode, headers.get('x-should-retry')),
    retryAfter: retryAfter(headers, now),
    originalStatusCode,
    requestId: requestIdOf(headers),
  })
}

/** The error in an answer with status 200, which Bedrock gives to a path that it does not route. */
export function unknownOperation(
  body: JsonObject,
  status: number,
  requestId: string | undefined,
): ServiceError | undefined {
  const type = isJsonObject(body.Output) ? errorType(body.Output.__type) : undefined
  if (!type) return undefined
  return new ServiceError(`Bedrock does not know this path (${type}, although with HTTP status ${status})`, {
    status,
    type,
    requestId,
    hint: 'Check the model ID or ARN, the endpoint and its base path.',
  })
}

/** Reads a response of `bedrock.fetch` as a JSON object. @throws ServiceError for any status but 2xx. */
export async function readJson(response: Response): Promise<JsonObject> {
  const text = await response.text()
  const requestId = requestIdOf(response.headers)
  if (!response.ok) throw serviceErrorFrom({ status: response.status, headers: response.headers, text })
  const body = parseJsonObject(text)
  if (!body) throw new ConnectionError('The response is not a whole JSON object', { requestId })
  const error = unknownOperation(body, response.status, requestId)
  if (error) throw error
  return body
}

/** The request ID, under any of the names that AWS uses. */
export function requestIdOf(headers: Headers): string | undefined {
  return (
    headers.get('x-amzn-requestid') ?? headers.get('x-amzn-request-id') ?? headers.get('x-amz-request-id') ?? undefined
  )
}

function errorType(said: unknown): string | undefined {
  if (typeof said !== 'string') return undefined
  return said.split(',')[0]?.split(':')[0]?.split('#').at(-1)?.trim() || undefined
}

function describeBody(status: number, text: string, body: JsonObject | undefined): string {
  // A proxy's HTML page: its words are worth more than its markup.
  const words = body ? JSON.stringify(body) : text.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ')
  const excerpt = words.replace(/\s+/g, ' ').trim().slice(0, 300)
  return excerpt && excerpt !== '{}' ? `HTTP ${status}: ${excerpt}` : `HTTP ${status} without a message`
}

/** Whether a status and an error's name mean that the same call may succeed later. */
export function isRetryable(
  status: number,
  type: string | undefined,
  message: string,
  originalStatusCode?: number,
  shouldRetry?: string | null,
): boolean {
  if (shouldRetry === 'true') return true
  if (shouldRetry === 'false' || type === 'ServiceQuotaExceededException') return false
  if (status === 429) return !/per day/i.test(message)
  if (status === 424) return type === 'ModelStreamErrorException' || (originalStatusCode ?? 0) >= 500
  return status === 408 || status === 500 || status === 502 || status === 503 || status === 504
}

function retryAfter(headers: Headers, now: number): number | undefined {
  const milliseconds = headers.get('retry-after-ms')
  if (milliseconds && Number(milliseconds) >= 0) return Number(milliseconds)
  const value = headers.get('retry-after')
  if (!value) return undefined
  if (Number(value) >= 0) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
