import type { BedrockFetch } from '../types.ts'
import type { AbortSource } from './signal.ts'

/** An HTTP request, ready but for its signature. */
export interface HttpRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | undefined
}

/** A response that has begun: what is used of a `Response`. */
export interface HttpResponse {
  readonly ok: boolean
  readonly status: number
  readonly headers: HttpHeaders
  readonly body: { getReader(): HttpBodyReader } | null
}

/** What is used of `Headers`. */
export type HttpHeaders = Pick<Headers, 'get' | 'forEach'> & Iterable<[string, string]>

/** What is used of a stream's reader. */
export interface HttpBodyReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  cancel(): Promise<unknown>
}

/**
 * Sends one HTTP request and gives its response once the headers are there. Follows no redirect.
 *
 * @param connecting - called when a connection has to be made; gives what is to be called once it stands, or failed.
 *   A `fetch` tells nothing of its connections, and does not call it.
 */
export type HttpTransport = (
  request: HttpRequest,
  scope: AbortSource,
  connecting: () => () => void,
) => Promise<HttpResponse>

/** How a client reaches the network. */
export interface Network {
  readonly transport: HttpTransport
  /** The same for whom a `fetch` is handed to, such as providers of credentials. */
  readonly fetch: typeof fetch
}

/**
 * Where a `fetch` keeps the transport that it is made of, so that a client can do without a `Response` and a web stream.
 * From the global registry: the ESM and the CommonJS copy of this package know each other's.
 */
export const transportOf: unique symbol = Symbol.for('outcrop.transport') as never

/** Where a client's `fetch` keeps the one that it sends by, for requests to other hosts and unsigned ones. */
export const unsignedOf: unique symbol = Symbol.for('outcrop.unsigned') as never

/** How a client sends what is not for Bedrock; the global `fetch` where that is not known. */
export function unsignedFetch(signed: BedrockFetch & { readonly [unsignedOf]?: typeof fetch }): typeof fetch {
  return signed[unsignedOf] ?? globalThis.fetch
}

/** A network of a `fetch` alone. It is looked up at every call. */
export function fetchNetwork(find: () => typeof fetch): Network {
  // Arrows, so that nobody calls the platform's own as a method: workerd refuses a foreign `this`.
  const send: typeof fetch = (input, init) => find()(input, init)
  return {
    // Credentials go to the endpoint that was configured and nowhere else. (workerd has no 'error'.)
    transport: ({ url, ...request }, { signal }) =>
      send(url, { ...(request as RequestInit), signal, redirect: 'manual' }),
    fetch: send,
  }
}
