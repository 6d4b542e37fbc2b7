import { ConnectionError } from '../core/errors.ts'
import type { HttpProxy } from './proxy.ts'

/** The error for a proxy that rejects a request. */
export function proxyRefusal(proxy: HttpProxy, status: number, target: string): ConnectionError {
  return new ConnectionError(`The proxy ${proxy.url.host} refused to connect to ${target}: HTTP ${status}`, {
    retryable: status >= 500,
    hint:
      status === 407
        ? "The proxy requires a user: write the name and the password into the proxy's URL, before the host: NAME:PASSWORD@HOST."
        : `Ask the proxy's administrator to allow ${target}, or add the host to NO_PROXY if it can be reached directly.`,
  })
}

/** The error for a proxy that cannot be reached. */
export function proxyFailure(proxy: HttpProxy, cause: Error): ConnectionError {
  const { code } = cause as { code?: string }
  return new ConnectionError(`Could not reach the proxy ${proxy.url.host}: ${code ?? cause.message}`, {
    cause,
    hint: 'Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or the `proxy` option.',
  })
}
