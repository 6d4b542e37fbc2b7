import { BlockList, isIP } from 'node:net'
import { ConfigurationError } from '../core/errors.ts'
import { env } from '../core/internal/env.ts'
import type { Environment } from '../core/types.ts'

/** An HTTP proxy. */
export interface HttpProxy {
  /** Without the user. */
  readonly url: URL
  /** The value of `proxy-authorization`. */
  readonly authorization: string | undefined
}

/**
 * Returns the proxy in the environment for a URL: `HTTPS_PROXY` or `HTTP_PROXY` by its scheme, unless `NO_PROXY`
 * contains its host. Lower-case names win. Loopback and link-local addresses, such as a container's metadata, never use
 * a proxy.
 *
 * @throws ConfigurationError for an invalid proxy
 */
export function proxyFromEnvironment(url: URL, from?: Environment): HttpProxy | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const trusted = env(name.toLowerCase(), from)
  const value = trusted ?? env(name, from)
  if (!value) return undefined
  // CGI passes a client's `Proxy` header on under this name: https://httpoxy.org.
  if (!trusted && name === 'HTTP_PROXY' && env('REQUEST_METHOD', from)) return undefined
  if (isLocal(url) || isExempt(url, env('no_proxy', from) ?? env('NO_PROXY', from) ?? '')) return undefined
  return parseProxy(value, name)
}

/** Parses a proxy's URL. @throws ConfigurationError, which does not quote it */
export function parseProxy(value: string | URL, name: string): HttpProxy {
  const text = String(value)
  const spelled = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.canParse(spelled) ? new URL(spelled) : undefined
  if (!url?.hostname || !/^https?:$/.test(url.protocol)) {
    throw new ConfigurationError(`${name} is not the URL of an HTTP proxy`, {
      hint: 'Write it as http://proxy.example.com:3128. For other kinds of proxy, pass an agent to createNodeFetch from outcrop/node.',
    })
  }
  const { username, password } = url
  const user = username || password ? `${decode(username)}:${decode(password)}` : undefined
  url.username = ''
  url.password = ''
  return { url, authorization: user && `Basic ${Buffer.from(user).toString('base64')}` }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

let localAddresses: BlockList | undefined

function isLocal(url: URL): boolean {
  const host = hostOf(url)
  localAddresses ??= listLocalAddresses()
  return host === 'localhost' || host.endsWith('.localhost') || has(localAddresses, host)
}

function listLocalAddresses(): BlockList {
  const list = new BlockList()
  list.addSubnet('127.0.0.0', 8)
  list.addSubnet('169.254.0.0', 16)
  list.addAddress('::1', 'ipv6')
  list.addSubnet('fe80::', 10, 'ipv6')
  // AWS's IPv6 addresses for the metadata of instances and pods.
  list.addSubnet('fd00:ec2::', 32, 'ipv6')
  return list
}

// A host includes its subdomains. An entry may have a port, or be an address, a range of addresses, or `*`.
function isExempt(url: URL, list: string): boolean {
  const host = hostOf(url)
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === '*') return true
      const [address, entryPort = port] = splitPort(entry)
      if (entryPort !== port) return false
      const name = address.replace(/^\*?\./, '')
      if (name.includes('/')) return isInRange(host, name)
      return name !== '' && (host === name || (!isIP(host) && host.endsWith(`.${name}`)))
    })
}

function splitPort(entry: string): [address: string, port?: string | undefined] {
  const [, bracketed, port] = /^\[([^\]]*)\](?::(\d+))?$/.exec(entry) ?? []
  if (bracketed !== undefined) return [bracketed, port]
  // An entry with more colons is an IPv6 address.
  const [host = '', ...rest] = entry.split(':')
  return rest.length === 1 ? [host, rest[0]] : [entry]
}

function isInRange(host: string, range: string): boolean {
  const [address = '', bits] = range.split('/')
  const version = isIP(address)
  const length = Number(bits)
  if (!version || !(Number.isInteger(length) && length >= 0 && length <= (version === 6 ? 128 : 32))) return false
  const list = new BlockList()
  list.addSubnet(address, length, version === 6 ? 'ipv6' : 'ipv4')
  return has(list, host)
}

function has(list: BlockList, host: string): boolean {
  const version = isIP(host)
  return version !== 0 && list.check(host, version === 6 ? 'ipv6' : 'ipv4')
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$|\.$/g, '')
}
