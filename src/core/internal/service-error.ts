import { ConnectionError, ServiceError } from '../errors.ts'
import type { JsonObject } from '../types.ts'
import { dailyQuota, isOfKind, serviceQuota } from './error-kinds.ts'
import type { HttpHeaders } from './http.ts'
import { isJsonObject, parseJsonObject } from './json.ts'
import { bounded, redact, type Secrets } from './redact.ts'

/** The parts of a response that an error is made from. */
export interface ErrorResponse {
  readonly status: number
  readonly headers: HttpHeaders
  readonly text: string
}

/**
 * Creates the error for a response.
 *
 * Looks for the type as the AWS SDKs do (AWS restJson1, "Operation error serialization"): in the header, then `code`,
 * then `__type`, without anything after a comma or colon or before a `#`.
 *
 * @see https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
 */
export function serviceErrorFrom(
  { status, headers, text }: ErrorResponse,
  secrets?: Secrets,
  now: number = Date.now(),
): ServiceError {
  const body = parseJsonObject(text)
  const type = errorType(headers.get('x-amzn-errortype') ?? body?.code ?? body?.__type, secrets)
  // AWS's authentication layer capitalizes the name.
  const said = body?.message ?? body?.Message
  const message = redact(typeof said === 'string' && said ? said : describeBody(status, text, body, secrets), secrets)
  const originalStatusCode = typeof body?.originalStatusCode === 'number' ? body.originalStatusCode : undefined
  return new ServiceError(message, {
    status,
    type,
    retryable: isRetryable(status, type, message, originalStatusCode, headers.get('x-should-retry')),
    retryAfter: retryAfter(headers, now),
    originalStatusCode,
    requestId: requestIdOf(headers, secrets),
  })
}

/** Returns the error in a response with status 200, as Bedrock sends for an unknown path. */
export function unknownOperation(
  body: JsonObject,
  status: number,
  requestId: string | undefined,
  secrets: Secrets | undefined,
): ServiceError | undefined {
  const type = isJsonObject(body.Output) ? errorType(body.Output.__type, secrets) : undefined
  if (!type) return undefined
  return new ServiceError(`Bedrock does not know this path (${type}, although with HTTP status ${status})`, {
    status,
    type,
    requestId,
    hint: 'Check the model ID or ARN, the endpoint and its base path.',
  })
}

// The secrets of responses that `bedrock.fetch` returned.
const secretsInPlay = new WeakMap<Response, Secrets>()

/** Registers the secrets of a response for {@link readJson}. */
export function guardResponse(response: Response, secrets: Secrets): Response {
  secretsInPlay.set(response, secrets)
  return response
}

/** Reads a response of `bedrock.fetch` as a JSON object. @throws ServiceError for any status but 2xx. */
export async function readJson(response: Response): Promise<JsonObject> {
  const { status, headers } = response
  const text = await response.text()
  const secrets = secretsInPlay.get(response)
  const requestId = requestIdOf(headers, secrets)
  if (!response.ok) throw serviceErrorFrom({ status, headers, text }, secrets)
  const body = parseJsonObject(text)
  if (!body) throw new ConnectionError('The response is not a complete JSON object', { requestId })
  const error = unknownOperation(body, status, requestId, secrets)
  if (error) throw error
  return body
}

/** Returns the request ID, under any of AWS's names; `undefined` if it is not an ID. */
export function requestIdOf(
  headers: { get(name: string): string | null | undefined },
  secrets?: Secrets,
): string | undefined {
  const id =
    headers.get('x-amzn-requestid') ?? headers.get('x-amzn-request-id') ?? headers.get('x-amz-request-id') ?? ''
  if (!id) return undefined
  // AWS's own ID is a UUID, and no secret has that form.
  const shown = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(id) ? id : redact(id, secrets)
  return /^[\w.:+/=-]{1,128}$/.test(shown) ? shown : undefined
}

/** Returns the error type in a response; `undefined` if it is not a name. */
export function errorType(said: unknown, secrets?: Secrets): string | undefined {
  if (typeof said !== 'string') return undefined
  const name = redact(said, secrets).split(',')[0]?.split(':')[0]?.split('#').at(-1)?.trim() ?? ''
  return /^[A-Za-z][\w.]{0,127}$/.test(name) ? name : undefined
}

function describeBody(status: number, text: string, body: JsonObject | undefined, secrets?: Secrets): string {
  const said = redact(body ? textOf(body) : wordsOf(bounded(text)), secrets).trim()
  // Truncated only now, because half a secret would not have been recognized.
  return said && said !== '{}' ? `HTTP ${status}: ${said.slice(0, 300)}` : `HTTP ${status} without a message`
}

// Serialized again, because an escape would hide a secret. Parsing accepts deeper objects than the stack can serialize.
function textOf(body: JsonObject): string {
  try {
    return JSON.stringify(body)
  } catch {
    return ''
  }
}

// The text of a proxy's HTML page, without its markup.
function wordsOf(html: string): string {
  const parts = html.split(/<\/(?:style|script)>/i).map((part) => part.split(/<(?:style|script)/i)[0])
  return parts.join(' ').replace(/<[^<>]*>/g, ' ')
}

/** Tests whether a status and an error's name mean that the same call may succeed later. */
export function isRetryable(
  status: number,
  type: string | undefined,
  message: string,
  originalStatusCode?: number,
  shouldRetry?: string | null,
): boolean {
  if (shouldRetry === 'true') return true
  if (shouldRetry === 'false' || isOfKind({ type: type ?? '', message }, dailyQuota, serviceQuota)) return false
  if (status === 424) return type === 'ModelStreamErrorException' || (originalStatusCode ?? 0) >= 500
  return [408, 429, 500, 502, 503, 504, 529].includes(status)
}

function retryAfter(headers: HttpHeaders, now: number): number | undefined {
  const milliseconds = headers.get('retry-after-ms') ?? headers.get('x-amz-retry-after')
  if (milliseconds && Number(milliseconds) >= 0) return Number(milliseconds)
  const value = headers.get('retry-after')
  if (!value) return undefined
  if (Number(value) >= 0) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
