import http, { type ClientRequest } from 'node:http'
import https from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { HttpResponse, HttpTransport, Network } from '../core/internal/http.ts'
import type { AbortSource } from '../core/internal/signal.ts'
import { toResponse } from './incoming.ts'
import type { NodeFetchOptions } from './options.ts'
import { proxyFailure, proxyRefusal } from './proxy-errors.ts'
import { createRouter, type Route } from './route.ts'
import { toFetch } from './to-fetch.ts'

/** Creates a transport over `node:http` and `node:https` with keep-alive connections. */
export function createNetwork(given: NodeFetchOptions = {}): Network {
  const router = createRouter(given)
  const { agents } = router
  const transport: HttpTransport = async (request, scope, connecting) => {
    const route = router.route(request, scope)
    agents.dropStale(Date.now())
    // Read per request, because nock and instrumentations replace it.
    const outgoing = (route.isTls ? https : http).request(route.options)
    const hasConnection = outgoing.reusedSocket
    // The user's own agent may queue requests for a connection, which the connect timeout must not count.
    const connected = hasConnection ? () => {} : watchConnection(outgoing, connecting, given.agent === undefined)
    try {
      return await exchange(outgoing, request.body, route, scope)
    } catch (error) {
      // If one idle connection has died unnoticed, the others have too.
      if (hasConnection) agents.dropIdle()
      throw error
    } finally {
      connected()
    }
  }
  return { transport, fetch: toFetch(transport) }
}

/** Reports the start and the end of connecting. Returns a function that reports a failure. */
function watchConnection(outgoing: ClientRequest, connecting: () => () => void, isAtOnce: boolean): () => void {
  let connected = isAtOnce ? connecting() : undefined
  outgoing.once('socket', (socket: TLSSocket & { readonly secureConnecting?: boolean }) => {
    if (!socket.connecting && !socket.secureConnecting) return connected?.()
    connected ??= connecting()
    socket.once(socket.encrypted ? 'secureConnect' : 'connect', connected)
  })
  return () => connected?.()
}

/** Sends the body and waits for the response headers. */
function exchange(
  outgoing: ClientRequest,
  body: string | Uint8Array | undefined,
  { forwarder, options }: Route,
  scope: AbortSource,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    let hasConnected = outgoing.reusedSocket
    outgoing.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => (hasConnected = true))
      else hasConnected = true
    })
    // The scope belongs to the attempt, so it also closes the connection while the body is being read.
    scope.onAbort((reason) => {
      reject(reason)
      outgoing.destroy()
    })
    outgoing
      .on('error', (error) => {
        reject(forwarder && !hasConnected ? proxyFailure(forwarder, error) : error)
      })
      .once('close', () => reject(new Error('the connection was closed')))
      .once('response', (incoming) => {
        if (forwarder && incoming.statusCode === 407) {
          reject(proxyRefusal(forwarder, 407, new URL(String(options.path)).host))
          outgoing.destroy()
        } else {
          resolve(toResponse(incoming, outgoing))
        }
      })
    sendBody(outgoing, body)
  })
}

// The maximum number of bytes to write together with the headers.
const maxInline = 16_384

function sendBody(outgoing: ClientRequest, body: string | Uint8Array = ''): void {
  // Never a UTF-8 string, or Node would encode the headers in UTF-8 too.
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length)
  if (bytes.length > 0 && bytes.length <= maxInline) outgoing.end(bytes.toString('latin1'), 'latin1')
  else outgoing.end(bytes.length > 0 ? bytes : undefined)
}
