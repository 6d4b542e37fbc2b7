import { isBedrockError, TimeoutError } from '../errors.ts'
import { type AbortScope, raceSignal } from '../internal/signal.ts'
import type { Clock, Timeouts } from '../types.ts'
import type { HttpRequest } from './encode-request.ts'
import { networkError } from '#platform'

/** A response's body, read chunk by chunk. */
export interface BodyReader {
  /** The next bytes; `undefined` at the end. @throws ConnectionError | TimeoutError | the caller's abort reason */
  read(): Promise<Uint8Array | undefined>
  /** Closes the connection when the body was not read to its end. */
  cancel(): void
}

/** What one HTTP attempt needs beside its request. */
export interface AttemptContext {
  readonly fetch: typeof fetch
  readonly clock: Clock
  readonly scope: AbortScope
  readonly timeouts: { readonly response: number; readonly idle: number }
}

/** Sends one HTTP request and waits for its headers. */
export async function attempt({ url, ...request }: HttpRequest, context: AttemptContext): Promise<Response> {
  const { signal } = context.scope
  return guard(
    'response',
    context,
    () => `Could not reach ${new URL(url).host}`,
    // Credentials go to the endpoint that was configured and nowhere else. (workerd has no 'error'.)
    () => context.fetch(url, { ...(request as RequestInit), signal, redirect: 'manual' }),
  )
}

/** Reads a response's body under the idle deadline, which runs while a read is waiting and not while the reader is. */
export function readBody(response: Response, context: AttemptContext): BodyReader {
  let reader = response.body?.getReader()
  const cancel = (): void => {
    // Whoever made the body may fail to close it as well as it may fail to deliver it; nobody waits for either.
    reader?.cancel().catch(() => {})
    reader = undefined
  }
  return {
    cancel,
    read: async () => {
      const open = reader
      if (!open) return undefined
      try {
        const { done, value } = await guard(
          'idle',
          context,
          () => 'The connection was lost inside the response',
          () => open.read(),
        )
        if (done) reader = undefined
        return value
      } catch (error) {
        cancel()
        throw error
      }
    },
  }
}

/** Waits for a piece of work under a deadline, and says what its failure means. */
async function guard<T>(
  phase: 'response' | 'idle',
  { clock, scope, timeouts }: AttemptContext,
  what: () => string,
  work: () => Promise<T>,
): Promise<T> {
  const { signal } = scope
  const stop = startDeadline(phase, clock, timeouts[phase], scope)
  try {
    return await raceSignal(work(), signal)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw isBedrockError(error) ? error : networkError(error, what())
  } finally {
    stop()
  }
}

const unmet = {
  response: 'No response came',
  idle: 'Nothing more of the response came',
  total: 'The call was not done',
}

/** Starts a deadline, which ends `scope`; 0 and Infinity mean none. Gives a function that stops it. */
export function startDeadline(
  phase: keyof typeof unmet,
  clock: Clock,
  milliseconds: number,
  scope: AbortScope,
): () => void {
  // Beyond 2^31 - 1 ms, timers fire at once.
  if (!(milliseconds > 0) || milliseconds > 2_147_483_647) return () => {}
  const handle = clock.setTimeout(
    () =>
      scope.abort(
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

/** Reads the rest of a body as text. */
export async function readText(body: BodyReader): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for (let chunk = await body.read(); chunk; chunk = await body.read()) text += decoder.decode(chunk, { stream: true })
  return text + decoder.decode()
}

/** The defaults suit long answers: Bedrock lets an inference run for 60 minutes. */
export function resolveTimeouts(
  timeouts: Timeouts,
  isStream: boolean,
): { response: number; idle: number; total: number } {
  const { response = isStream ? 300_000 : 3_600_000, idle = 300_000, total = 0 } = timeouts
  return { response, idle, total }
}
