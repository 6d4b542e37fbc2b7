/**
 * The fake Bedrock over HTTP.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  constants,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { assertOptions } from '../../core/internal/assert-options.ts'
import type { FakeBedrock } from '../fake.ts'

/** Where to listen. */
export interface ServeOptions {
  /** @default 0, which picks a free one */
  readonly port?: number | undefined
  /** @default '127.0.0.1' */
  readonly host?: string | undefined
}

/** A fake Bedrock that listens. */
export interface FakeBedrockServer {
  /** Give it to the client as `endpoint`. */
  readonly url: string
  /** Stops listening and breaks off what is open. */
  close(): Promise<void>
}

/**
 * Serves a fake Bedrock over HTTP, with real sockets and real resets. HTTP/1.1 and HTTP/2 (in cleartext, with prior
 * knowledge, as the AWS SDK speaks it) share the port.
 *
 * @example
 * ```ts
 * const server = await serveFakeBedrock(fake)
 * const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, endpoint: server.url })
 * ```
 * @throws the system's error, such as `EADDRINUSE`, where it cannot listen.
 */
export async function serveFakeBedrock(fake: FakeBedrock, options: ServeOptions = {}): Promise<FakeBedrockServer> {
  assertOptions(options, '', 'port host')
  const { port = 0, host = '127.0.0.1' } = options
  const respond = (request: ArrivingRequest, response: DepartingResponse): void => {
    // What fails here fails as it does at AWS: by a connection that breaks, after what was sent before.
    serve(fake, request, response).catch(() => breakOff(response))
  }
  const http1 = createHttp1Server(respond)
  const http2 = createHttp2Server(respond)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket)).once('error', () => {})
    sniff(socket, (isHttp2) => {
      ;(isHttp2 ? http2 : http1).emit('connection', socket)
      // HTTP/2 reads from the socket by itself.
      if (!isHttp2) socket.resume()
    })
  })
  server.listen(port, host)
  await once(server, 'listening')
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

type ArrivingRequest = IncomingMessage | Http2ServerRequest
type DepartingResponse = ServerResponse | Http2ServerResponse

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

function breakOff(response: DepartingResponse): void {
  // Of an HTTP/2 connection only the one stream breaks.
  if ('stream' in response) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  else response.socket?.end()
}

async function serve(fake: FakeBedrock, request: ArrivingRequest, response: DepartingResponse): Promise<void> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  const { method = 'GET', url = '/', headers } = request
  const { host = headers[':authority'], ...rest } = headers
  const address = `http://${host}${url}`
  if (!URL.canParse(address)) {
    response.writeHead(400)
    response.end()
    return
  }
  const answer = await fake.fetch(address, {
    method,
    headers: Object.entries(rest).flatMap(([name, value]): [string, string][] =>
      value === undefined || name.startsWith(':') ? [] : [[name, String(value)]],
    ),
    ...(method !== 'GET' && method !== 'HEAD' && { body: Buffer.concat(chunks) }),
    signal: gone.signal,
  })
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  // HTTP/2 has sent them.
  if (!('stream' in response)) response.flushHeaders()
  for await (const chunk of answer.body ?? []) {
    if (!(response as ServerResponse).write(chunk)) await once(response, 'drain', { signal: gone.signal })
  }
  response.end()
}
