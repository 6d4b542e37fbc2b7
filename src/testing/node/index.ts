/**
 * The fake Bedrock over HTTP.
 *
 * @module
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { constants } from 'node:http2'
import { listen, type OutgoingResponse, type ServerRequest } from '../../node/listen.ts'
import { assertOptions } from '../../core/internal/assert-options.ts'
import type { FakeBedrock } from '../fake.ts'

/** Options of {@link serveFakeBedrock}. */
export interface ServeOptions {
  /** @default 0, which picks a free port */
  readonly port?: number | undefined
  /** @default '127.0.0.1' */
  readonly host?: string | undefined
}

/** A running fake Bedrock server. */
export interface FakeBedrockServer {
  /** Pass it to the client as `endpoint`. */
  readonly url: string
  /** Stops listening and closes open connections. */
  close(): Promise<void>
}

/**
 * Serves a fake Bedrock over HTTP, with real sockets and real resets. HTTP/1.1 and HTTP/2 (cleartext with prior
 * knowledge, as in the AWS SDK) share the port.
 *
 * @example
 * ```ts
 * const server = await serveFakeBedrock(fake)
 * const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, endpoint: server.url })
 * ```
 * @throws the system's error, such as `EADDRINUSE`, if it cannot listen.
 */
export async function serveFakeBedrock(fake: FakeBedrock, options: ServeOptions = {}): Promise<FakeBedrockServer> {
  assertOptions(options, '', 'port host')
  const { port = 0, host = '127.0.0.1' } = options
  const { url, close } = await listen({
    port,
    host,
    // Failures look as they do with AWS: the connection breaks after what was already sent.
    onRequest: (request, response) => void serve(fake, request, response).catch(() => breakOff(response)),
  })
  return { url, close }
}

function breakOff(response: OutgoingResponse): void {
  // Breaks only one stream of an HTTP/2 connection.
  if ('stream' in response) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  else response.socket?.end()
}

async function serve(fake: FakeBedrock, request: ServerRequest, response: OutgoingResponse): Promise<void> {
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
  // HTTP/2 has already sent them.
  if (!('stream' in response)) response.flushHeaders()
  for await (const chunk of answer.body ?? []) {
    if (!(response as ServerResponse).write(chunk)) await once(response, 'drain', { signal: gone.signal })
  }
  response.end()
}
