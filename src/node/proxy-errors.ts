import { ConnectionError } from '../core/errors.ts'
import type { HttpProxy } from './proxy.ts'

/** A proxy that does not let a request through. */
export function proxyRefusal(proxy: HttpProxy, status: number, target: string): ConnectionError {
  return new ConnectionError(`The proxy ${proxy.url.host} refused to connect to ${target}: HTTP ${status}`, {
    retryable: status >= 500,
    hint:
      status === 407
        ? "The proxy asks for a user: write the name and the password into the proxy's URL, before the host: NAME:PASSWORD@HOST."
        : `Ask who runs the proxy to allow ${target}, or name the host in NO_PROXY if there is a way around it.`,
  })
}

/** A proxy that cannot be reached. */
export function proxyFailure(proxy: HttpProxy, cause: Error): ConnectionError {
  const { code } = cause as { code?: string }
  return new ConnectionError(`Could not reach the proxy ${proxy.url.host}: ${code ?? cause.message}`, {
    cause,
    hint: 'Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or the `proxy` option.',
  })
}
