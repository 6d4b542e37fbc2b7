import { ConfigurationError, CredentialsError } from '../errors.ts'
import { signRequest } from '../sigv4/sign-request.ts'
import type { Identity } from '../types.ts'
import type { HttpRequest } from './encode-request.ts'

/** Adds what proves who is asking: a signature, a Bedrock API key, or nothing where a gateway will. */
export async function authorize(
  request: HttpRequest,
  identity: Identity | 'none',
  region: string,
  date: Date,
): Promise<HttpRequest> {
  if (identity === 'none') return request
  if (request.headers.authorization !== undefined) {
    throw new ConfigurationError('An authorization header was given beside credentials; only one of them can be sent', {
      hint: "Leave the header out, or set credentials to 'none' if a gateway takes the header in place of AWS's signature.",
    })
  }
  if ('token' in identity) {
    if (!/^[\x21-\x7e]+$/.test(identity.token))
      throw new CredentialsError('The Bedrock API key has characters that no key has, such as a space')
    return { ...request, headers: { ...request.headers, authorization: `Bearer ${identity.token}` } }
  }
  // `fetch` derives the host from the URL, and browsers refuse it as a header.
  const { host: _, ...headers } = (await signRequest(request, { identity, region, service: 'bedrock', date })).headers
  return { ...request, headers }
}
