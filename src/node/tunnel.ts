import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { AbortSource } from '../core/internal/signal.ts'
import type { HttpProxy } from './proxy.ts'
import { proxyFailure, proxyRefusal } from './proxy-errors.ts'

/** The target of a tunnel. */
export interface TunnelRequest {
  readonly host?: string | null | undefined
  readonly port?: string | number | null | undefined
  /** The trusted authorities and the client certificate, also for the proxy. */
  readonly secureContext?: SecureContext | undefined
  /** Aborts together with the request that needs the tunnel. */
  readonly tunnelScope?: AbortSource | undefined
}

/**
 * Opens a tunnel through a proxy (RFC 9110, section 9.3.6).
 *
 * @throws ConnectionError, which names the proxy
 */
export function openTunnel(
  proxy: HttpProxy,
  { host, port, secureContext, tunnelScope }: TunnelRequest,
): Promise<Socket> {
  const target = `${host?.includes(':') ? `[${host}]` : host}:${port}`
  const { url, authorization } = proxy
  const request = (url.protocol === 'https:' ? https : http).request(url, {
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...(authorization && { 'proxy-authorization': authorization }) },
    agent: false,
    secureContext,
  } as https.RequestOptions)
  let isOpen = false
  tunnelScope?.onAbort(() => isOpen || request.destroy())
  return answerOf(request, proxy, target).finally(() => {
    isOpen = true
  })
}

function answerOf(request: ClientRequest, proxy: HttpProxy, target: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const refuse = (response: IncomingMessage, socket: Socket): void => {
      socket.destroy()
      reject(proxyRefusal(proxy, response.statusCode ?? 0, target))
    }
    request
      .once('connect', (response, socket, head) => {
        // The client speaks first in TLS, so these bytes cannot come from the target.
        if (response.statusCode !== 200 || head.length > 0) refuse(response, socket)
        else resolve(socket)
      })
      .once('response', (response) => refuse(response, response.socket))
      .once('error', (cause) => reject(proxyFailure(proxy, cause)))
      .end()
  })
}
