import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { assertOptions } from '../../core/internal/assert-options.ts'
import { listen, type OutgoingResponse, type ServerRequest } from '../../node/listen.ts'
import type { Gateway } from '../create-gateway.ts'

/** Options of {@link serveGateway}. */
export interface ServeGatewayOptions {
  /** 0 to 65535; 0 picks a free port. @default 8787 */
  readonly port?: number | undefined
  /** The address or name of an interface; `0.0.0.0` and `::` mean all. @default '127.0.0.1' */
  readonly host?: string | undefined
  /**
   * How long to accept connections after `drain` was called, in milliseconds, so that load balancers notice that health
   * checks answer 503.
   *
   * @default 0
   */
  readonly drainDelay?: number | undefined
}

/** A running gateway server. */
export interface GatewayServer {
  /** Its URL, such as `http://127.0.0.1:8787`. */
  readonly url: string
  /**
   * Shuts down gracefully: health checks answer 503, new connections are rejected, and every stream is finished.
   * Resolves when the last byte has been sent.
   */
  drain(): Promise<void>
  /** Stops at once, and closes open connections. */
  close(): Promise<void>
}

/**
 * Serves a gateway over HTTP/1.1 and cleartext HTTP/2. For TLS, put a proxy in front of it.
 *
 * @example
 * ```ts
 * const server = await serveGateway(gateway, { port: 8787 })
 * process.once('SIGTERM', () => server.drain().then(() => process.exit(0)))
 * ```
 * @throws the system's error, such as `EADDRINUSE`, if it cannot listen.
 */
export async function serveGateway(
  gateway: Pick<Gateway, 'fetch' | 'drain'>,
  options: ServeGatewayOptions = {},
): Promise<GatewayServer> {
  assertOptions(options, '', 'port host drainDelay')
  const { port = 8787, host = '127.0.0.1', drainDelay = 0 } = options
  let isDraining = false
  const server = await listen({
    port,
    host,
    onRequest: (request, response) => {
      if (isDraining && !('stream' in response)) response.setHeader('connection', 'close')
      // If the response breaks off here, it breaks off for the client too.
      serve(gateway, request, response).catch(() => breakOff(response))
    },
  })
  return {
    url: server.url,
    async drain() {
      isDraining = true
      const drained = gateway.drain()
      if (drainDelay > 0) await setTimeout(drainDelay)
      await server.drain()
      await drained
    },
    close: () => server.close(),
  }
}

async function serve(
  gateway: Pick<Gateway, 'fetch'>,
  incoming: ServerRequest,
  outgoing: OutgoingResponse,
): Promise<void> {
  const gone = new AbortController()
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort(clientLeft())
  })
  const request = toRequest(incoming, gone)
  if (!request) {
    outgoing.writeHead(400, { 'content-type': 'text/plain' })
    outgoing.end('Bad request')
    return
  }
  const { status, headers, body } = await gateway.fetch(request)
  outgoing.writeHead(status, Object.fromEntries(headers))
  // HTTP/2 has already sent them.
  if (body && !('stream' in outgoing)) outgoing.flushHeaders()
  await write(body, outgoing, gone.signal)
  outgoing.end()
  discardRest(incoming)
}

// How long a client may leave available data unread, in milliseconds, before it counts as disconnected.
const stalled = 300_000

async function write(
  body: ReadableStream<Uint8Array> | null,
  outgoing: OutgoingResponse,
  signal: AbortSignal,
): Promise<void> {
  const reader = body?.getReader()
  if (!reader) return
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      // A slow client slows Bedrock down instead of filling memory.
      if ((outgoing as ServerResponse).write(value)) continue
      await once(outgoing, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(stalled)]) })
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

/** Converts a Node request to a Web request; `undefined` for an invalid one. */
function toRequest(incoming: ServerRequest, gone: AbortController): Request | undefined {
  const { method = 'GET', url = '', headers } = incoming
  const host = headers.host ?? String(headers[':authority'] ?? '')
  // The host precedes the path in the URL, so it must not contain a slash.
  if (!/^(?:[\w.-]{1,253}|\[[\da-f:.]{2,45}\])(?::\d{1,5})?$/i.test(host) || !url.startsWith('/')) return undefined
  const address = `http://${host}${url}`
  if (!URL.canParse(address)) return undefined
  const hasBody = method !== 'GET' && method !== 'HEAD'
  try {
    return new Request(address, {
      method,
      headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
        value === undefined || name.startsWith(':') ? [] : [[name, String(value)]],
      ),
      signal: gone.signal,
      ...(hasBody && { body: bodyOf(incoming, gone), duplex: 'half' }),
    } as RequestInit)
  } catch {
    // A method that the Web's Request rejects, such as TRACE.
    return undefined
  }
}

/** Reads a request's body on demand. If the request breaks off, everything is aborted. */
function bodyOf(incoming: ServerRequest, gone: AbortController): ReadableStream<Uint8Array> {
  let isOpen = true
  return new ReadableStream({
    start(controller) {
      incoming.pause()
      const end = (close: () => void): void => {
        if (isOpen) close()
        isOpen = false
      }
      incoming.on('data', (chunk: Uint8Array) => {
        if (!isOpen) return
        controller.enqueue(chunk)
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause()
      })
      incoming.once('end', () => end(() => controller.close()))
      incoming.once('error', () => {
        gone.abort(clientLeft())
        end(() => controller.error(gone.signal.reason))
      })
    },
    pull: () => void incoming.resume(),
    cancel: () => {
      isOpen = false
    },
  })
}

function clientLeft(): DOMException {
  return new DOMException('The client disconnected', 'AbortError')
}

// How long to read the rest of a rejected request's body, in milliseconds, because a client that is still sending reads
// the response only afterwards.
const lingering = 2_000

function discardRest(incoming: ServerRequest): void {
  if (incoming.complete) return
  const timer = globalThis.setTimeout(() => incoming.destroy(), lingering).unref()
  incoming.once('close', () => clearTimeout(timer)).once('error', () => {})
  incoming.resume()
}

function breakOff(response: OutgoingResponse): void {
  if ('stream' in response) response.stream.close(2)
  else response.destroy()
}
