import { ConfigurationError } from '../errors.ts'

/**
 * Parses the URL of a custom endpoint; `undefined` for none.
 *
 * @param name - the option or variable that contains it
 * @throws ConfigurationError for an invalid endpoint, and for plain http beyond this machine
 */
export function parseEndpointUrl(
  value: string | URL | undefined,
  name: string,
  { allowHttp = false, httpHint = 'Use https.' }: { allowHttp?: boolean | undefined; httpHint?: string } = {},
): URL | undefined {
  if (value === undefined || value === '') return undefined
  let url: URL
  try {
    url = new URL(value)
  } catch {
    throw new ConfigurationError(`${name} is not a URL`, {
      hint: 'Include the scheme, as in https://bedrock.example.com.',
    })
  }
  if (!/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new ConfigurationError(`${name} must be an http(s) URL without user, query or fragment`)
  }
  if (url.protocol === 'http:' && !isLoopback(url) && !allowHttp) {
    throw new ConfigurationError(`${name} is plain http: calls would go unencrypted to ${url.hostname}`, {
      hint: httpHint,
    })
  }
  return url
}

/** Tests whether a URL points to this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}
