import { ConnectionError, ServiceError } from '../errors.ts'
import type { HttpHeaders } from '../internal/http.ts'
import { headersToRecord } from '../internal/headers.ts'
import { parseJsonObject } from '../internal/json.ts'
import { redact } from '../internal/redact.ts'
import { requestIdOf, serviceErrorFrom, unknownOperation } from '../internal/service-error.ts'
import type { BedrockResponse, Clock, ModelRef, ResponseMetadata } from '../types.ts'
import { maxErrorBytes, readText } from './body-reader.ts'
import type { IncomingResponse } from './call.ts'
import { usageFromBody, usageFromHeaders } from './usage.ts'

/** The context of the decoders. */
export interface DecodeContext {
  readonly model: ModelRef
  readonly clock: Clock
  /** The start of the call, in milliseconds since the epoch. */
  readonly started: number
}

/** Decodes a JSON response. @throws ServiceError | ConnectionError */
export async function decodeJson(incoming: IncomingResponse, context: DecodeContext): Promise<BedrockResponse> {
  const { response } = incoming
  if (!response.ok) throw await refusalOf(incoming, context)
  const text = await readText(incoming.body)
  const metadata = createMetadata(incoming, context)
  const { requestId } = metadata
  const body = parseJsonObject(text)
  if (!body) {
    throw new ConnectionError(
      `The response is truncated or not JSON (${text.length} characters, HTTP ${response.status})`,
      { requestId },
    )
  }
  const error = unknownOperation(body, response.status, requestId, incoming.secrets)
  if (error) throw error
  incoming.done()
  Object.assign(metadata.usage, usageFromBody(body.usage))
  metadata.latency = context.clock.now() - context.started
  return { type: 'json', body, metadata }
}

/** Returns the error for a response with any status but 2xx. */
export async function refusalOf(
  { response, body, secrets }: IncomingResponse,
  { clock }: DecodeContext,
): Promise<ServiceError> {
  const { status, headers } = response
  // Browsers hide a redirect's status and target in an "opaque" response with status 0.
  if (status === 0 || (status >= 300 && status < 400)) {
    body.cancel()
    return new ServiceError(
      `The endpoint answered with a redirect${redact(describeTarget(headers), secrets)}, which is not followed`,
      {
        status,
        requestId: requestIdOf(headers, secrets),
        hint: "Pass the redirect's target as the endpoint if you trust it.",
      },
    )
  }
  return serviceErrorFrom({ status, headers, text: await readText(body, maxErrorBytes) }, secrets, clock.now())
}

/** Creates the metadata from a response's status line and headers. */
export function createMetadata(
  { response, attempts, secrets }: IncomingResponse,
  { model }: DecodeContext,
): ResponseMetadata {
  const headers = headersToRecord(response.headers)
  return {
    // Not from the response's own headers, which check each name that they are asked for.
    requestId: requestIdOf({ get: (name) => headers[name] }, secrets),
    status: response.status,
    headers,
    attempts,
    model,
    usage: usageFromHeaders(headers),
    latency: undefined,
  }
}

function describeTarget(headers: HttpHeaders): string {
  const location = headers.get('location')
  return location && URL.canParse(location) ? ` to ${new URL(location).origin}` : ''
}
