import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { assertOptions } from '../../core/internal/assert-options.ts'
import { listen, type OutgoingResponse, type ServerRequest } from '../../node/listen.ts'
import type { Gateway } from '../create-gateway.ts'

/** Where a gateway listens. */
export interface ServeGatewayOptions {
  /** 0 to 65535; 0 picks a free one. @default 8787 */
  readonly port?: number | undefined
  /** The address or name of an interface; `0.0.0.0` and `::` are all of them. @default '127.0.0.1' */
  readonly host?: string | undefined
  /**
   * How long to go on taking connections after `drain` was called, in milliseconds: so long that whoever sends requests
   * here has seen that health says 503.
   *
   * @default 0
   */
  readonly drainDelay?: number | undefined
}

/** A gateway that listens. */
export interface GatewayServer {
  /** Where, such as `http://127.0.0.1:8787`. */
  readonly url: string
  /**
   * Stops gracefully: health says 503, no new connection is taken, every stream is finished. Resolves when the last byte
   * has gone out.
   */
  drain(): Promise<void>
  /** Stops at once, and breaks off what is open. */
  close(): Promise<void>
}

/**
 * Serves a gateway over HTTP/1.1 and HTTP/2 in cleartext; TLS is for what stands in front of it.
 *
 * @example
 * ```ts
 * const server = await serveGateway(gateway, { port: 8787 })
 * process.once('SIGTERM', () => server.drain().then(() => process.exit(0)))
 * ```
 * @throws the system's error, such as `EADDRINUSE`, where it cannot listen.
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
      // What breaks off here breaks off for the client as well.
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
  // HTTP/2 has sent them.
  if (body && !('stream' in outgoing)) outgoing.flushHeaders()
  await write(body, outgoing, gone.signal)
  outgoing.end()
  discardRest(incoming)
}

// How long a client may read nothing of what is there for it, in milliseconds, before it is taken for gone.
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
      // A client that reads slowly makes Bedrock wait, rather than memory grow.
      if ((outgoing as ServerResponse).write(value)) continue
      await once(outgoing, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(stalled)]) })
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

/** A request of the Web's; `undefined` for one that cannot be. */
function toRequest(incoming: ServerRequest, gone: AbortController): Request | undefined {
  const { method = 'GET', url = '', headers } = incoming
  const host = headers.host ?? String(headers[':authority'] ?? '')
  // The host is put before the path as it is: with a slash in it, it would be a path of its own.
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
    // A method such as TRACE, which the Web has not.
    return undefined
  }
}

/** A request's body, read no faster than it is asked for. What breaks off on its way here aborts the whole. */
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
  return new DOMException('The client went away', 'AbortError')
}

// How long what is left of a request's body is listened to, in milliseconds: a client that is still sending hears of its
// refusal only then.
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
