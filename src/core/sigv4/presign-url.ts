import { assertKnown } from '../internal/assert-known.ts'
import { createCanonicalRequest, encodeRfc3986, splitUrl } from './canonical-request.ts'
import { algorithm, formatDate, sign } from './sign-headers.ts'
import { assertScope, type SigningScope } from './sign-request.ts'
import { sha256Hex } from '#platform'

/** A request to presign. */
export interface PresignableRequest {
  /** @default 'GET' */
  readonly method?: string | undefined
  readonly url: string | URL
  /** How long the URL is valid, in seconds, 1 to 604800 (a week). */
  readonly expiresIn: number
}

/**
 * Presigns a URL, which then works by itself until it expires. Signs no header but `host`, and an empty body.
 *
 * @example
 * ```ts
 * const url = await presignUrl({ url: 'https://bedrock.amazonaws.com/?Action=CallWithBearerToken', method: 'POST', expiresIn: 3600 }, scope)
 * ```
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
 * @throws ConfigurationError for an incomplete scope.
 */
export async function presignUrl(request: PresignableRequest, scope: SigningScope): Promise<string> {
  assertKnown(request, 'method url expiresIn')
  const { method = 'GET', url, expiresIn } = request
  assertScope(scope)
  const { identity, region, service, date = new Date() } = scope
  const amzDate = formatDate(date)
  const credentialScope = `${amzDate.slice(0, 8)}/${region}/${service}/aws4_request`
  const { host, path, query } = splitUrl(url)
  const parameters = {
    'X-Amz-Algorithm': algorithm,
    'X-Amz-Credential': `${identity.accessKeyId}/${credentialScope}`,
    'X-Amz-Date': amzDate,
    'X-Amz-Expires': String(expiresIn),
    ...(identity.sessionToken && { 'X-Amz-Security-Token': identity.sessionToken }),
    'X-Amz-SignedHeaders': 'host',
  }
  const added = Object.entries(parameters).map(([name, value]) => `${name}=${encodeRfc3986(value)}`)
  const signed = [...(query ? [query] : []), ...added].join('&')
  const { canonicalRequest } = createCanonicalRequest(method, { host, path, query: signed }, {}, await sha256Hex(''))
  const { signature } = await sign(canonicalRequest, identity, amzDate, credentialScope)
  return `${String(url).split(/[?#]/)[0]}?${signed}&X-Amz-Signature=${signature}`
}
