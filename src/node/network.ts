// The network of a client on Node. It loads little; the transport itself is loaded with the first request.
import { fetchNetwork, type HttpTransport, type Network, transportOf } from '../core/internal/http.ts'
import type { Environment } from '../core/types.ts'

// Bun and Deno run this code too, but their `fetch` has what Node's lacks.
const isNode = !process.versions.bun && !('Deno' in globalThis)

/**
 * Returns the given `fetch`, or the transport behind it. Without one it uses `node:http`, unless a test or a framework
 * has replaced the global `fetch` by the time of the call.
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
    transport: (...request) => {
      const network = choose()
      return 'transport' in network ? network.transport(...request) : network.then((own) => own.transport(...request))
    },
    fetch: async (input, init) => (await choose()).fetch(input, init),
  }
}

let lastSeen: { readonly fetch: unknown; readonly isNative: boolean } | undefined

// A replacement does not look like Node's own `fetch`. (Node 20 to 26 load it at the first call.)
function isNative(fetch: unknown): boolean {
  if (lastSeen?.fetch !== fetch) {
    const source = String(fetch)
    const isNative = source.startsWith('function fetch(input, init = undefined) {') && /undici|fetchImpl/i.test(source)
    lastSeen = { fetch, isNative }
  }
  return lastSeen?.isNative ?? false
}

// `setGlobalDispatcher` of undici redirects the native `fetch`, to a proxy or to a test's mock. A plain Agent is the
// default; from undici 8 on it may be in a wrapper for older versions.
function hasDispatcher(): boolean {
  return dispatchers.some((key) => {
    const name = (globalThis as { [key: symbol]: object | undefined })[key]?.constructor.name
    return name !== undefined && name !== 'Agent' && name !== 'Dispatcher1Wrapper' && !(name === envAgent && isOfNode())
  })
}

const dispatchers = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')]

// With NODE_USE_ENV_PROXY, Node's `fetch` uses the proxies of the environment, which this transport always does.
const envAgent = 'EnvHttpProxyAgent'
function isOfNode(): boolean {
  const { NODE_USE_ENV_PROXY, NODE_OPTIONS = '' } = process.env
  return NODE_USE_ENV_PROXY === '1' || [NODE_OPTIONS, ...process.execArgv].join(' ').includes('--use-env-proxy')
}
