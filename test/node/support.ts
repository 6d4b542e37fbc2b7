import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { connect } from 'node:net'
import { pipeline } from 'node:stream'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

export const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

/** A server on a free port. */
export interface Listening {
  readonly port: number
  /** The connections that there have been. */
  readonly connections: Socket[]
  close(): Promise<void>
}

/** Listens, and hands each connection to `accept`. */
export async function listen(accept: (socket: Socket) => void, tls?: TlsOptions): Promise<Listening> {
  const connections: Socket[] = []
  const take = (socket: Socket): void => {
    connections.push(socket)
    socket.on('error', () => {})
    accept(socket)
  }
  const server: Server = tls ? createTlsServer(tls, take) : createServer(take)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of connections) socket.destroy()
      await closed
    },
  }
}

/** Passes a connection on to another port. */
export function passOn(socket: Socket, port: number): void {
  const upstream = connect(port, '127.0.0.1')
  pipeline(socket, upstream, () => {})
  pipeline(upstream, socket, () => {})
}

/** Calls back for each request on a connection. Requests are told apart by their `content-length`. */
export function onRequest(socket: Socket, respond: (head: string, count: number) => void): void {
  let held = Buffer.alloc(0)
  let count = 0
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    for (;;) {
      const end = held.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = held.toString('latin1', 0, end)
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (held.length < end + 4 + length) return
      held = held.subarray(end + 4 + length)
      respond(head, ++count)
    }
  })
}

/** A whole answer, as the service sends it. */
export const message = JSON.stringify({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'fine' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
})

/** An HTTP response with a body of JSON. */
export function response(body = message, ...headers: string[]): string {
  return [
    'HTTP/1.1 200 OK',
    'content-type: application/json',
    `content-length: ${body.length}`,
    ...headers,
    '',
    body,
  ].join('\r\n')
}
