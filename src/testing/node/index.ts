/**
 * The fake Bedrock over HTTP.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
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
 * Serves a fake Bedrock over HTTP, with real sockets and real resets.
 *
 * @example
 * ```ts
 * const server = await serveFakeBedrock(fake)
 * const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, endpoint: server.url })
 * ```
 */
export async function serveFakeBedrock(
  fake: FakeBedrock,
  { port = 0, host = '127.0.0.1' }: ServeOptions = {},
): Promise<FakeBedrockServer> {
  const server = createServer((request, response) => {
    // Whatever fails here fails as it does at AWS: by a connection that breaks, after what was sent before.
    serve(fake, request, response).catch(() => response.socket?.end())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve)
  })
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}

async function serve(fake: FakeBedrock, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  const { method = 'GET', url, headers } = request
  const answer = await fake.fetch(`http://${headers.host}${url}`, {
    method,
    headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      value === undefined || name === 'host' ? [] : [[name, String(value)]],
    ),
    ...(method !== 'GET' && method !== 'HEAD' && { body: Buffer.concat(chunks) }),
    signal: gone.signal,
  })
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  response.flushHeaders()
  if (answer.body) {
    for await (const chunk of answer.body) {
      if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve).once('close', resolve))
    }
  }
  response.end()
}
