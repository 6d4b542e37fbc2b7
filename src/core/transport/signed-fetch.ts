import { ConfigurationError, isBedrockError } from '../errors.ts'
import { mergeHeaders } from '../internal/headers.ts'
import { readableFrom } from '../internal/readable.ts'
import { assertRegion } from '../internal/region.ts'
import { serviceErrorFrom } from '../internal/service-error.ts'
import type { BedrockFetch, Timeouts } from '../types.ts'
import { readText } from './attempt.ts'
import type { EndpointResolver } from './endpoint.ts'
import { exchange, type Wire } from './exchange.ts'

/** What of a client its `fetch` is made of. */
export interface SignedFetchParts {
  readonly wire: Wire
  readonly endpoint: EndpointResolver
  readonly region: () => Promise<string>
  readonly headers: Readonly<Record<string, string>>
  readonly timeout: Timeouts
}

/** Makes `bedrock.fetch`: one signed request to either host, and its response as it came. */
export function createSignedFetch({
  wire,
  endpoint,
  region,
  headers: clientHeaders,
  timeout,
}: SignedFetchParts): BedrockFetch {
  return async (path, init = {}) => {
    const target = init.region === undefined ? await region() : assertRegion(init.region)
    const request = {
      method: init.method ?? (init.body === undefined ? 'GET' : 'POST'),
      url: resolvePath(path, endpoint, target),
      headers: mergeHeaders(
        clientHeaders,
        init.headers instanceof Headers ? Object.fromEntries(init.headers) : init.headers,
      ),
      body: init.body,
    }
    const call = {
      request,
      region: target,
      isStream: true,
      signal: init.signal,
      timeout: { ...timeout, ...init.timeout },
      retry: false,
    } as const
    let refusal: Response | undefined
    try {
      return await exchange(wire, call, async ({ response, body, done, identity }) => {
        const { status, headers } = response
        // Only the body tells a refusal that new credentials would lift from one that stands.
        if (status === 403) {
          const text = await readText(body)
          refusal = new Response(text, { status, headers })
          throw serviceErrorFrom({ status, headers, text }, identity, wire.clock.now())
        }
        if (!response.body) done()
        const close = (): void => {
          body.cancel()
          done()
        }
        // A browser hides a redirect behind status 0, which no Response may be made with.
        return new Response(response.body && readableFrom(() => body.read(), close), { status: status || 502, headers })
      })
    } catch (error) {
      if (refusal && isBedrockError(error, 'service')) return refusal
      throw error
    }
  }
}

function resolvePath(path: string, endpoint: EndpointResolver, region: string): string {
  const service = /^\/(model|guardrail|guardrail-checks|async-invoke)(?=[/?]|$)/.test(path)
    ? 'bedrock-runtime'
    : 'bedrock'
  const base = endpoint(service, region)
  // As it goes on the wire: `fetch` would resolve dots and encode what is not ASCII after it was signed.
  const url = URL.canParse(base + path) ? new URL(base + path).href : ''
  if (!path.startsWith('/') || !url.startsWith(`${base}/`)) {
    throw new ConfigurationError(`${JSON.stringify(path)} is not a path below the endpoint`, {
      hint: 'Begin it with a slash.',
    })
  }
  return url
}
