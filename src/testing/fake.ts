import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import type { AwsCredentialIdentity, Identity } from '../core/types.ts'
import { nearest } from '../models/names.ts'
import { answerControlPlane } from './control-plane.ts'
import { type AnswerFault, type FaultName, faults, type StreamFault } from './faults.ts'
import { applyGuardrail } from './guardrails.ts'
import { countedBody, countTokensAnswer, invokeAnswer, streamAnswer } from './invoke.ts'
import { answerServiceQuotas } from './quotas.ts'
import { errorResponse, type FakeState, onAbort, streamResponse } from './respond.ts'
import { routeOf } from './route.ts'
import { answerSts, stsError } from './sts.ts'
import type { ArrivedRequest, FakeBedrockOptions, FakeCall } from './types.ts'
import { refuseUnserved } from './unserved.ts'
import { parseBody } from './untrusted.ts'
import { type Refusal, verifySignature } from './verify-signature.ts'

/** Which calls a fault affects, and how. */
export interface FailOptions {
  /** The number of calls to affect. @default 1 */
  readonly times?: number | undefined
  /** For faults in a stream: the number of events before the fault. @default 3 */
  readonly after?: number | undefined
  /** Affects only this operation, such as `CountTokens`. */
  readonly operation?: string | undefined
  /** Affects only models whose ID or ARN contains this. */
  readonly model?: string | undefined
  /** Replaces the usual message. */
  readonly message?: string | undefined
  /** Headers of the response, such as `retry-after`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** An in-process Amazon Bedrock. */
export interface FakeBedrock {
  readonly region: string
  /** AWS keys that the fake accepts. */
  readonly identity: AwsCredentialIdentity
  /** The identities that may call. Add or remove some at any time. */
  readonly identities: Identity[]
  /** The `fetch` to pass to a client. */
  readonly fetch: typeof fetch
  /** Every request so far, in order. */
  readonly calls: readonly FakeCall[]
  /**
   * Makes the next matching calls fail.
   *
   * @example
   * ```ts
   * fake.fail('throttling', { times: 2 })
   * fake.fail('stream-truncated', { after: 3 })
   * ```
   * @throws ConfigurationError for a fault that does not exist.
   */
  fail(fault: FaultName, options?: FailOptions): void
  /** Clears calls, faults and cached prompts. */
  reset(): void
}

const exampleIdentity: AwsCredentialIdentity = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'secret-example-of-the-fake',
}

/**
 * Creates a fake Amazon Bedrock: a `fetch` that verifies every signature with AWS's own signer, answers in real frames,
 * and fails on demand. It runs on any runtime with Web APIs.
 *
 * @example
 * ```ts
 * const fake = createFakeBedrock({ reply: 'Hello!' })
 * const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })
 * ```
 */
export function createFakeBedrock(options: FakeBedrockOptions = {}): FakeBedrock {
  assertFakeOptions(options)
  const { region = 'us-east-1', clock = Date } = options
  const identities = [...(options.identities ?? [exampleIdentity])]
  const state: FakeState = { options, now: () => clock.now(), requests: 0, cachedPrompts: new Map(), ledger: new Map() }
  const calls: FakeCall[] = []
  let pending: { fault: FaultName; options: FailOptions; left: number }[] = []

  const strike = (call: FakeCall): { name: FaultName; options: FailOptions } | undefined => {
    const hit = pending.find(
      ({ options: { operation = call.operation, model = '' } }) =>
        operation === call.operation && (call.model ?? '').includes(model),
    )
    if (!hit) return undefined
    hit.left--
    if (hit.left <= 0) pending = pending.filter((each) => each !== hit)
    return { name: hit.fault, options: hit.options }
  }

  const answer = async (request: ArrivedRequest): Promise<Response> => {
    state.requests++
    const { operation, id, version } = routeOf(request)
    const isSts = operation === 'STS'
    const verdict = await verifySignature(request, identities, services[operation] ?? 'bedrock', state.now())
    const text = new TextDecoder().decode(request.body)
    const body = operation === 'CountTokens' ? countedBody(parseBody(text)) : parseBody(text)
    const call: FakeCall = {
      operation,
      model: id,
      region: verdict.region || region,
      method: request.method,
      path: request.url.pathname,
      query: Object.fromEntries(request.url.searchParams),
      headers: request.headers,
      body: body ?? {},
      signature: 'refusal' in verdict ? { valid: false, reason: verdict.refusal.message } : { valid: true },
      identity:
        'identity' in verdict ? ('token' in verdict.identity ? 'api-key' : verdict.identity.accessKeyId) : undefined,
      status: 0,
      aborted: false,
    }
    calls.push(call)

    const struck = strike(call)
    const fault = struck && faults[struck.name]
    if (struck && fault && 'network' in fault) return failNetwork(fault.network, request, call)
    const respond = async (): Promise<Response> => {
      if (struck && fault && 'status' in fault) return answerFault(state, fault, struck.options, isSts)
      if (isSts) return answerSts(state, identities, text, verdict)
      if (operation === 'ListServiceQuotas') return answerServiceQuotas(state, request, verdict)
      if ('refusal' in verdict) return errorResponse(state, verdict.refusal)
      if (text && !body && !isSts) return errorResponse(state, malformed)
      if (operation === 'InvokeModelWithResponseStream') return streamAnswer(state, call)
      if (operation === 'InvokeModel') return invokeAnswer(state, call)
      if (operation === 'CountTokens') return countTokensAnswer(state, call)
      if (operation === 'ApplyGuardrail') return applyGuardrail(state, call, version)
      return answerControlPlane(state, call) ?? refuseUnserved(state, call)
    }
    const response = await respond()
    if (request.signal?.aborted) call.aborted = true
    request.signal?.throwIfAborted()
    call.status = response.status
    if (!response.body || response.headers.get('content-type') !== 'application/vnd.amazon.eventstream') return response
    const streamFault = fault && 'stream' in fault ? (fault as StreamFault) : undefined
    return streamResponse(response, call, request.signal, streamFault, struck?.options.after ?? 3)
  }

  return {
    region,
    identity:
      (identities.find((each) => 'accessKeyId' in each) as AwsCredentialIdentity | undefined) ?? exampleIdentity,
    identities,
    calls,
    fetch: async (input, init) => {
      // A Request listens on a signal for the signal's whole lifetime.
      const { signal: given, ...rest } = init ?? {}
      const request = new Request(input, rest)
      const signal = given ?? request.signal
      signal.throwIfAborted()
      const url = new URL(request.url)
      const headers: Record<string, string> = { host: url.host, ...Object.fromEntries(request.headers) }
      return answer({
        method: request.method,
        url,
        headers,
        body: new Uint8Array(await request.arrayBuffer()),
        signal,
      })
    },
    fail(fault, failOptions = {}) {
      if (!Object.hasOwn(faults, fault)) {
        const names = Object.keys(faults)
        const near = nearest(fault, names)
        throw new ConfigurationError(`Unknown fault ${JSON.stringify(fault)}`, {
          hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `Known faults: ${names.join(', ')}.`,
        })
      }
      assertOptions(failOptions, '', 'times after operation model message headers')
      pending.push({ fault, options: failOptions, left: failOptions.times ?? 1 })
    },
    reset() {
      calls.length = 0
      pending = []
      state.cachedPrompts.clear()
      state.ledger.clear()
    },
  }
}

// The signing names of services other than Bedrock.
const services: Readonly<Record<string, string>> = { STS: 'sts', ListServiceQuotas: 'servicequotas' }

function assertFakeOptions(options: FakeBedrockOptions): void {
  assertOptions(options, '', 'region identities reply models guardrails quotas tokensPerDay clock')
  const { models, guardrails = [], quotas = [] } = options
  if (models) {
    const names = 'applicationProfiles systemProfiles denied availability useCaseForm strict'
    assertOptions(models, 'models', names)
  }
  for (const guardrail of guardrails) {
    const names = 'identifier versions name crossRegionProfile blockedWords message nesting place'
    assertOptions(guardrail, 'guardrail', names)
    for (const list of ['versions', 'blockedWords'] as const) {
      if (!Array.isArray(guardrail[list])) throw new ConfigurationError(`guardrail.${list} must be a list`)
    }
  }
  for (const quota of quotas) assertOptions(quota, 'quota', 'model bucket tokensPerMinute requestsPerMinute')
}

const malformed: Refusal = {
  status: 400,
  type: 'ValidationException',
  message: 'Malformed input request, please reformat your input and try again.',
}

function answerFault(
  state: FakeState,
  fault: AnswerFault,
  { message = fault.message ?? '', headers }: FailOptions,
  isSts: boolean,
): Response {
  const { status, type = 'InternalServerException', capital = false, body, fields } = fault
  if (body !== undefined) return new Response(body, { status, headers: { ...fault.headers, ...headers } })
  if (isSts) return stsError(state, { status, type, message })
  return errorResponse(state, { status, type, capital, message }, fields, headers)
}

function failNetwork(
  how: 'reset' | 'refused' | 'stall',
  { signal }: ArrivedRequest,
  call: FakeCall,
): Promise<Response> {
  if (how !== 'stall') {
    const code = how === 'reset' ? 'ECONNRESET' : 'ECONNREFUSED'
    return Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) }))
  }
  return new Promise((_, reject) => {
    onAbort(signal, (reason) => {
      call.aborted = true
      reject(reason)
    })
  })
}
