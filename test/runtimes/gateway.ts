import { createServer, type IncomingMessage, request, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Listens on a free port of this machine. */
export async function listen(listener: RequestListener): Promise<{ readonly url: string; close(): void }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Sends a request on to `target`, with the host header that was signed. */
export function forward(
  target: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  deliver: (response: IncomingMessage) => void = (response) => response.pipe(outgoing),
): void {
  const upstream = request(
    new URL(incoming.url as string, target),
    { method: incoming.method, headers: incoming.headers },
    (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers)
      deliver(response)
      response.on('error', () => outgoing.destroy())
    },
  )
  outgoing.on('close', () => upstream.destroy())
  upstream.on('error', () => outgoing.destroy())
  incoming.pipe(upstream)
}

/** A gateway in front of Bedrock which can keep a request waiting for as long as its sender waits. */
export interface HoldingGateway {
  readonly url: string
  /** Holds the next request to a path that matches: unanswered, or after the first bytes of its answer. */
  hold(path: RegExp, when?: 'unanswered' | 'begun'): Promise<void>
  /** How many requests there were to paths that match. */
  count(path: RegExp): number
  close(): void
}

/** @param answers - what the gateway answers itself, by path: JSON */
export async function createHoldingGateway(
  target: string,
  answers: Readonly<Record<string, () => unknown>>,
): Promise<HoldingGateway> {
  const paths: string[] = []
  let next: { readonly path: RegExp; readonly when: 'unanswered' | 'begun'; readonly held: () => void } | undefined
  const { url, close } = await listen((incoming, outgoing) => {
    const path = incoming.url as string
    paths.push(path)
    const match = next?.path.test(path) ? next : undefined
    if (match) next = undefined
    if (match?.when === 'unanswered') return match.held()
    const answer = answers[path]
    if (answer) {
      outgoing.setHeader('content-type', 'application/json')
      return outgoing.end(JSON.stringify(answer()))
    }
    if (!match) return forward(target, incoming, outgoing)
    forward(target, incoming, outgoing, (response) => {
      response.once('data', (chunk) => {
        outgoing.write(chunk)
        response.pause()
        match.held()
      })
    })
  })
  return {
    url,
    close,
    hold: (path, when = 'unanswered') =>
      new Promise((held) => {
        next = { path, when, held }
      }),
    count: (path) => paths.filter((each) => path.test(each)).length,
  }
}
