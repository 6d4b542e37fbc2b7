import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { createNetwork } from './create-network.ts'
import type { NodeFetchOptions } from './options.ts'

const optionNames = 'proxy env ca cert key passphrase agent socketPath'

/**
 * Creates a `fetch` over `node:http` and `node:https`, with keep-alive connections. Clients on Node use one by default,
 * with the proxies in the environment. Create your own for a proxy, certificates, an agent or a Unix socket. A client
 * that receives it supports `timeout.connect` and reads without a web stream in between.
 *
 * It sends bodies whole and follows no redirects. A response's `url` is empty. It decodes gzip, deflate and br, but
 * does not request them.
 *
 * @example
 * ```ts
 * import { createBedrockClient } from 'outcrop'
 * import { createNodeFetch } from 'outcrop/node'
 *
 * const bedrock = createBedrockClient({ fetch: createNodeFetch({ proxy: 'http://proxy.example.com:3128' }) })
 * ```
 * @throws ConfigurationError for invalid options.
 */
export function createNodeFetch(options: NodeFetchOptions = {}): typeof fetch {
  assertOptions(options, '', optionNames)
  const { agent, proxy, socketPath } = options
  if (agent !== undefined && typeof (agent as { addRequest?: unknown } | null)?.addRequest !== 'function')
    throw new ConfigurationError('agent must be an agent of node:http or node:https')
  const ways = Object.entries({ agent, proxy: proxy || undefined, socketPath }).filter(([, way]) => way !== undefined)
  if (ways.length > 1) {
    throw new ConfigurationError(`Only one of ${ways.map(([name]) => name).join(' and ')} can be used`, {
      hint: 'An agent makes its own connections: pass the proxy or the socket to the agent.',
    })
  }
  return createNetwork(options).fetch
}
