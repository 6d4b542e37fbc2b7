import { ServiceError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { readJson, requestIdOf } from '../core/internal/service-error.ts'
import type { BedrockFetch, JsonObject, JsonValue, RetryOptions, Timeouts } from '../core/types.ts'
import { assertGuardrail, type GuardrailIdentity } from './config.ts'

/** A piece of content to check, in ApplyGuardrail's format. */
export type GuardrailContent =
  | {
      readonly text: {
        readonly text: string
        readonly qualifiers?: readonly ('grounding_source' | 'query' | 'guard_content')[]
      }
    }
  | { readonly image: { readonly format: 'png' | 'jpeg'; readonly source: { readonly bytes: string } } }

/** The request of {@link applyGuardrail}. */
export interface ApplyGuardrailRequest extends GuardrailIdentity {
  /** Whether the content comes from a user or from a model. */
  readonly source: 'INPUT' | 'OUTPUT'
  /** Text, or pieces of text and images (as base64). */
  readonly content: string | readonly GuardrailContent[]
  /** `FULL` includes assessments of content that passed. @default 'INTERVENTIONS' */
  readonly outputScope?: 'INTERVENTIONS' | 'FULL' | undefined
  readonly signal?: AbortSignal | undefined
  /** Timeouts in milliseconds, which override the client's. */
  readonly timeout?: Timeouts | undefined
  /** Retry options, which override the client's; `false` makes one attempt. */
  readonly retry?: RetryOptions | false | undefined
}

/** The guardrail's result. */
export interface ApplyGuardrailResult {
  readonly action: 'NONE' | 'INTERVENED'
  /** The reason, in Bedrock's words. */
  readonly reason?: string | undefined
  /** The text to show instead of the content: the guardrail's message, or the content with parts masked. */
  readonly outputs: readonly string[]
  readonly assessments: readonly JsonObject[]
  readonly usage?: JsonObject | undefined
  readonly coverage?: JsonObject | undefined
}

/**
 * Checks input or output with a guardrail, without calling a model. Failed requests are retried like other calls.
 *
 * @example
 * ```ts
 * const { action, outputs } = await applyGuardrail(bedrock, {
 *   identifier: 'gr1abc2def3g', version: 1, source: 'INPUT', content: question,
 * })
 * if (action === 'INTERVENED') return outputs.join('\n')
 * ```
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html
 * @throws ConfigurationError | ServiceError
 */
export async function applyGuardrail(
  client: { readonly fetch: BedrockFetch },
  request: ApplyGuardrailRequest,
): Promise<ApplyGuardrailResult> {
  assertOptions(request, '', 'identifier version source content outputScope signal timeout retry')
  assertGuardrail(request)
  const { identifier, version, source, content, outputScope, signal, timeout, retry = true } = request
  const response = await client.fetch(`/guardrail/${encodeURIComponent(identifier)}/version/${version}/apply`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({
      source,
      content: typeof content === 'string' ? [{ text: { text: content } }] : content,
      outputScope,
    }),
    signal,
    timeout,
    retry,
  })
  const body = await readJson(response)
  if (typeof body.action !== 'string')
    throw new ServiceError('The answer to ApplyGuardrail names no action', {
      status: response.status,
      requestId: requestIdOf(response.headers),
    })
  return {
    // InvokeModel says INTERVENED, ApplyGuardrail says GUARDRAIL_INTERVENED. Only NONE passes.
    action: body.action === 'NONE' ? 'NONE' : 'INTERVENED',
    reason: typeof body.actionReason === 'string' ? body.actionReason : undefined,
    outputs: list(body.outputs).map((output) => String(output.text ?? '')),
    assessments: list(body.assessments),
    usage: isJsonObject(body.usage) ? body.usage : undefined,
    coverage: isJsonObject(body.guardrailCoverage) ? body.guardrailCoverage : undefined,
  }
}

function list(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}
