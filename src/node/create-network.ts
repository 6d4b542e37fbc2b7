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

/** Sends requests over `node:http` and `node:https`, on connections that are kept alive. */
export function createNetwork(given: NodeFetchOptions = {}): Network {
  const router = createRouter(given)
  const { agents } = router
  const transport: HttpTransport = async (request, scope, connecting) => {
    const route = router.route(request, scope)
    agents.dropStale(Date.now())
    // Looked up here, where nock and instrumentations put theirs.
    const outgoing = (route.isTls ? https : http).request(route.options)
    const hasConnection = outgoing.reusedSocket
    // An agent of the user's own may let requests wait for a connection: that is no deadline's business.
    const connected = hasConnection ? () => {} : watchConnection(outgoing, connecting, given.agent === undefined)
    try {
      return await exchange(outgoing, request.body, route, scope)
    } catch (error) {
      // Where one connection died unseen, the others have as well.
      if (hasConnection) agents.dropIdle()
      throw error
    } finally {
      connected()
    }
  }
  return { transport, fetch: toFetch(transport) }
}

/** Tells when a connection is being made and when it stands; gives a function to say that it will not. */
function watchConnection(outgoing: ClientRequest, connecting: () => () => void, isAtOnce: boolean): () => void {
  let connected = isAtOnce ? connecting() : undefined
  outgoing.once('socket', (socket: TLSSocket & { readonly secureConnecting?: boolean }) => {
    if (!socket.connecting && !socket.secureConnecting) return connected?.()
    connected ??= connecting()
    socket.once(socket.encrypted ? 'secureConnect' : 'connect', connected)
  })
  return () => connected?.()
}

/** Sends the body and waits for the headers of the answer. */
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
    // The scope is the attempt's: it closes the connection while the body is read, too.
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

// What fits into one write with the headers, in bytes.
const maxInline = 16_384

function sendBody(outgoing: ClientRequest, body: string | Uint8Array = ''): void {
  // Never a string of UTF-8: with one, Node encodes the headers in UTF-8 too.
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length)
  if (bytes.length > 0 && bytes.length <= maxInline) outgoing.end(bytes.toString('latin1'), 'latin1')
  else outgoing.end(bytes.length > 0 ? bytes : undefined)
}
