// How a client reaches the network on Node. Little is loaded with it: what sends comes with the first request.
import { fetchNetwork, type HttpTransport, type Network, transportOf } from '../core/internal/http.ts'
import type { Environment } from '../core/types.ts'

// Bun and Deno take this code for Node's, and have a `fetch` that brings what Node's lacks.
const isNode = !process.versions.bun && !('Deno' in globalThis)

/**
 * The `fetch` that was given, with the transport that it may be made of. Without one: `node:http`, unless the global
 * `fetch` was replaced, by a test or a framework say, when a call is made.
 */
export function openNetwork(given: typeof fetch | undefined, env?: Environment): Network {
  const known = given && (given as { readonly [transportOf]?: HttpTransport })[transportOf]
  if (given) return known ? { transport: known, fetch: given } : fetchNetwork(() => given)
  const platform = fetchNetwork(() => globalThis.fetch)
  if (!isNode) return platform
  let own: Network | undefined
  const load = async (): Promise<Network> => {
    own ??= (await import('./default-network.ts')).defaultNetwork(env)
    return own
  }
  const choose = (): Network | Promise<Network> =>
    isNative(globalThis.fetch) && !hasDispatcher() ? (own ?? load()) : platform
  return {
    transport: async (...request) => (await choose()).transport(...request),
    fetch: async (input, init) => (await choose()).fetch(input, init),
  }
}

let lastSeen: { readonly fetch: unknown; readonly isNative: boolean } | undefined

// What was put in place of Node's own does not look like it. (In Node 20 to 26, which load it when it is first called.)
function isNative(fetch: unknown): boolean {
  if (lastSeen?.fetch !== fetch) {
    const source = String(fetch)
    const isNative = source.startsWith('function fetch(input, init = undefined) {') && /undici|fetchImpl/i.test(source)
    lastSeen = { fetch, isNative }
  }
  return lastSeen?.isNative ?? false
}

// `setGlobalDispatcher` of the package undici changes where the native `fetch` goes: to a proxy, or to a test's answers.
// A plain Agent is what the native one begins with, from undici 8 on behind a wrapper for older ones too.
function hasDispatcher(): boolean {
  return dispatchers.some((key) => {
    const name = (globalThis as { [key: symbol]: object | undefined })[key]?.constructor.name
    return name !== undefined && name !== 'Agent' && name !== 'Dispatcher1Wrapper' && !(name === envAgent && isOfNode())
  })
}

const dispatchers = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')]

// Told to, Node itself lets `fetch` go by the proxies of the environment, as the transport here does in any case.
const envAgent = 'EnvHttpProxyAgent'
function isOfNode(): boolean {
  const { NODE_USE_ENV_PROXY, NODE_OPTIONS = '' } = process.env
  return NODE_USE_ENV_PROXY === '1' || [NODE_OPTIONS, ...process.execArgv].join(' ').includes('--use-env-proxy')
}
