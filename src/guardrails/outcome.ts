import { isJsonObject } from '../core/internal/json.ts'
import type { GuardrailOutcome, JsonObject, JsonValue } from '../core/types.ts'

/**
 * What a body or a stream's chunk says of the guardrail, laid over what is known already; `undefined` where neither
 * says anything. Once an intervention was seen, it stays one.
 */
export function readOutcome(part: JsonObject, known?: GuardrailOutcome): GuardrailOutcome | undefined {
  const action = part['amazon-bedrock-guardrailAction']
  const trace = part['amazon-bedrock-trace']
  if (action !== 'INTERVENED' && action !== 'NONE' && !isJsonObject(trace)) return known
  return {
    action: action === 'INTERVENED' || known?.action === 'INTERVENED' ? 'INTERVENED' : 'NONE',
    trace: isJsonObject(trace) ? trace : known?.trace,
    assessments: isJsonObject(trace) ? findAssessments(trace) : (known?.assessments ?? []),
  }
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
function findAssessments(value: JsonValue | undefined): JsonObject[] {
  if (Array.isArray(value)) return value.flatMap(findAssessments)
  if (!isJsonObject(value)) return []
  if (assessmentFields.some((field) => field in value)) return [value]
  return Object.values(value).flatMap(findAssessments)
}
