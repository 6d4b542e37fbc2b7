/**
 * Amazon Bedrock Guardrails on the Invoke API: typed, visible, and never silently off.
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
