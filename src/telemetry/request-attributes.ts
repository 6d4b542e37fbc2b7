import { guardrailIdOf } from '../core/internal/guardrail.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { operations } from '../core/internal/operations.ts'
import type { BedrockRequest, JsonValue, MiddlewareContext } from '../core/types.ts'
import { attribute, editions, ownAttribute, providerName, type TelemetryConventions } from './names.ts'
import type { TelemetryAttributes } from './opentelemetry.ts'

/** Returns the conventions' name for an operation. */
export function operationName({ operation, body }: BedrockRequest, { model }: MiddlewareContext): string {
  if (!operations[operation].generates) return 'count_tokens'
  if (isJsonObject(body) && 'messages' in body) return 'chat'
  return /embed/.test(model.base ?? model.id) ? 'embeddings' : 'generate_content'
}

/** Returns the attributes of spans and metrics that are known when a call starts. */
export function callAttributes(request: BedrockRequest, context: MiddlewareContext): TelemetryAttributes {
  return {
    [attribute.operationName]: operationName(request, context),
    [attribute.providerName]: providerName,
    [attribute.requestModel]: context.model.id,
    ...serverAttributes(context),
  }
}

/** Returns the attributes of a request. No content: no prompt, no tools. */
export function requestAttributes(
  request: BedrockRequest,
  { model, region, inner }: MiddlewareContext,
  conventions: TelemetryConventions,
): TelemetryAttributes {
  const { answers, generates } = operations[request.operation]
  // A count of tokens asks for none.
  const body = generates && isJsonObject(request.body) ? request.body : {}
  const output = isJsonObject(body.output_config) ? body.output_config : {}
  const { requestReasoningLevel } = editions[conventions]
  return defined({
    [attribute.requestStream]: answers === 'stream' || undefined,
    [attribute.requestMaxTokens]: numberOf(body.max_tokens),
    [attribute.requestTemperature]: numberOf(body.temperature),
    [attribute.requestTopP]: numberOf(body.top_p),
    [attribute.requestTopK]: numberOf(body.top_k),
    [attribute.requestStopSequences]: textsOf(body.stop_sequences),
    ...(requestReasoningLevel && { [requestReasoningLevel]: textOf(output.effort) }),
    [attribute.outputType]: isJsonObject(output.format ?? body.output_format) ? 'json' : undefined,
    [attribute.cloudRegion]: model.region ?? region,
    [attribute.guardrailId]: generates ? textOf(guardrailIdOf(request, inner)) : undefined,
    [ownAttribute.modelSource]: model.source,
    [ownAttribute.modelBase]: model.base,
  })
}

/** Removes attributes without a value. */
export function defined(
  attributes: Readonly<Record<string, string | number | boolean | string[] | undefined>>,
): TelemetryAttributes {
  const kept: TelemetryAttributes = {}
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) kept[name] = value
  return kept
}

// In plain JavaScript a body may contain anything.
const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const textsOf = (value: JsonValue | undefined): string[] | undefined =>
  Array.isArray(value) && value.every((each) => typeof each === 'string') ? [...(value as string[])] : undefined

let latest: { readonly endpoint: string; readonly attributes: TelemetryAttributes } | undefined

function serverAttributes(context: MiddlewareContext): TelemetryAttributes {
  let endpoint: string
  try {
    endpoint = context.endpoint
  } catch {
    // The endpoint and the Region contradict each other; the call itself reports the error.
    return {}
  }
  if (latest?.endpoint !== endpoint) {
    const { hostname, port, protocol } = new URL(endpoint)
    const attributes = {
      [attribute.serverAddress]: hostname,
      [attribute.serverPort]: Number(port) || (protocol === 'http:' ? 80 : 443),
    }
    latest = { endpoint, attributes }
  }
  return latest.attributes
}
