import { markGuardrail } from '../core/internal/guardrail.ts'
import type { Middleware } from '../core/types.ts'
import { assertGuardrailOptions, type GuardrailOptions } from './config.ts'
import { guardCall, provideInputCheck } from './guard-call.ts'
import { guardLastTurn } from './guard-input.ts'

provideInputCheck(guardLastTurn)

/**
 * Puts a guardrail on every call and makes what it did visible.
 *
 * On the Invoke API a blocked answer looks like any other: status 200, `stop_reason: 'end_turn'`, canned text. With this
 * middleware every message and stream carries `metadata.guardrail`, and `onIntervention` decides what a block does.
 *
 * @example
 * ```ts
 * const bedrock = createBedrockClient({
 *   middleware: [guardrails({ identifier: 'gr1abc2def3g', version: 1, trace: 'enabled', onIntervention: 'throw' })],
 * })
 * ```
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-input-tagging-base-inference.html
 * @throws ConfigurationError at once for options that can never work.
 */
export function guardrails(options: GuardrailOptions): Middleware {
  assertGuardrailOptions(options)
  return markGuardrail(async function guardrails(request, next, context) {
    return guardCall(request, next, context, options)
  })
}
