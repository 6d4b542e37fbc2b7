import type { BedrockRequest, GuardrailOutcome, JsonObject, JsonValue, Middleware } from '../types.ts'
import { isJsonObject } from './json.ts'

/** The header with the guardrail's ID; the version has its own header. */
export const guardrailIdentifierHeader = 'x-amzn-bedrock-guardrailidentifier'

// In the global registry, so that the ESM and CommonJS copies of this package recognize it.
const mark: unique symbol = Symbol.for('outcrop.guardrail') as never

/** Marks a middleware that applies a guardrail, so that outer middleware can tell. */
export function markGuardrail(middleware: Middleware, identifier: string): Middleware {
  return Object.assign(middleware, { [mark]: identifier })
}

/** Tests whether a middleware applies a guardrail. */
export function isGuardrail(middleware: Middleware): boolean {
  return mark in middleware
}

/** Tests whether a request has a guardrail, from a header or the call's option. */
export function isGuarded(request: BedrockRequest): boolean {
  return guardrailIdOf(request) !== undefined
}

/** Returns the guardrail that a request will have after the `inner` middleware. */
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
 * Reads the guardrail's outcome from a body or a stream event, and merges it with what is known; `undefined` if neither
 * has one. An intervention is never reverted.
 *
 * Searches the event and its direct members, such as the message in `message_start`, because AWS does not say which
 * event has the fields. Deeper levels contain the model's own text.
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
      // Any value but NONE is an intervention, so that an unknown word cannot pass.
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

// The trace nests assessments under `guardrail` or `guardrails`, by guardrail, by input and output; AWS's own samples
// differ. Assessments look the same in all of them.
function findAssessments(value: JsonValue | undefined, depth = 0): JsonObject[] {
  const isObject = isJsonObject(value)
  if (isObject && assessmentFields.some((field) => Object.hasOwn(value, field))) return [value]
  // Real ones are five levels deep; the limit protects the stack.
  if (depth > 10 || !(isObject || Array.isArray(value))) return []
  return Object.values(value).flatMap((each) => findAssessments(each, depth + 1))
}
