import { ConfigurationError, CredentialsError, TimeoutError } from '../core/errors.ts'
import { CallScope } from '../core/internal/signal.ts'
import type { Clock } from '../core/types.ts'

// Keys and a session token take a few kilobytes.
const maxBytes = 65_536

/** Options of {@link requestCredentials}. */
export interface CredentialRequestOptions {
  readonly fetch?: typeof fetch | undefined
  readonly signal?: AbortSignal | undefined
  readonly clock: Clock
  /** For the whole response, in milliseconds. */
  readonly timeout: number
}

/** The response of a service that provides credentials. */
export interface CredentialResponse {
  readonly ok: boolean
  readonly status: number
  readonly text: string
  /** The earlier of the local time and the service's, so that a fast local clock does not make keys look expired. */
  readonly now: number
}

/**
 * Requests credentials from a service, with a timeout and a size limit. Follows no redirects.
 *
 * @throws TimeoutError | CredentialsError | the caller's abort reason | any error of `fetch`
 */
export async function requestCredentials(
  url: string,
  init: Pick<RequestInit, 'method' | 'headers' | 'body'>,
  { fetch: send = globalThis.fetch, signal, clock, timeout }: CredentialRequestOptions,
): Promise<CredentialResponse> {
  const scope = new CallScope(signal)
  const { host } = new URL(url)
  const handle = clock.setTimeout(
    () => scope.abort(new TimeoutError(`${host} did not answer within ${timeout} ms`, { phase: 'response' })),
    // Timers longer than 2^31 - 1 ms fire at once.
    Math.min(timeout, 2_147_483_647),
  )
  const ask = async (): Promise<CredentialResponse> => {
    const response = await send(url, { ...init, redirect: 'manual', signal: scope.signal })
    const { ok, status, headers } = response
    const date = Date.parse(headers.get('date') ?? '')
    const now = Math.min(clock.now(), Number.isNaN(date) ? Number.POSITIVE_INFINITY : date)
    return { ok, status, text: await readText(response, host), now }
  }
  try {
    return await scope.wait(ask())
  } finally {
    clock.clearTimeout(handle)
    scope.dispose()
  }
}

/** @throws ConfigurationError unless the timeout is positive */
export function assertTimeout(timeout: number): void {
  if (!(timeout > 0)) throw new ConfigurationError('timeout must be more than 0 milliseconds')
}

/** @throws CredentialsError for keys that have expired */
export function assertNotExpired(expiration: Date | undefined, now: number, from: string): void {
  if (!expiration || expiration.getTime() > now) return
  throw new CredentialsError(`${from} returned keys that expired at ${expiration.toISOString()}`, {
    hint: "Check this machine's clock, and any proxy that caches responses.",
  })
}

async function readText({ body }: Response, host: string): Promise<string> {
  const reader = body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (let size = 0; ; ) {
    const { done, value } = (await reader?.read()) ?? { done: true }
    if (done || !value) return text + decoder.decode()
    size += value.length
    if (size > maxBytes) {
      reader?.cancel().catch(() => {})
      throw new CredentialsError(`${host} sent more than ${maxBytes} bytes, too many for credentials`)
    }
    text += decoder.decode(value, { stream: true })
  }
}
