import { readFileSync } from 'node:fs'
import http from 'node:http'
import https, { type AgentOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { createSecureContext, rootCertificates, type SecureContext, type SecureContextOptions } from 'node:tls'
import { ConfigurationError } from '../core/errors.ts'
import { env } from '../core/internal/env.ts'
import type { NodeFetchOptions } from './options.ts'
import type { HttpProxy } from './proxy.ts'
import { openTunnel, type TunnelRequest } from './tunnel.ts'

/** The agents of one `fetch`: one for each scheme and tunnel. */
export interface Agents {
  /** Returns the agent for a scheme and an optional tunnel through a proxy. */
  get(isTls: boolean, tunnel?: HttpProxy): http.Agent
  /** Closes connections that may have died unnoticed. */
  dropStale(now: number): void
  /** Closes all idle connections. */
  dropIdle(): void
}

// How long an idle connection is kept, in milliseconds. Load balancers close theirs after 60 s by default, and NAT
// gateways drop silent ones after 350 s.
const maxIdle = 50_000

const idleSince = Symbol('idle since')
type KeptSocket = Duplex & { [idleSince]?: number }

/** @throws ConfigurationError for certificates that cannot be read */
export function createAgents(given: NodeFetchOptions): Agents {
  const agents = new Map<string, http.Agent>()
  const options = { keepAlive: true, timeout: maxIdle }
  let secureContext = given.ca || given.cert || given.key ? createContext(given) : undefined

  const create = (isTls: boolean, tunnel: HttpProxy | undefined): http.Agent => {
    // Shared by all connections, because creating one is expensive.
    if (isTls) secureContext ??= createContext(given)
    const agent = isTls ? new https.Agent({ ...options, secureContext } as AgentOptions) : new http.Agent(options)
    if (tunnel) tunnelThrough(agent as https.Agent, tunnel)
    const { keepSocketAlive, reuseSocket } = agent
    agent.keepSocketAlive = (socket) => {
      // Extra bytes after a response would count as part of the next one.
      if (socket.readableLength > 0 || !(keepSocketAlive.call(agent, socket) as unknown as boolean)) return false
      ;(socket as KeptSocket)[idleSince] = Date.now()
      socket.on('data', destroyThis)
      return true
    }
    agent.reuseSocket = (socket, request) => {
      socket.off('data', destroyThis)
      reuseSocket.call(agent, socket, request)
    }
    return agent
  }
  const drop = (isDead: (socket: KeptSocket) => boolean): void => {
    for (const agent of agents.values())
      for (const sockets of Object.values(agent.freeSockets))
        for (const socket of sockets ?? []) if (isDead(socket)) socket.destroy()
  }
  let lastDrop = 0

  return {
    get(isTls, tunnel) {
      const name = `${isTls} ${tunnel?.url} ${tunnel?.authorization}`
      const agent = agents.get(name) ?? create(isTls, tunnel)
      agents.set(name, agent)
      return agent
    },
    // Uses the wall clock, because timers and the monotonic clock stop while a function is frozen.
    dropStale(now) {
      if (Math.abs(now - lastDrop) < 1000) return
      lastDrop = now
      drop((socket) => Math.abs(now - (socket[idleSince] ?? 0)) > maxIdle)
    },
    dropIdle: () => drop(() => true),
  }
}

function destroyThis(this: Duplex): void {
  this.destroy()
}

function createContext({ ca, cert, key, passphrase, env: variables }: NodeFetchOptions): SecureContext {
  const authorities = ca ?? extraAuthorities(variables)
  try {
    // OpenSSL ignores authorities that are not certificates.
    for (const each of [authorities].flat())
      if (each && !Buffer.from(each as string).includes('-----BEGIN')) throw new Error('not PEM')
    return createSecureContext({ ca: authorities, cert, key, passphrase } as SecureContextOptions)
  } catch (cause) {
    throw new ConfigurationError('The certificates or the key cannot be used', {
      cause,
      hint: '`ca`, `cert` and `key` must be the contents of PEM files, not their paths.',
    })
  }
}

/** Makes an agent connect through a proxy. The agent still handles TLS and its session cache. */
function tunnelThrough(agent: https.Agent, proxy: HttpProxy): void {
  const { createConnection } = agent
  agent.createConnection = (options, callback) => {
    openTunnel(proxy, options as TunnelRequest).then(
      (socket) => callback?.(null, createConnection.call(agent, { ...options, socket } as never) as Duplex),
      (error: Error) => callback?.(error, undefined as never),
    )
    return undefined
  }
}

// Node itself reads this variable from the process's environment at startup.
function extraAuthorities(variables: NodeFetchOptions['env']): string[] | undefined {
  const path = variables && env('NODE_EXTRA_CA_CERTS', variables)
  if (!path || path === process.env.NODE_EXTRA_CA_CERTS) return undefined
  try {
    return [...rootCertificates, readFileSync(path, 'utf8')]
  } catch (cause) {
    throw new ConfigurationError('The file that NODE_EXTRA_CA_CERTS names cannot be read', { cause })
  }
}
