import { markGuardrail } from '../core/internal/guardrail.ts'
import type { Middleware } from '../core/types.ts'
import { assertGuardrailOptions, type GuardrailOptions } from './config.ts'
import { guardCall, provideInputCheck } from './guard-call.ts'
import { guardLastTurn } from './guard-input.ts'

provideInputCheck(guardLastTurn)

/**
 * Applies a guardrail to every call and reports its outcome.
 *
 * On the Invoke API a blocked answer looks like any other: status 200, `stop_reason: 'end_turn'`, canned text. With
 * this middleware every message and stream has `metadata.guardrail`, and `onIntervention` decides what an intervention
 * does.
 *
 * @example
 * ```ts
 * const bedrock = createBedrockClient({
 *   middleware: [guardrails({ identifier: 'gr1abc2def3g', version: 1, trace: 'enabled', onIntervention: 'throw' })],
 * })
 * ```
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-input-tagging-base-inference.html
 * @throws ConfigurationError at once for invalid options.
 */
export function guardrails(options: GuardrailOptions): Middleware {
  assertGuardrailOptions(options)
  return markGuardrail(async function guardrails(request, next, context) {
    return guardCall(request, next, context, options)
  }, options.identifier)
}
