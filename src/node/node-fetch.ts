import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { createNetwork } from './create-network.ts'
import type { NodeFetchOptions } from './options.ts'

const optionNames = 'proxy env ca cert key passphrase agent socketPath'

/**
 * Makes a `fetch` of `node:http` and `node:https`, on connections that are kept alive. A client on Node has one without
 * being told, with the proxies of the environment; this is for one of your own: with a proxy, certificates, an agent, a
 * Unix socket. Given to a client, it takes part in `timeout.connect`, and no web stream stands between.
 *
 * It sends bodies whole and follows no redirect; a response's `url` is empty. What it decodes is gzip, deflate and br,
 * none of which it asks for.
 *
 * @example
 * ```ts
 * import { createBedrockClient } from 'outcrop'
 * import { createNodeFetch } from 'outcrop/node'
 *
 * const bedrock = createBedrockClient({ fetch: createNodeFetch({ proxy: 'http://proxy.example.com:3128' }) })
 * ```
 * @throws ConfigurationError for options that can never work.
 */
export function createNodeFetch(options: NodeFetchOptions = {}): typeof fetch {
  assertOptions(options, '', optionNames)
  const { agent, proxy, socketPath } = options
  if (agent !== undefined && typeof (agent as { addRequest?: unknown } | null)?.addRequest !== 'function')
    throw new ConfigurationError('agent must be an agent of node:http or node:https')
  const ways = Object.entries({ agent, proxy: proxy || undefined, socketPath }).filter(([, way]) => way !== undefined)
  if (ways.length > 1) {
    throw new ConfigurationError(`Only one of ${ways.map(([name]) => name).join(' and ')} can be used`, {
      hint: 'An agent connects by itself: give it the proxy or the socket.',
    })
  }
  return createNetwork(options).fetch
}
