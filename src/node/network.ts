// How a client reaches the network on Node. Little is loaded with it: what sends comes with the first request.
import { fetchNetwork, type HttpTransport, type Network, transportOf } from '../core/internal/http.ts'
import type { Environment } from '../core/types.ts'

// Bun and Deno take this code for Node's, and have a `fetch` that brings what Node's lacks.
const isNode = !process.versions.bun && !('Deno' in globalThis)
// What was put in place of Node's own before this was loaded does not look like it.
const nativeFetch = isNativeFetch(String(globalThis.fetch)) ? globalThis.fetch : undefined

/**
 * The `fetch` that was given, with the transport that it may be made of. Without one: `node:http`, unless the global
 * `fetch` was replaced, by a test or a framework say, when a call is made.
 */
export function openNetwork(given: typeof fetch | undefined, env?: Environment): Network {
  const known = given && (given as { readonly [transportOf]?: HttpTransport })[transportOf]
  if (given) return known ? { transport: known, fetch: given } : fetchNetwork(() => given)
  const platform = fetchNetwork(() => globalThis.fetch)
  if (!isNode) return platform
  let own: Promise<Network> | undefined
  const choose = async (): Promise<Network> => {
    if (globalThis.fetch !== nativeFetch || hasDispatcher()) return platform
    own ??= import('./default-network.ts').then(({ defaultNetwork }) => defaultNetwork(env))
    return own
  }
  return {
    transport: async (...request) => (await choose()).transport(...request),
    fetch: async (input, init) => (await choose()).fetch(input, init),
  }
}

function isNativeFetch(source: string): boolean {
  return source.startsWith('function fetch(input, init = undefined) {') && /undici|fetchImpl/i.test(source)
}

// `setGlobalDispatcher` of the package undici changes where the native `fetch` goes: to a proxy, or to a test's answers.
// A plain Agent is what the native one begins with.
function hasDispatcher(): boolean {
  const dispatcher = (globalThis as { [key: symbol]: object | undefined })[Symbol.for('undici.globalDispatcher.1')]
  return dispatcher !== undefined && dispatcher.constructor.name !== 'Agent'
}
