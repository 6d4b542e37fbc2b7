import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { HttpResponse, HttpTransport, Network } from '../core/internal/http.ts'
import type { AbortSource } from '../core/internal/signal.ts'
import type { Agents } from './agents.ts'
import { toResponse } from './incoming.ts'
import type { NodeFetchOptions } from './options.ts'
import type { HttpProxy } from './proxy.ts'
import { proxyFailure, proxyRefusal } from './proxy-errors.ts'
import { createRouter } from './route.ts'
import { toFetch } from './to-fetch.ts'

/** Creates a transport over `node:http` and `node:https` with keep-alive connections. */
export function createNetwork(given: NodeFetchOptions = {}): Network {
  const router = createRouter(given)
  const { agents } = router
  const transport: HttpTransport = async (request, scope, connecting) => {
    const { isTls, options, forwarder } = router.route(request, scope)
    agents.dropStale(Date.now())
    // Read per request, because nock and instrumentations replace it.
    const outgoing = (isTls ? https : http).request(options)
    // The user's own agent may queue requests for a connection, which the connect timeout must not count.
    const connection = outgoing.reusedSocket
      ? undefined
      : watchConnection(outgoing, connecting, given.agent === undefined)
    const response = responseTo(outgoing, { agents, connection, forwarder, scope, path: String(options.path) })
    sendBody(outgoing, request.body)
    return response
  }
  return { transport, fetch: toFetch(transport) }
}

/**
 * Waits for the headers of a response. Afterwards it keeps nothing, because a stream would keep it for as long as it lasts.
 */
function responseTo(
  outgoing: ClientRequest,
  {
    agents,
    connection,
    forwarder,
    scope,
    path,
  }: {
    readonly agents: Agents
    readonly connection: PendingConnection | undefined
    readonly forwarder: HttpProxy | undefined
    readonly scope: AbortSource
    readonly path: string
  },
): Promise<HttpResponse> {
  const { reusedSocket } = outgoing
  return new Promise((resolve, reject) => {
    const waiting: Waiting = {
      fail(error) {
        stop()
        outgoing.on('error', ignore)
        connection?.end()
        // If one idle connection has died unnoticed, the others have too.
        if (reusedSocket) agents.dropIdle()
        reject(error)
      },
    }
    const onError = (error: Error): void =>
      waiting.fail?.(forwarder && connection?.isMade === false ? proxyFailure(forwarder, error) : error)
    const onClose = (): void => waiting.fail?.(new Error('the connection was closed'))
    const onResponse = (incoming: IncomingMessage): void => {
      if (forwarder && incoming.statusCode === 407) {
        waiting.fail?.(proxyRefusal(forwarder, 407, new URL(path).host))
        outgoing.destroy()
        return
      }
      connection?.end()
      resolve(toResponse(incoming, outgoing))
      stop()
    }
    const stop = (): void => {
      waiting.fail = undefined
      outgoing.off('error', onError).off('close', onClose).off('response', onResponse)
    }
    outgoing.on('error', onError).on('close', onClose).on('response', onResponse)
    closeWith(scope, outgoing, waiting)
  })
}

/** The wait for a response. */
interface Waiting {
  fail: ((error: unknown) => void) | undefined
}

/** Closes the connection with its attempt, also while the body is being read. */
function closeWith(scope: AbortSource, outgoing: ClientRequest, waiting: Waiting): void {
  scope.onAbort((reason) => {
    waiting.fail?.(reason)
    outgoing.destroy()
  })
}

function ignore(): void {}

/** A connection that is being made. */
interface PendingConnection {
  /** Whether the socket is connected, before TLS. */
  readonly isMade: boolean
  /** Reports that connecting is over. */
  end(): void
}

/** Reports the start and the end of connecting, TLS included. */
function watchConnection(outgoing: ClientRequest, connecting: () => () => void, isAtOnce: boolean): PendingConnection {
  let isMade = false
  let connected = isAtOnce ? connecting() : undefined
  outgoing.once('socket', (socket: TLSSocket & { readonly secureConnecting?: boolean }) => {
    isMade = !socket.connecting
    if (isMade && !socket.secureConnecting) return connected?.()
    connected ??= connecting()
    socket.once('connect', () => {
      isMade = true
    })
    socket.once(socket.encrypted ? 'secureConnect' : 'connect', connected)
  })
  return {
    get isMade() {
      return isMade
    },
    end: () => connected?.(),
  }
}

// The maximum number of bytes to write together with the headers.
const maxInline = 16_384

function sendBody(outgoing: ClientRequest, body: string | Uint8Array = ''): void {
  // Never a UTF-8 string, or Node would encode the headers in UTF-8 too. ASCII is the same in Latin-1.
  if (typeof body === 'string' && body.length <= maxInline && Buffer.byteLength(body) === body.length) {
    outgoing.end(body, 'latin1')
    return
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length)
  if (bytes.length > 0 && bytes.length <= maxInline) outgoing.end(bytes.toString('latin1'), 'latin1')
  else outgoing.end(bytes.length > 0 ? bytes : undefined)
}
