import { RefusedRequest, refusedSignature } from '../anthropic/errors.ts'
import { hideIdentifiers } from '../anthropic/hide-identifiers.ts'
import { isOfKind } from '../core/internal/error-kinds.ts'
import { parseJsonObject } from '../core/internal/json.ts'
import { requestIdOf, serviceErrorFrom } from '../core/internal/service-error.ts'
import type { BedrockFetchInit, JsonObject } from '../core/types.ts'
import { assertNoGuardrailConfig, callerHeaders } from './caller-headers.ts'
import { describeError } from './errors.ts'
import type { RequestContext } from './request-context.ts'
import type { GatewayContext } from './gateway-context.ts'
import { OutputMeter } from './output-meter.ts'
import { readBody } from './read-body.ts'
import { settleModel } from './resolve-model.ts'
import { watchResponse } from './watch-response.ts'

/** Forwards a model call: resolves the model's name, and passes body and response through unchanged. */
export async function invokeModel(context: RequestContext, gateway: GatewayContext): Promise<Response> {
  const { caller, params, request, route } = context
  const operation = route.path.slice(route.path.lastIndexOf('/') + 1)
  const isCount = operation === 'count-tokens'
  const model = await settleModel(gateway, context, params.model as string)
  context.isStream = operation === 'invoke-with-response-stream'
  const body = await readBody(request, gateway.maxBodySize)
  if (!isCount && (caller?.guardrail || caller?.limits)) {
    const read = readJsonObject(body)
    assertNoGuardrailConfig(caller, read)
    await gateway.budget.reserve(context, read)
  }
  // Bedrock counts tokens only for base models, and accepts a guardrail only if something is generated.
  const id = (isCount && model.base) || model.id
  const headers = { ...requestHeaders(request.headers), ...(!isCount && callerHeaders(caller, request.headers)) }
  return pass(context, gateway, `/model/${encodeURIComponent(id)}/${operation}`, {
    body,
    headers,
    ...(model.region !== undefined && { region: model.region }),
    // An answer that is not streamed may take as long as Bedrock lets an inference run.
    ...(operation === 'invoke' && { timeout: { response: 3_600_000 } }),
  })
}

/** Forwards the list of the account's inference profiles. */
export async function listInferenceProfiles(context: RequestContext, gateway: GatewayContext): Promise<Response> {
  return pass(context, gateway, `/inference-profiles${context.url.search}`)
}

/** Forwards a request for an inference profile. */
export async function getInferenceProfile(context: RequestContext, gateway: GatewayContext): Promise<Response> {
  return pass(context, gateway, `/inference-profiles/${segment(context.params.profile)}`)
}

/** Forwards a text for a guardrail to check. */
export async function applyGuardrail(context: RequestContext, gateway: GatewayContext): Promise<Response> {
  const { params, request } = context
  const body = await readBody(request, gateway.maxBodySize)
  const path = `/guardrail/${segment(params.guardrail)}/version/${segment(params.version)}/apply`
  return pass(context, gateway, path, { body, headers: requestHeaders(request.headers) })
}

async function pass(
  context: RequestContext,
  { bedrock, exposeUpstreamErrors, logger }: GatewayContext,
  path: string,
  init: BedrockFetchInit = {},
): Promise<Response> {
  const response = await bedrock.fetch(path, {
    ...init,
    signal: context.request.signal,
    // The caller retries failures. The gateway only replaces a connection that turns out to be dead.
    retry: { retryIf: () => false },
  })
  const { status, headers } = response
  context.requestId = requestIdOf(headers)
  const meter = new OutputMeter()
  if (response.ok) {
    const watch = watchResponse(headers, meter)
    context.usage = () => meter.complete(watch.usage)
    context.watch = watch
    return new Response(response.body, { status, headers: responseHeaders(headers) })
  }
  if (status < 400) throw new RefusedRequest(502, `Bedrock's endpoint answered with the status ${status}`)
  const text = await response.text()
  const error = serviceErrorFrom({ status, headers, text })
  // Not the caller's fault, and new keys of theirs would not help.
  if (isOfKind(error, ...refusedSignature)) throw error
  context.error = describeError(error)
  logger[status >= 500 || status === 403 ? 'warn' : 'debug'](`Answered ${status}`, error)
  return new Response(exposeUpstreamErrors ? text : hideIdentifiers(text), {
    status,
    headers: responseHeaders(headers),
  })
}

function segment(value = ''): string {
  // These have a special meaning in a path.
  if (/^\.{1,2}$/.test(value)) throw new RefusedRequest(404, 'Not found')
  return encodeURIComponent(value)
}

function readJsonObject(bytes: Uint8Array): JsonObject {
  const body = parseJsonObject(new TextDecoder().decode(bytes))
  if (!body) throw new RefusedRequest(400, 'The request body must be a JSON object')
  return body
}

// The headers that Bedrock reads. A client's release may add new names of these kinds. All others, including the
// client's own signature, are removed.
const passedOn = /^(accept|content-type|anthropic-[\w-]+|x-amzn-bedrock-[\w-]+)$/

function requestHeaders(given: Headers): Record<string, string> {
  return Object.fromEntries([...given].filter(([name]) => passedOn.test(name)))
}

// Headers that describe one connection, or the encoding of a body that has been decoded: RFC 9110, 7.6.1.
const ofConnection = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

function responseHeaders(given: Headers): Headers {
  return new Headers([...given].filter(([name]) => !ofConnection.has(name)))
}
