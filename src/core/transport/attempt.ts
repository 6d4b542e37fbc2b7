import { isBedrockError, TimeoutError } from '../errors.ts'
import type { AbortScope } from '../internal/signal.ts'
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
export async function attempt(request: HttpRequest, context: AttemptContext): Promise<Response> {
  const { url, method, headers, body } = request
  const { scope } = context
  return withDeadline('response', context, async () => {
    try {
      return await scope.race(
        context.fetch(url, {
          method,
          headers,
          ...(body !== undefined && { body: body as BodyInit }),
          signal: scope.signal,
          // Credentials go to the endpoint that was configured and nowhere else. (workerd has no 'error'.)
          redirect: 'manual',
        }),
      )
    } catch (error) {
      throw failure(error, context, `Could not reach ${new URL(url).host}`)
    }
  })
}

/** Reads a response's body under the idle deadline, which runs while a read is waiting and not while the reader is. */
export function readBody(response: Response, context: AttemptContext): BodyReader {
  const reader = response.body?.getReader()
  const { scope } = context
  let open = reader !== undefined
  const cancel = (): void => {
    if (!open) return
    open = false
    // Whoever made the body may fail to close it as well as it may fail to deliver it; nobody waits for either.
    reader?.cancel().catch(() => {})
  }
  return {
    cancel,
    read: async () => {
      if (!open || !reader) return undefined
      try {
        const { done, value } = await withDeadline('idle', context, () => scope.race(reader.read()))
        if (done) open = false
        return value
      } catch (error) {
        cancel()
        throw failure(error, context, 'The connection was lost inside the response')
      }
    },
  }
}

function failure(error: unknown, { scope: { signal } }: AttemptContext, what: string): unknown {
  if (signal.aborted) return signal.reason
  return isBedrockError(error) ? error : networkError(error, what)
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

/** Starts a timer for a deadline; 0 and Infinity mean none. */
export function startTimer(clock: Clock, milliseconds: number, callback: () => void): () => void {
  // Beyond 2^31 - 1 ms, timers fire at once.
  if (!(milliseconds > 0) || milliseconds > 2_147_483_647) return () => {}
  const handle = clock.setTimeout(callback, milliseconds)
  return () => clock.clearTimeout(handle)
}

async function withDeadline<T>(
  phase: 'response' | 'idle',
  { clock, scope, timeouts }: AttemptContext,
  work: () => Promise<T>,
): Promise<T> {
  const stop = startTimer(clock, timeouts[phase], () => scope.abort(deadlineError(phase, timeouts[phase])))
  try {
    return await work()
  } finally {
    stop()
  }
}

/** The error of a deadline that passed. */
export function deadlineError(phase: 'response' | 'idle' | 'total', milliseconds: number): TimeoutError {
  const what = {
    response: 'No response came',
    idle: 'Nothing more of the response came',
    total: 'The call was not done',
  }
  return new TimeoutError(`${what[phase]} within ${milliseconds} ms`, {
    phase,
    hint:
      phase === 'response'
        ? 'Stream long answers, or raise timeout.response.'
        : `Raise timeout.${phase} if that is too short.`,
  })
}
