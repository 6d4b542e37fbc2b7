import { ConfigurationError, GuardrailError } from '../core/errors.ts'
import type {
  BedrockRequest,
  BedrockResponse,
  GuardrailOutcome,
  JsonObject,
  Middleware,
  ResponseMetadata,
} from '../core/types.ts'
import {
  assertGuardrailOptions,
  type GuardrailOptions,
  guardrailOf,
  withGuardrail,
  withoutGuardrail,
} from './config.ts'
import { guardLastTurn } from './guard-input.ts'
import { readOutcome } from './outcome.ts'

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
  return async function guardrail(request, next, context) {
    const change = request.options.guardrail
    if (request.operation === 'CountTokens') return next(request)
    if (change === false) return next(withoutGuardrail(request))
    const merged = { ...options, ...change }
    if (change) assertGuardrailOptions(merged)
    const blocked = merged.guardInput && (await guardLastTurn(request, merged, context))
    return observe(blocked || (await next(withGuardrail(request, merged))), request, merged)
  }
}

/**
 * Makes the outcome visible where the guardrail came as plain headers, as Claude Code's settings have it. The default
 * client has this built in.
 */
export const guardrailHeaders: Middleware = async function guardrailHeaders(request, next, context) {
  const change = request.options.guardrail
  const named = request.operation === 'CountTokens' || change === false ? undefined : guardrailOf(request)
  if (named) return observe(await next(request), request, { ...named, ...change })
  if (!change) return next(request)
  if (change.identifier === undefined) {
    throw new ConfigurationError('The call has guardrail options, but no guardrail is named', {
      hint: 'Give identifier and version with the call, or put guardrails(…) into the client’s middleware.',
    })
  }
  return guardrails(change as GuardrailOptions)(request, next, context)
}

function observe(
  response: BedrockResponse,
  request: BedrockRequest,
  options: GuardrailOptions,
): BedrockResponse | Promise<BedrockResponse> {
  const { metadata } = response
  if (response.type === 'stream')
    return { ...response, events: observeEvents(response.events, metadata, request, options) }
  metadata.guardrail = readOutcome(response.body)
  if (options.onIntervention === 'throw') assertPassed(metadata, response.body)
  return settle(metadata, request, options).then(() => response)
}

async function* observeEvents(
  events: AsyncIterable<JsonObject>,
  metadata: ResponseMetadata,
  request: BedrockRequest,
  options: GuardrailOptions,
): AsyncGenerator<JsonObject> {
  for await (const event of events) {
    metadata.guardrail = readOutcome(event, metadata.guardrail)
    yield event
    if (options.onIntervention === 'throw') assertPassed(metadata)
  }
  await settle(metadata, request, options)
}

function assertPassed({ guardrail, requestId }: ResponseMetadata, response?: JsonObject): void {
  if (guardrail?.action !== 'INTERVENED') return
  throw new GuardrailError('The guardrail intervened', { trace: guardrail.trace, response, requestId })
}

// Runs when the response is whole.
async function settle(
  { guardrail, requestId }: ResponseMetadata,
  request: BedrockRequest,
  options: GuardrailOptions,
): Promise<void> {
  if (!guardrail && options.requireOutcome) {
    throw new GuardrailError('The response says nothing of the guardrail', {
      requestId,
      hint: 'A gateway may drop the x-amzn-bedrock-guardrail… headers, or the guardrail’s field in the response.',
    })
  }
  if (guardrail?.action === 'INTERVENED' && typeof options.onIntervention === 'function') {
    await options.onIntervention(guardrail satisfies GuardrailOutcome, request)
  }
}
