import { ConfigurationError, enrich, GuardrailError } from '../core/errors.ts'
import { tapEvents } from '../core/internal/event-iterator.ts'
import { readOutcome } from '../core/internal/guardrail.ts'
import { operations } from '../core/internal/operations.ts'
import type { BedrockRequest, BedrockResponse, JsonObject, Middleware, MiddlewareContext, Next } from '../core/types.ts'
import {
  type GuardrailIdentity,
  type GuardrailOptions,
  guardrailOf,
  withGuardrail,
  withoutGuardrail,
} from './config.ts'

declare global {
  interface OutcropCallOptions {
    /** Changes the guardrail of this call, or turns it off with `false`. */
    readonly guardrail?: Partial<GuardrailOptions> | false | undefined
  }
}

/** Checks a call's input before the model is called. Returns the guardrail's answer if it intervenes. */
export type InputCheck = (
  request: BedrockRequest,
  guardrail: GuardrailIdentity,
  context: MiddlewareContext,
) => Promise<BedrockResponse | undefined>

// `outcrop/guardrails` provides it, so that the default client, which includes this file, need not bundle it.
let checkInput: InputCheck = async () => {
  throw new ConfigurationError('guardInput needs outcrop/guardrails', {
    hint: "Add guardrails(...), imported from 'outcrop/guardrails', to the client's middleware.",
  })
}

/** Provides the check for `guardInput`. */
export function provideInputCheck(check: InputCheck): void {
  checkInput = check
}

/**
 * Handles guardrails that are set only by plain headers, as in Claude Code's settings, or by a call's option. It does
 * what `guardrails` does, and the default client includes it.
 */
export const guardrailHeaders: Middleware = function guardrailHeaders(request, next, context) {
  return guardCall(request, next, context)
}

/** Guards one call, if a guardrail is set for it. */
export async function guardCall(
  request: BedrockRequest,
  next: Next,
  context: MiddlewareContext,
  client?: GuardrailOptions,
): Promise<BedrockResponse> {
  const { generates } = operations[request.operation]
  const guardrail = generates ? guardrailOf(request, client) : undefined
  if (!guardrail)
    return await next(!generates || request.options.guardrail === false ? withoutGuardrail(request) : request)
  const blocked = guardrail.guardInput && (await checkInput(request, guardrail, context))
  return observe(blocked || (await next(withGuardrail(request, guardrail))), request, guardrail, context)
}

/** Adds the outcome to the metadata, and acts on it. */
async function observe(
  response: BedrockResponse,
  request: BedrockRequest,
  guardrail: GuardrailOptions,
  { logger }: MiddlewareContext,
): Promise<BedrockResponse> {
  const { metadata } = response
  const { onIntervention, requireOutcome } = guardrail
  let isTold = false
  const report = async (): Promise<void> => {
    if (isTold || metadata.guardrail?.action !== 'INTERVENED' || typeof onIntervention !== 'function') return
    isTold = true
    await onIntervention(metadata.guardrail, request)
  }
  const silence = (): GuardrailError | undefined => {
    if (metadata.guardrail || !requireOutcome) return undefined
    return new GuardrailError('The response does not mention the guardrail', {
      requestId: metadata.requestId,
      hint: "A gateway may drop the x-amzn-bedrock-guardrail-* headers, or the response's guardrail field.",
    })
  }
  const read = (part: JsonObject): GuardrailError | undefined => {
    metadata.guardrail = readOutcome(part, metadata.guardrail)
    // No part of a message follows this event, and its reader may leave.
    if (part.type === 'message_stop' && silence()) return silence()
    if (onIntervention !== 'throw' || metadata.guardrail?.action !== 'INTERVENED') return undefined
    const { trace } = metadata.guardrail
    return new GuardrailError('The guardrail intervened', { trace, requestId: metadata.requestId })
  }
  const end = async (): Promise<void> => {
    const error = silence()
    if (error) throw error
    await report()
  }
  if (response.type === 'stream') {
    // A reader that leaves a stream early gets no error, but an intervention seen so far is still reported.
    const closed = (): void => {
      report().catch((error) => logger.error('guardrails: onIntervention threw', error))
    }
    return { ...response, events: tapEvents(response.events, { event: read, end, closed }, request.signal) }
  }
  const error = read(response.body)
  if (error) throw enrich(error, { response: response.body })
  await end()
  return response
}
