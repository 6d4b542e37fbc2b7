import type { BedrockFetch } from '../types.ts'
import type { AbortSource } from './signal.ts'

/** An HTTP request that is complete except for its signature. */
export interface HttpRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | undefined
}

/** A response that has begun, with the used members of `Response`. */
export interface HttpResponse {
  readonly ok: boolean
  readonly status: number
  readonly headers: HttpHeaders
  readonly body: { getReader(): HttpBodyReader } | null
}

/** The used members of `Headers`. */
export type HttpHeaders = Pick<Headers, 'get' | 'forEach'> & Iterable<[string, string]>

/** The used members of a stream's reader. */
export interface HttpBodyReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  cancel(): Promise<unknown>
}

/**
 * Sends one HTTP request and resolves to its response once the headers have arrived. Follows no redirects.
 *
 * @param connecting - called when a new connection is needed; returns a function to call when it is established or has
 *   failed. A `fetch` does not report its connections, and never calls it.
 */
export type HttpTransport = (
  request: HttpRequest,
  scope: AbortSource,
  connecting: () => () => void,
) => Promise<HttpResponse>

/** A client's access to the network. */
export interface Network {
  readonly transport: HttpTransport
  /** The same as a `fetch`, for credential providers and the like. */
  readonly fetch: typeof fetch
}

/**
 * The property in which a `fetch` keeps its transport, so that a client can skip the `Response` and web stream. In the
 * global registry, so that the ESM and CommonJS copies of this package recognize it.
 */
export const transportOf: unique symbol = Symbol.for('outcrop.transport') as never

/** The property in which a client's `fetch` keeps its unsigned `fetch`, for requests to other hosts. */
export const unsignedOf: unique symbol = Symbol.for('outcrop.unsigned') as never

/** Returns a client's unsigned `fetch`; the global one if it is unknown. */
export function unsignedFetch(signed: BedrockFetch & { readonly [unsignedOf]?: typeof fetch }): typeof fetch {
  return signed[unsignedOf] ?? globalThis.fetch
}

/** Creates a network from only a `fetch`, which is looked up at every call. */
export function fetchNetwork(find: () => typeof fetch): Network {
  // Arrow functions, because workerd rejects the platform's `fetch` with a foreign `this`.
  const send: typeof fetch = (input, init) => find()(input, init)
  return {
    // Credentials must go only to the configured endpoint. (workerd does not support 'error'.)
    transport: ({ url, method, headers, body }, { signal }) =>
      send(url, { method, headers, body, signal, redirect: 'manual' } as RequestInit),
    fetch: send,
  }
}
