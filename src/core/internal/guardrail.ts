import type { BedrockRequest, GuardrailOutcome, JsonObject, JsonValue, Middleware } from '../types.ts'
import { isJsonObject } from './json.ts'

/** The header that names a guardrail; its version goes by another. */
export const guardrailIdentifierHeader = 'x-amzn-bedrock-guardrailidentifier'

// From the global registry: the ESM and the CommonJS copy of this package must know each other's.
const mark: unique symbol = Symbol.for('outcrop.guardrail') as never

/** Marks a middleware as one that puts a guardrail on calls, so that what stands in front of it can tell. */
export function markGuardrail(middleware: Middleware, identifier: string): Middleware {
  return Object.assign(middleware, { [mark]: identifier })
}

/** Whether a middleware puts a guardrail on calls. */
export function isGuardrail(middleware: Middleware): boolean {
  return mark in middleware
}

/** Whether a request names a guardrail, by header or by the call's option. */
export function isGuarded(request: BedrockRequest): boolean {
  return guardrailIdOf(request) !== undefined
}

/** Which guardrail a request will have, where `inner` stands between here and Bedrock. */
export function guardrailIdOf(
  { headers, options }: BedrockRequest,
  inner: readonly Middleware[] = [],
): string | undefined {
  const { guardrail } = options as { readonly guardrail?: false | { readonly identifier?: string } }
  if (guardrail === false) return undefined
  const client = inner.find(isGuardrail) as { readonly [mark]?: string } | undefined
  return guardrail?.identifier ?? client?.[mark] ?? headers[guardrailIdentifierHeader]
}

/**
 * What a body or a stream's event says of the guardrail, laid over what is known already; `undefined` where neither
 * says anything. Once an intervention was seen, it stays one.
 *
 * The fields are looked for in the event and in the objects right inside it, such as the message of `message_start`:
 * AWS does not say which event has them. Deeper lies what the model wrote.
 */
export function readOutcome(part: JsonObject, known?: GuardrailOutcome): GuardrailOutcome | undefined {
  let outcome = known
  for (const place of [part, ...Object.values(part)]) {
    if (!isJsonObject(place)) continue
    const action = place['amazon-bedrock-guardrailAction']
    const trace = place['amazon-bedrock-trace']
    const hasTrace = isJsonObject(trace)
    if (action === undefined && !hasTrace) continue
    outcome = {
      // Whatever is not NONE is an intervention: a word that is not known must not open the gate.
      action: (action ?? 'NONE') !== 'NONE' || outcome?.action === 'INTERVENED' ? 'INTERVENED' : 'NONE',
      trace: hasTrace ? trace : outcome?.trace,
      assessments: hasTrace ? findAssessments(trace) : (outcome?.assessments ?? []),
    }
  }
  return outcome
}

const assessmentFields = [
  'topicPolicy',
  'contentPolicy',
  'wordPolicy',
  'sensitiveInformationPolicy',
  'contextualGroundingPolicy',
  'automatedReasoningPolicy',
  'invocationMetrics',
  'appliedGuardrailDetails',
]

// The trace nests its assessments under `guardrail` or `guardrails`, by guardrail, by input and output: AWS's own samples
// differ. What an assessment looks like is the same in all of them.
function findAssessments(value: JsonValue | undefined, depth = 0): JsonObject[] {
  const isObject = isJsonObject(value)
  if (isObject && assessmentFields.some((field) => Object.hasOwn(value, field))) return [value]
  // Theirs are five levels deep; a stack is not.
  if (depth > 10 || !(isObject || Array.isArray(value))) return []
  return Object.values(value).flatMap((each) => findAssessments(each, depth + 1))
}
