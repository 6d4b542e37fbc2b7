import { decodePathSegment } from './untrusted.ts'
import type { ArrivedRequest } from './types.ts'

/** The operation and resource of a request. */
export interface Route {
  /** AWS's name for the operation; `Unknown` for a path that AWS does not route. */
  readonly operation: string
  /** The first path variable, decoded: a model, a profile, a guardrail. */
  readonly id?: string | undefined
  /** The second path variable: a guardrail's version. */
  readonly version?: string | undefined
}

// `{}` is a variable. Only the end of a path counts, because an endpoint may have a base path.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations.html
const operations: readonly (readonly [request: string, operation: string])[] = [
  ['POST /model/{}/invoke', 'InvokeModel'],
  ['POST /model/{}/invoke-with-response-stream', 'InvokeModelWithResponseStream'],
  ['POST /model/{}/invoke-with-bidirectional-stream', 'InvokeModelWithBidirectionalStream'],
  ['POST /model/{}/count-tokens', 'CountTokens'],
  ['POST /model/{}/converse', 'Converse'],
  ['POST /model/{}/converse-stream', 'ConverseStream'],
  ['POST /guardrail/{}/version/{}/apply', 'ApplyGuardrail'],
  ['POST /guardrail-checks/invoke', 'InvokeGuardrailChecks'],
  ['POST /async-invoke', 'StartAsyncInvoke'],
  ['GET /async-invoke', 'ListAsyncInvokes'],
  ['GET /async-invoke/{}', 'GetAsyncInvoke'],
  ['GET /inference-profiles', 'ListInferenceProfiles'],
  ['GET /inference-profiles/{}', 'GetInferenceProfile'],
  ['POST /inference-profiles', 'CreateInferenceProfile'],
  ['DELETE /inference-profiles/{}', 'DeleteInferenceProfile'],
  ['GET /foundation-models', 'ListFoundationModels'],
  ['GET /foundation-models/{}', 'GetFoundationModel'],
  ['GET /foundation-model-availability/{}', 'GetFoundationModelAvailability'],
  ['GET /list-foundation-model-agreement-offers/{}', 'ListFoundationModelAgreementOffers'],
  ['POST /create-foundation-model-agreement', 'CreateFoundationModelAgreement'],
  ['POST /delete-foundation-model-agreement', 'DeleteFoundationModelAgreement'],
  ['GET /use-case-for-model-access', 'GetUseCaseForModelAccess'],
  ['POST /use-case-for-model-access', 'PutUseCaseForModelAccess'],
  ['GET /guardrails', 'ListGuardrails'],
  ['GET /guardrails/{}', 'GetGuardrail'],
  ['GET /data-retention', 'GetAccountDataRetention'],
  ['PUT /data-retention', 'PutAccountDataRetention'],
  ['POST /anthropic/v1/messages', 'Messages'],
  ['POST /anthropic/v1/messages/batches', 'MessageBatches'],
]

const routes = operations.map(([request, operation]) => {
  const [method, path = ''] = request.split(' ')
  return { method, pattern: new RegExp(`${path.replaceAll('{}', '([^/]+)')}$`), operation }
})

/** Returns the AWS operation of a request. */
export function routeOf({ method, url, headers }: ArrivedRequest): Route {
  // Over HTTP, all of AWS has one host here.
  if (headers['x-amz-target']?.startsWith('ServiceQuotasV20190624.')) return { operation: 'ListServiceQuotas' }
  if (/^sts\./.test(url.hostname) || /\/sts\/?$/.test(url.pathname)) return { operation: 'STS' }
  for (const { pattern, operation, ...route } of routes) {
    if (route.method !== method) continue
    const [match, id, version] = pattern.exec(url.pathname) ?? []
    if (match === undefined) continue
    return {
      operation,
      ...(id !== undefined && { id: decodePathSegment(id) }),
      ...(version !== undefined && { version: decodePathSegment(version) }),
    }
  }
  return { operation: 'Unknown' }
}
