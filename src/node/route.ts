import type { RequestOptions } from 'node:http'
import type { HttpRequest } from '../core/internal/http.ts'
import type { AbortSource } from '../core/internal/signal.ts'
import { type Agents, createAgents } from './agents.ts'
import type { NodeFetchOptions } from './options.ts'
import { type HttpProxy, parseProxy, proxyFromEnvironment } from './proxy.ts'

/** How a request gets to where it is sent. */
export interface Route {
  /** Whether the connection is made with TLS. */
  readonly isTls: boolean
  readonly options: RequestOptions
  /** The proxy that is sent the request itself. One that is asked for a tunnel is the agent's affair. */
  readonly forwarder: HttpProxy | undefined
}

/** Finds the way for requests, by what was asked for and what the environment says. */
export interface Router {
  /** @throws ConfigurationError for a proxy that is none */
  route(request: HttpRequest, scope: AbortSource): Route
  readonly agents: Agents
}

/** @throws ConfigurationError for options that can never work */
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
      // With TLS, a proxy is asked for a tunnel; without, it is sent the request itself.
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
          // As `fetch` has them: some firewalls let nobody pass without.
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
