import { isBedrockError, TimeoutError } from '../errors.ts'
import type { CallScope } from '../internal/signal.ts'
import type { Clock, Timeouts } from '../types.ts'
import type { HttpRequest } from './encode-request.ts'
import { networkError } from '#platform'

/** What one HTTP attempt needs beside its request. */
export interface AttemptContext {
  readonly fetch: typeof fetch
  readonly clock: Clock
  readonly scope: CallScope
  readonly timeouts: ResolvedTimeouts
  /** What must not be shown of the call. */
  readonly secrets: () => readonly string[]
}

/** {@link Timeouts} with every blank filled in. */
export interface ResolvedTimeouts {
  readonly response: number
  readonly idle: number
  readonly total: number
}

/** Sends one HTTP request and waits for its headers. */
export function attempt({ url, ...request }: HttpRequest, context: AttemptContext): Promise<Response> {
  const { fetch, scope } = context
  return waitFor(
    'response',
    context,
    () => `Could not reach ${new URL(url).host}`,
    // Credentials go to the endpoint that was configured and nowhere else. (workerd has no 'error'.)
    async () => fetch(url, { ...(request as RequestInit), signal: scope.signal, redirect: 'manual' }),
  )
}

/** Waits for a piece of work under a deadline, and says what its failure means. */
export async function waitFor<T>(
  phase: 'response' | 'idle',
  { clock, scope, timeouts, secrets }: AttemptContext,
  failed: () => string,
  work: () => Promise<T>,
): Promise<T> {
  const { signal } = scope
  const stop = startDeadline(phase, clock, timeouts[phase], scope.abort)
  try {
    return await scope.wait(work())
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw isBedrockError(error) ? error : networkError(error, failed(), secrets())
  } finally {
    stop()
  }
}

const unmet = {
  response: 'No response came',
  idle: 'Nothing more of the response came',
  total: 'The call did not finish',
}

/** Starts a deadline; 0 and Infinity mean none. Gives a function that stops it. */
export function startDeadline(
  phase: keyof typeof unmet,
  clock: Clock,
  milliseconds: number,
  abort: (reason: TimeoutError) => void,
): () => void {
  // Beyond 2^31 - 1 ms, timers fire at once.
  if (!(milliseconds > 0) || milliseconds > 2_147_483_647) return () => {}
  const handle = clock.setTimeout(
    () =>
      abort(
        new TimeoutError(`${unmet[phase]} within ${milliseconds} ms`, {
          phase,
          hint:
            phase === 'response'
              ? 'Stream long answers, or raise timeout.response.'
              : `Raise timeout.${phase} if that is too short.`,
        }),
      ),
    milliseconds,
  )
  return () => clock.clearTimeout(handle)
}

/** The defaults suit long answers: Bedrock lets an inference run for 60 minutes. */
export function resolveTimeouts(
  { response, idle = 300_000, total = 0 }: Timeouts,
  isStream: boolean,
): ResolvedTimeouts {
  return { response: response ?? (isStream ? 300_000 : 3_600_000), idle, total }
}
