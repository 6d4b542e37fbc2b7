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
  /**
   * Takes no new connection, and closes each of those that there are when what it carries has been sent. Resolves when
   * the last one is closed.
   */
  drain(): Promise<void>
  /** Stops listening and breaks off what is open. */
  close(): Promise<void>
}

/**
 * Serves HTTP/1.1 and HTTP/2 on one port: both in cleartext, HTTP/2 with prior knowledge, as the AWS SDK speaks it.
 *
 * @throws the system's error, such as `EADDRINUSE`, where it cannot listen.
 */
export async function listen({ port, host, http1: options = {}, onRequest }: ListenOptions): Promise<HttpServer> {
  let closed: Promise<unknown> | undefined
  const answer: ListenOptions['onRequest'] = (request, response) => {
    // Nothing else closes a connection that could carry another request.
    response.once('close', () => closed && setImmediate(() => http1.closeIdleConnections()))
    onRequest(request, response)
  }
  const http1 = createHttp1Server(options, answer)
  const http2 = createHttp2Server(answer)
  const sockets = new Set<Socket>()
  /** Those that have not said which version they speak. */
  const silent = new Set<Socket>()
  const sessions = new Set<ServerHttp2Session>()
  http2.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session)).once('error', () => {})
  })
  const asHttp1 = http1.listeners('connection') as ((socket: Socket) => void)[]
  http1.removeAllListeners('connection')
  http1.on('connection', (socket: Socket) => {
    sockets.add(socket)
    silent.add(socket)
    socket
      .once('close', () => {
        sockets.delete(socket)
        silent.delete(socket)
      })
      .once('error', () => {})
    socket.setTimeout(http1.headersTimeout, () => socket.destroy())
    sniff(socket, (isHttp2) => {
      silent.delete(socket)
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
  const stop = (): Promise<unknown> => {
    if (!closed) {
      closed = once(http1, 'close')
      http1.close()
    }
    return closed
  }
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async drain() {
      const over = stop()
      for (const session of sessions) session.close()
      for (const socket of silent) socket.destroy()
      await over
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
