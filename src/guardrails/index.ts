/**
 * Amazon Bedrock Guardrails on the Invoke API, with typed outcomes.
 *
 * @module
 */
export {
  type ApplyGuardrailRequest,
  type ApplyGuardrailResult,
  applyGuardrail,
  type GuardrailContent,
} from './apply-guardrail.ts'
export type { GuardrailIdentity, GuardrailOptions } from './config.ts'
export { guardrails } from './guardrails.ts'
