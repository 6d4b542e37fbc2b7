import { type BedrockError, ConnectionError, TimeoutError } from '../errors.ts'
import { redactError, type Secrets } from '../internal/redact.ts'

const hint =
  "Node's own fetch gives up after 300 s. Leave out the `fetch` option to use node:http, which has no such limit (docs/node.md), stream the answer, or pass create the option wire: 'stream'."

/** Converts an error of Node's `fetch`, whose timeouts and certificate errors have their own codes. */
export function networkError(error: unknown, what: string, secrets?: Secrets): BedrockError {
  const cause = redactError(error, secrets)
  const code = errorCode(error)
  if (code === 'UND_ERR_HEADERS_TIMEOUT')
    return new TimeoutError(`${what}: no headers came in time`, { phase: 'response', cause, hint })
  if (code === 'UND_ERR_BODY_TIMEOUT')
    return new TimeoutError(`${what}: no bytes came in time`, { phase: 'idle', cause, hint })
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT')
    return new TimeoutError(`${what}: connecting took too long`, { phase: 'connect', cause, retryable: true })
  const untrusted = code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_|_TLS_|_SSL_/.test(code)
  return new ConnectionError(`${what}: ${code ?? cause.message}`, {
    cause,
    retryable: !untrusted,
    hint: untrusted
      ? 'The certificate is not trusted; behind a TLS-inspecting proxy, give its root certificate to the runtime (NODE_EXTRA_CA_CERTS on Node).'
      : undefined,
  })
}

// Runtimes wrap the system's error once or twice.
function errorCode(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 4) return undefined
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: readonly unknown[] }
  return (
    errorCode(cause, depth + 1) ??
    errorCode(errors?.[0], depth + 1) ??
    (typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : undefined)
  )
}

/** Tests whether the other side closed a connection, usually a kept-alive one that timed out there. */
export function isConnectionReset({ cause }: { readonly cause?: unknown }): boolean {
  return /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/.test(errorCode(cause) ?? '')
}
