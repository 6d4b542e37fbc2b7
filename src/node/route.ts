import type { RequestOptions } from 'node:http'
import type { HttpRequest } from '../core/internal/http.ts'
import type { AbortSource } from '../core/internal/signal.ts'
import { type Agents, createAgents } from './agents.ts'
import type { NodeFetchOptions } from './options.ts'
import { type HttpProxy, parseProxy, proxyFromEnvironment } from './proxy.ts'

/** How to send a request. */
export interface Route {
  /** Whether the connection uses TLS. */
  readonly isTls: boolean
  readonly options: RequestOptions
  /** The proxy that receives the request itself. For a tunnel, the agent handles the proxy. */
  readonly forwarder: HttpProxy | undefined
}

/** Chooses the route of requests, from the options and the environment. */
export interface Router {
  /** @throws ConfigurationError for an invalid proxy */
  route(request: HttpRequest, scope: AbortSource): Route
  readonly agents: Agents
}

/** @throws ConfigurationError for invalid options */
export function createRouter(given: NodeFetchOptions): Router {
  const agents = createAgents(given)
  const { agent, socketPath, env } = given
  const fixed = given.proxy ? parseProxy(given.proxy, 'proxy') : undefined
  const isDirect = given.proxy === false || agent !== undefined || socketPath !== undefined
  return {
    agents,
    route({ url: address, method, headers }, scope) {
      const url = new URL(address)
      const proxy = fixed ?? (isDirect ? undefined : proxyFromEnvironment(url, env))
      // With TLS the proxy opens a tunnel. Without TLS it receives the request itself.
      const isTunnelled = url.protocol === 'https:'
      const forwarder = isTunnelled ? undefined : proxy
      const { protocol, hostname, port } = forwarder?.url ?? url
      const isTls = protocol === 'https:'
      const options = {
        hostname: hostname.replace(/^\[|\]$/g, ''),
        port,
        socketPath,
        method,
        path: forwarder ? url.href : url.pathname + url.search,
        headers: {
          host: url.host,
          // As in `fetch`, because some firewalls reject requests without it.
          accept: '*/*',
          'user-agent': 'node',
          ...headers,
          ...(forwarder?.authorization && { 'proxy-authorization': forwarder.authorization }),
        },
        agent: (agent as RequestOptions['agent']) ?? agents.get(isTls, isTunnelled ? proxy : undefined),
        tunnelScope: scope,
      }
      return { isTls, options, forwarder }
    },
  }
}
