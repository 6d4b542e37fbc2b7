import { GuardrailError } from '../core/errors.ts'
import { tapEvents } from '../core/internal/event-iterator.ts'
import { markGuardrail, readOutcome } from '../core/internal/guardrail.ts'
import type { BedrockRequest, BedrockResponse, JsonObject, Middleware, MiddlewareContext, Next } from '../core/types.ts'
import {
  assertGuardrailOptions,
  type GuardrailOptions,
  guardrailOf,
  withGuardrail,
  withoutGuardrail,
} from './config.ts'
import { guardLastTurn } from './guard-input.ts'

declare global {
  interface OutcropCallOptions {
    /** Changes the guardrail of this call, or takes it off with `false`. */
    readonly guardrail?: Partial<GuardrailOptions> | false | undefined
  }
}

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
    return guard(request, next, context, options)
  })
}

/**
 * Does for a guardrail that came as plain headers, as Claude Code's settings have it, or as the option of a call alone
 * what {@link guardrails} does. The default client has this built in.
 */
export const guardrailHeaders: Middleware = async function guardrailHeaders(request, next, context) {
  return guard(request, next, context)
}

async function guard(
  request: BedrockRequest,
  next: Next,
  context: MiddlewareContext,
  client?: GuardrailOptions,
): Promise<BedrockResponse> {
  const isCount = request.operation === 'CountTokens'
  const guardrail = isCount ? undefined : guardrailOf(request, client)
  if (!guardrail) return next(isCount || request.options.guardrail === false ? withoutGuardrail(request) : request)
  const blocked = guardrail.guardInput && (await guardLastTurn(request, guardrail, context))
  return observe(blocked || (await next(withGuardrail(request, guardrail))), request, guardrail, context)
}

/** Makes the outcome visible, and does what is to be done about it. */
async function observe(
  response: BedrockResponse,
  request: BedrockRequest,
  guardrail: GuardrailOptions,
  { logger }: MiddlewareContext,
): Promise<BedrockResponse> {
  const { metadata } = response
  const { onIntervention, requireOutcome } = guardrail
  let isTold = false
  const tell = async (): Promise<void> => {
    if (isTold || metadata.guardrail?.action !== 'INTERVENED' || typeof onIntervention !== 'function') return
    isTold = true
    await onIntervention(metadata.guardrail, request)
  }
  const silence = (): GuardrailError | undefined => {
    if (metadata.guardrail || !requireOutcome) return undefined
    return new GuardrailError('The response says nothing of the guardrail', {
      requestId: metadata.requestId,
      hint: 'A gateway may drop the x-amzn-bedrock-guardrail… headers, or the field of the guardrail in the response.',
    })
  }
  const read = (part: JsonObject): GuardrailError | undefined => {
    metadata.guardrail = readOutcome(part, metadata.guardrail)
    // Nothing of a message comes behind this event, and its reader may leave.
    if (part.type === 'message_stop' && silence()) return silence()
    if (onIntervention !== 'throw' || metadata.guardrail?.action !== 'INTERVENED') return undefined
    const { trace } = metadata.guardrail
    return new GuardrailError('The guardrail intervened', { trace, requestId: metadata.requestId })
  }
  const end = async (): Promise<void> => {
    const error = silence()
    if (error) throw error
    await tell()
  }
  if (response.type === 'stream') {
    // Who leaves a stream early hears no error; an intervention that was seen is told all the same.
    const closed = (): void => {
      tell().catch((error) => logger.error('guardrails: onIntervention threw', error))
    }
    return { ...response, events: tapEvents(response.events, { event: read, end, closed }, request.signal) }
  }
  const error = read(response.body)
  if (error) throw Object.assign(error, { response: response.body })
  await end()
  return response
}
