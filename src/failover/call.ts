import { mergeHeaders } from '../core/internal/headers.ts'
import { localMetadata } from '../core/internal/local-metadata.ts'
import type {
  BedrockRequest,
  BedrockResponse,
  CallOptions,
  MiddlewareContext,
  ModelRef,
  Next,
  RetryOptions,
} from '../core/types.ts'
import { guardrailOf, withGuardrail } from '../guardrails/config.ts'
import type { Destination } from './destinations.ts'

/** The conditions for a call of one destination. */
export interface Leg {
  /** Whether there is another destination to go to. */
  readonly isLast: boolean
  /** The rest of the call's total timeout, in milliseconds; `undefined` if it has none. */
  readonly left: number | undefined
  /** The number of attempts before the call goes on to the next destination. */
  readonly attempts: number
  /** Tests whether an error makes the call go on. */
  readonly leaves: (error: Error) => boolean
}

/** Calls a destination: through its own client, or through the rest of the chain. */
export async function callAt(
  { target, model }: Destination,
  request: BedrockRequest,
  next: Next,
  context: MiddlewareContext,
  leg: Leg,
): Promise<BedrockResponse> {
  const { client } = target
  const { isLast, left } = leg
  const { headers: _, timeout, ...own } = target.options ?? {}
  const options: CallOptions = {
    ...request.options,
    ...own,
    timeout: { ...request.options.timeout, ...timeout, ...(left !== undefined && { total: left }) },
    retry:
      target.retry ??
      (isLast ? request.options.retry : untilItLeaves(client ? request.options.retry : context.retry, leg)),
  }
  const headers = mergeHeaders(client ? forwarded(request) : request.headers, target.options?.headers)
  const changed = { ...request, headers, options }
  return client ? callClient(client, changed, model, context) : next({ ...changed, model })
}

/** Limits the retries of errors for which the call can go on to another destination. */
function untilItLeaves(given: RetryOptions | false | undefined, { attempts, leaves }: Leg): RetryOptions | false {
  if (given === false) return false
  const retryIf = given?.retryIf ?? (({ retryable }) => retryable === true)
  return { ...given, retryIf: (error, attempt) => (attempt < attempts || !leaves(error)) && retryIf(error, attempt) }
}

const meantForAll = /^(anthropic-|x-amzn-bedrock-|x-claude-code-|x-amzn-trace-id$|traceparent$|tracestate$|baggage$)/

// A client's own headers may contain a key of its gateway.
function forwarded({ headers, options }: BedrockRequest): Record<string, string> {
  return mergeHeaders(
    Object.fromEntries(Object.entries(headers).filter(([name]) => meantForAll.test(name))),
    options.headers,
  )
}

async function callClient(
  client: NonNullable<Destination['target']['client']>,
  given: BedrockRequest,
  model: ModelRef,
  { clock }: MiddlewareContext,
): Promise<BedrockResponse> {
  // As headers, because a client of the core does not know the option.
  const guardrail = given.operation === 'CountTokens' ? undefined : guardrailOf(given)
  const request = guardrail ? withGuardrail(given, guardrail) : given
  const { operation, body, headers, signal } = request
  const options: CallOptions = { ...given.options, headers, signal }
  if (operation === 'InvokeModelWithResponseStream')
    return { type: 'stream', ...(await client.invokeStream({ model, body }, options)) }
  if (operation === 'InvokeModel') return { type: 'json', ...(await client.invoke({ model, body }, options)) }
  const started = clock.now()
  const { input_tokens: inputTokens, ...rest } = await client.messages.countTokens({ ...body, model } as never, options)
  return {
    type: 'json',
    body: { ...rest, inputTokens },
    metadata: { ...localMetadata(model, {}, clock.now() - started), attempts: 1 },
  }
}
