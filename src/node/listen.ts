import { once } from 'node:events'
import {
  createServer as createHttp1Server,
  type IncomingMessage,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'

/** A request that came, by either version of HTTP. */
export type ServerRequest = IncomingMessage | Http2ServerRequest
/** The response to it. */
export type OutgoingResponse = ServerResponse | Http2ServerResponse

/** Where to listen, and for whom. */
export interface ListenOptions {
  readonly port: number
  readonly host: string
  readonly http1?: ServerOptions | undefined
  readonly onRequest: (request: ServerRequest, response: OutgoingResponse) => void
}

/** A server that listens. */
export interface HttpServer {
  readonly url: string
  /** Takes no new connection, and ends each of those that there are when what it carries is over. */
  drain(): void
  /** Stops listening and breaks off what is open. */
  close(): Promise<void>
}

/**
 * Serves HTTP/1.1 and HTTP/2 on one port: both in cleartext, HTTP/2 with prior knowledge, as the AWS SDK speaks it.
 *
 * @throws the system's error, such as `EADDRINUSE`, where it cannot listen.
 */
export async function listen({ port, host, http1: options = {}, onRequest }: ListenOptions): Promise<HttpServer> {
  const http1 = createHttp1Server(options, onRequest)
  const http2 = createHttp2Server(onRequest)
  const sessions = new Set<ServerHttp2Session>()
  const sockets = new Set<Socket>()
  http2.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session)).once('error', () => {})
  })
  const asHttp1 = http1.listeners('connection') as ((socket: Socket) => void)[]
  http1.removeAllListeners('connection')
  http1.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket)).once('error', () => {})
    // Whoever says nothing at all is not waited for, either.
    socket.setTimeout(http1.headersTimeout, () => socket.destroy())
    sniff(socket, (isHttp2) => {
      socket.setTimeout(0)
      socket.removeAllListeners('timeout')
      if (isHttp2) {
        http2.emit('connection', socket)
        return
      }
      for (const serve of asHttp1) serve.call(http1, socket)
      // HTTP/2 reads from the socket by itself.
      socket.resume()
    })
  })
  http1.listen(port, host)
  await once(http1, 'listening')
  const { port: bound } = http1.address() as AddressInfo
  let closed: Promise<unknown> | undefined
  const stop = (): Promise<unknown> => {
    closed ??= once(http1, 'close')
    if (http1.listening) http1.close()
    return closed
  }
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    drain() {
      stop()
      for (const session of sessions) session.close()
    },
    async close() {
      const over = stop()
      for (const socket of sockets) socket.destroy()
      await over
    },
  }
}

// An HTTP/2 client that knows whom it speaks to begins with a line that no HTTP/1 request begins with: RFC 9113, 3.4.
const preface = 'PRI * HTTP/2.0\r\n'

function sniff(socket: Socket, found: (isHttp2: boolean) => void, before = Buffer.alloc(0)): void {
  socket.once('data', (chunk: Buffer) => {
    socket.pause()
    const start = Buffer.concat([before, chunk])
    const text = start.toString('latin1', 0, preface.length)
    if (text.length < preface.length && preface.startsWith(text)) return sniff(socket, found, start)
    socket.unshift(start)
    found(text === preface)
  })
  socket.resume()
}
