import { ConfigurationError, isBedrockError } from '../errors.ts'
import { assertOptions } from '../internal/assert-options.ts'
import { mergeHeaders } from '../internal/headers.ts'
import { unsignedOf } from '../internal/http.ts'
import { readableFrom } from '../internal/readable.ts'
import { guardResponse, serviceErrorFrom } from '../internal/service-error.ts'
import type { BedrockFetch, RetryOptions, Timeouts } from '../types.ts'
import { assertTransportOptions } from './assert-transport-options.ts'
import { maxErrorBytes, readText } from './body-reader.ts'
import type { EndpointResolver } from './endpoint.ts'
import { mergeRetry } from './retry.ts'
import type { TransportState } from './call.ts'
import { send } from './send.ts'

/** The parts of a client that its `fetch` uses. */
export interface SignedFetchOptions {
  readonly transport: TransportState
  readonly endpoint: EndpointResolver
  readonly region: () => string | Promise<string>
  readonly headers: Readonly<Record<string, string>>
  readonly timeout: Timeouts
  readonly retry: RetryOptions | false | undefined
}

/** Creates `bedrock.fetch`, which sends one signed request to either host and returns its response unchanged. */
export function createSignedFetch(client: SignedFetchOptions): BedrockFetch {
  const { transport, endpoint } = client
  const signed: BedrockFetch = async (path, init = {}) => {
    assertOptions(init, '', 'method headers body signal region timeout retry')
    const retry = init.retry === true ? undefined : (init.retry ?? false)
    assertTransportOptions({ ...init, retry })
    const region = init.region ?? (await client.region())
    const request = {
      method: init.method ?? (init.body === undefined ? 'GET' : 'POST'),
      url: resolvePath(path, endpoint, region),
      headers: mergeHeaders(client.headers, init.headers),
      body: init.body,
    }
    const call = {
      request,
      region,
      isStream: true,
      signal: init.signal,
      timeout: { ...client.timeout, ...init.timeout },
      retry: mergeRetry(client.retry, retry),
    }
    let refusal: Response | undefined
    try {
      return await send(transport, call, async ({ response, body, done, secrets }) => {
        const { status } = response
        const headers = [...response.headers]
        // Only the body shows whether new credentials would help.
        if (status === 403 || (init.retry && !response.ok)) {
          const text = await readText(body, maxErrorBytes)
          refusal = guardResponse(new Response(text, { status, headers }), secrets)
          throw serviceErrorFrom({ status, headers: response.headers, text }, secrets, transport.clock.now())
        }
        if (!response.body) done()
        const close = (): void => {
          body.cancel()
          done()
        }
        // Browsers hide a redirect behind status 0, which the Response constructor rejects.
        return guardResponse(
          new Response(response.body && readableFrom(() => body.read(), close), { status: status || 502, headers }),
          secrets,
        )
      })
    } catch (error) {
      if (refusal && isBedrockError(error, 'service')) return refusal
      throw error
    }
  }
  return Object.assign(signed, { [unsignedOf]: transport.network.fetch })
}

function resolvePath(path: string, endpoint: EndpointResolver, region: string): string {
  const service = /^\/(model|guardrail|guardrail-checks|async-invoke)(?=[/?]|$)/.test(path)
    ? 'bedrock-runtime'
    : 'bedrock'
  const base = endpoint(service, region)
  // In the form that is sent: `fetch` would resolve dots and encode non-ASCII characters after signing.
  const url = URL.canParse(base + path) ? new URL(base + path).href : ''
  if (!path.startsWith('/') || !url.startsWith(`${base}/`)) {
    throw new ConfigurationError(`${JSON.stringify(path)} is not a path below the endpoint`, {
      hint: 'Begin it with a slash.',
    })
  }
  return url
}
