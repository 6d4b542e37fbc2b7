import { type BedrockError, ConnectionError, isBedrockError, TimeoutError } from '../errors.ts'
import type { AbortScope } from '../internal/signal.ts'
import type { Clock, Timeouts } from '../types.ts'
import type { HttpRequest } from './encode-request.ts'

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
      throw scope.signal.aborted ? scope.signal.reason : networkError(error, `Could not reach ${new URL(url).host}`)
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
        throw scope.signal.aborted
          ? scope.signal.reason
          : networkError(error, 'The connection was lost inside the response')
      }
    },
  }
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

const nodeLimit =
  'Node’s own fetch gives up after 300 s. Stream the answer, or pass a fetch whose agent has longer limits (docs/errors.md has a recipe).'

function networkError(error: unknown, what: string): BedrockError {
  if (isBedrockError(error)) return error
  const code = errorCode(error)
  if (code === 'UND_ERR_HEADERS_TIMEOUT')
    return new TimeoutError(`${what}: no headers came in time`, { phase: 'response', cause: error, hint: nodeLimit })
  if (code === 'UND_ERR_BODY_TIMEOUT')
    return new TimeoutError(`${what}: no bytes came in time`, { phase: 'idle', cause: error, hint: nodeLimit })
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return new TimeoutError(`${what}: connecting took too long`, { phase: 'connect', cause: error, retryable: true })
  }
  const untrusted = code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_|_TLS_|_SSL_/.test(code)
  return new ConnectionError(`${what}: ${code ?? (error instanceof Error ? error.message : 'unknown failure')}`, {
    cause: error,
    retryable: !untrusted,
    hint: untrusted
      ? 'The certificate is not trusted; behind a TLS-inspecting proxy, give its root certificate to the runtime (NODE_EXTRA_CA_CERTS on Node).'
      : undefined,
  })
}

// Runtimes wrap the system's error in one or two of their own.
function errorCode(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 4) return undefined
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: readonly unknown[] }
  return (
    errorCode(cause, depth + 1) ?? errorCode(errors?.[0], depth + 1) ?? (typeof code === 'string' ? code : undefined)
  )
}
