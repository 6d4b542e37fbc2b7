import { ConfigurationError } from '../errors.ts'

/** Headers in any form that `signRequest` accepts. */
export type HeadersLike = Headers | Readonly<Record<string, string>> | Iterable<readonly [name: string, value: string]>

// Proxies and tracing agents rewrite these headers, which would break the signature. They are sent unsigned.
const unsigned = new Set([
  'connection',
  'expect',
  'transfer-encoding',
  'user-agent',
  'x-amzn-trace-id',
  'traceparent',
  'tracestate',
  'baggage',
])

/** The parts of a URL in their original spelling. A URL parser would normalize them, but they are signed as sent. */
export interface SpelledUrl {
  readonly host: string
  /** In canonical form. */
  readonly path: string
  readonly query: string
}

// Most requests go to the same URL as the one before.
let last: (SpelledUrl & { readonly url: string }) | undefined

/** @throws ConfigurationError for anything but an absolute http(s) URL. */
export function splitUrl(url: string | URL): SpelledUrl {
  const text = String(url)
  if (last?.url === text) return last
  const [, scheme, authority, path, query] = /^(https?):\/\/([^/?#]+)([^?#]*)(?:\?([^#]*))?/i.exec(text) ?? []
  if (!scheme || !authority) throw new ConfigurationError('The url to sign must be absolute, as in https://host/path')
  const host = authority.replace(/^.*@/, '').toLowerCase()
  const defaultPort = scheme.length === 5 ? /:443$/ : /:80$/
  last = { url: text, host: host.replace(defaultPort, ''), path: canonicalPath(path || '/'), query: query ?? '' }
  return last
}

/** Normalizes headers: lower-case names, trimmed values, repeated headers joined by commas. */
export function normalizeHeaders(headers: HeadersLike | undefined): Record<string, string> {
  const normalized: Record<string, string> = {}
  if (!headers) return normalized
  const pairs = Symbol.iterator in headers ? headers : Object.entries(headers)
  for (const [name, value] of pairs) {
    const key = name.toLowerCase()
    const trimmed = String(value).trim()
    normalized[key] = normalized[key] === undefined ? trimmed : `${normalized[key]},${trimmed}`
  }
  return normalized
}

/** Performs step 1 of the specification; also returns the names of the signed headers. */
export function createCanonicalRequest(
  method: string,
  { host, path, query }: SpelledUrl,
  given: Readonly<Record<string, string>>,
  payloadHash: string,
): { canonicalRequest: string; signedHeaders: string } {
  const headers: Readonly<Record<string, string>> = { host, ...given }
  let canonicalHeaders = ''
  let signedHeaders = ''
  for (const name of Object.keys(headers).sort()) {
    if (unsigned.has(name)) continue
    canonicalHeaders += `${name}:${(headers[name] as string).replace(/\s+/g, ' ')}\n`
    signedHeaders += signedHeaders ? `;${name}` : name
  }
  return {
    canonicalRequest: `${method.toUpperCase()}\n${path}\n${canonicalQuery(query)}\n${canonicalHeaders}\n${signedHeaders}\n${payloadHash}`,
    signedHeaders,
  }
}

// Every service but S3 signs the path with one more level of encoding than it is sent: `%3A` becomes `%253A`.
function canonicalPath(path: string): string {
  if (/^[\w.~/-]*$/.test(path)) return path
  return encodeRfc3986(path).replaceAll('%2F', '/')
}

function canonicalQuery(query: string): string {
  if (!query) return ''
  return (
    query
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => pair.split(/=(.*)/s, 2).map(normalizeEscapes))
      // Ordered by character code, by name first: a NUL sorts before any character of a name.
      .map(([name, value = '']) => `${name}\0${value}`)
      .sort()
      .join('&')
      .replaceAll('\0', '=')
  )
}

// A query may be spelled in many ways; only one of them is canonical.
function normalizeEscapes(text: string): string {
  return text.replace(/%[\da-f]{2}|[^\w.~-]/giu, (match) => {
    // With the flag `u`, a single character has at most two UTF-16 units.
    if (match.length < 3) return encodeRfc3986(match)
    const char = String.fromCharCode(Number.parseInt(match.slice(1), 16))
    return /[\w.~-]/.test(char) ? char : match.toUpperCase()
  })
}

/** Percent-encodes all characters except the unreserved ones of RFC 3986, section 2.3. */
export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
