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
    /** Changes the guardrail of this call, or takes it off with `false`. */
    readonly guardrail?: Partial<GuardrailOptions> | false | undefined
  }
}

/** Checks what a call says before the model hears it; gives the answer of a guardrail that intervenes. */
export type InputCheck = (
  request: BedrockRequest,
  guardrail: GuardrailIdentity,
  context: MiddlewareContext,
) => Promise<BedrockResponse | undefined>

// `outcrop/guardrails` brings it: the default client, which has this file, goes without its kilobyte.
let checkInput: InputCheck = async () => {
  throw new ConfigurationError('guardInput needs outcrop/guardrails', {
    hint: "Put guardrails(...), imported from 'outcrop/guardrails', into the client's middleware.",
  })
}

/** Provides the check that `guardInput` asks for. */
export function provideInputCheck(check: InputCheck): void {
  checkInput = check
}

/**
 * Does for a guardrail that came as plain headers, as Claude Code's settings have it, or as the option of a call alone
 * what `guardrails` does. The default client has this built in.
 */
export const guardrailHeaders: Middleware = async function guardrailHeaders(request, next, context) {
  return guardCall(request, next, context)
}

/** Guards one call, where a guardrail is named for it. */
export async function guardCall(
  request: BedrockRequest,
  next: Next,
  context: MiddlewareContext,
  client?: GuardrailOptions,
): Promise<BedrockResponse> {
  const { generates } = operations[request.operation]
  const guardrail = generates ? guardrailOf(request, client) : undefined
  if (!guardrail) return next(!generates || request.options.guardrail === false ? withoutGuardrail(request) : request)
  const blocked = guardrail.guardInput && (await checkInput(request, guardrail, context))
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
    return new GuardrailError('The response does not mention the guardrail', {
      requestId: metadata.requestId,
      hint: "A gateway may drop the x-amzn-bedrock-guardrail-* headers, or the response's guardrail field.",
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
  if (error) throw enrich(error, { response: response.body })
  await end()
  return response
}
