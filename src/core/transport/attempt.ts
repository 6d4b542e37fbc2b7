import { isBedrockError, TimeoutError } from '../errors.ts'
import type { HttpRequest, HttpResponse, HttpTransport } from '../internal/http.ts'
import type { Secrets } from '../internal/redact.ts'
import type { CallScope } from '../internal/signal.ts'
import type { Clock, Timeouts } from '../types.ts'
import { networkError } from '#platform'

/** The context of an HTTP attempt. */
export interface AttemptContext {
  readonly transport: HttpTransport
  readonly clock: Clock
  readonly scope: CallScope
  readonly timeouts: ResolvedTimeouts
  /** The secrets of the call, which must not be shown. */
  readonly secrets: Secrets
}

/** {@link Timeouts} with all defaults. */
export interface ResolvedTimeouts {
  readonly connect: number
  readonly response: number
  readonly idle: number
  readonly total: number
}

/** Sends one HTTP request and waits for its headers. */
export function attempt(request: HttpRequest, context: AttemptContext): Promise<HttpResponse> {
  const { transport, clock, scope, timeouts } = context
  return waitFor(
    'response',
    context,
    () => `Could not reach ${new URL(request.url).host}`,
    () => {
      scope.throwIfAborted()
      return transport(request, scope, connectTimer(timeouts.connect, clock, scope))
    },
  )
}

// Not a closure of `attempt`: what watches a connection lasts as long as it, and must not keep the request.
function connectTimer(milliseconds: number, clock: Clock, scope: CallScope): () => () => void {
  return () => {
    const deadline = startDeadline('connect', milliseconds, clock, scope)
    return () => clock.clearTimeout(deadline)
  }
}

/** Waits for work under a timeout, and converts its failure to an error of this library. */
export async function waitFor<T>(
  phase: 'response' | 'idle',
  { clock, scope, timeouts, secrets }: AttemptContext,
  failed: () => string,
  work: () => Promise<T>,
): Promise<T> {
  let deadline: unknown
  let isWaiting = true
  const begin = (): void => {
    if (isWaiting) deadline = startDeadline(phase, timeouts[phase], clock, scope)
  }
  if (phase === 'response') begin()
  // Bytes that have arrived are read within two microtasks, which take less time than a timer.
  else
    Promise.resolve()
      .then(() => {})
      .then(begin)
  try {
    return await scope.wait(work())
  } catch (error) {
    scope.throwIfAborted()
    throw isBedrockError(error) ? error : networkError(error, failed(), secrets)
  } finally {
    isWaiting = false
    clock.clearTimeout(deadline)
  }
}

const unmet = {
  connect: 'No connection was made',
  response: 'No response came',
  idle: 'Nothing more of the response came',
  total: 'The call did not finish',
}

/** Starts a timeout; 0 and Infinity mean none. Returns the handle for `clearTimeout`. */
export function startDeadline(
  phase: keyof typeof unmet,
  milliseconds: number,
  clock: Clock,
  scope: CallScope,
): unknown {
  // Timers longer than 2^31 - 1 ms fire at once.
  if (!(milliseconds > 0) || milliseconds > 2_147_483_647) return undefined
  return clock.setTimeout(() => {
    const error = new TimeoutError(`${unmet[phase]} within ${milliseconds} ms`, {
      phase,
      retryable: phase === 'connect',
      hint: `${phase === 'response' ? 'Stream long answers, or raise' : 'Raise'} timeout.${phase} if that is too short.`,
    })
    if (phase === 'total') scope.end(error)
    else scope.abort(error)
  }, milliseconds)
}

/** The defaults allow for long answers, because Bedrock lets an inference run for 60 minutes. */
export function resolveTimeouts(
  { connect = 10_000, response, idle = 300_000, total = 0 }: Timeouts,
  isStream: boolean,
): ResolvedTimeouts {
  return { connect, response: response ?? (isStream ? 300_000 : 3_600_000), idle, total }
}
