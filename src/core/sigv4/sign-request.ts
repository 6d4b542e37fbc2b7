import { ConfigurationError } from '../errors.ts'
import { assertOptions } from '../internal/assert-options.ts'
import { isHeaderValue } from '../internal/headers.ts'
import type { AwsCredentialIdentity, Identity } from '../types.ts'
import { createCanonicalRequest, type HeadersLike, normalizeHeaders, splitUrl } from './canonical-request.ts'
import { deriveSigningKey } from './signing-key.ts'
import { hmacSha256Hex, sha256Hex } from '#platform'

/** A request to sign. */
export interface SignableRequest {
  /** @default 'GET', or 'POST' when there is a body */
  readonly method?: string | undefined
  /** Absolute. Signed as it is spelled, so send it as it is spelled. */
  readonly url: string | URL
  readonly headers?: HeadersLike | undefined
  readonly body?: string | Uint8Array | undefined
}

/** Whose signature, and for what. Nothing is guessed from the host name. */
export interface SigningScope {
  /** AWS keys. */
  readonly identity: Identity
  /** Such as `us-east-1`. */
  readonly region: string
  /** The signing name, such as `bedrock`, which is that of both Bedrock hosts. */
  readonly service: string
  /** @default now */
  readonly date?: Date | undefined
}

/** A signed request's headers, and what was signed, to compare with what AWS says it expected. */
export interface SignedRequest {
  /** All headers to send, names in lower case. `fetch` derives `host` from the URL, and browsers refuse it here. */
  readonly headers: Record<string, string>
  readonly canonicalRequest: string
  readonly stringToSign: string
  /** In hexadecimal. */
  readonly signature: string
}

/**
 * Signs a request with AWS Signature Version 4.
 *
 * Signed are `host`, `x-amz-date` and all given headers but `connection`, `expect`, `transfer-encoding`, `user-agent`,
 * `x-amzn-trace-id`, `traceparent`, `tracestate` and `baggage`, which are rewritten on the way. A given `x-amz-date` or
 * `x-amz-security-token` is replaced. A given `x-amz-content-sha256` stands for the body's hash.
 *
 * @example
 * ```ts
 * const url = 'https://bedrock.us-east-1.amazonaws.com/inference-profiles'
 * const { headers } = await signRequest({ url }, { identity, region: 'us-east-1', service: 'bedrock' })
 * const response = await fetch(url, { headers })
 * ```
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * @throws ConfigurationError for a scope with a part missing, or a request that is authorized already.
 */
export async function signRequest(request: SignableRequest, scope: SigningScope): Promise<SignedRequest> {
  assertOptions(request, '', 'method url headers body')
  const { identity, amzDate, credentialScope } = prepareScope(scope)
  const url = splitUrl(request.url)
  const headers = normalizeHeaders(request.headers)
  if (headers.authorization !== undefined) {
    throw new ConfigurationError('The request to sign already has an authorization header', {
      hint: 'Leave it out; the signature takes its place.',
    })
  }
  headers.host ??= url.host
  headers['x-amz-date'] = amzDate
  delete headers['x-amz-security-token']
  if (identity.sessionToken) headers['x-amz-security-token'] = identity.sessionToken

  const { method = request.body === undefined ? 'GET' : 'POST', body = '' } = request
  const payloadHash = headers['x-amz-content-sha256'] ?? (await sha256Hex(body))
  const { canonicalRequest, signedHeaders } = createCanonicalRequest(method, url, headers, payloadHash)
  const stringToSign = createStringToSign(amzDate, credentialScope, await sha256Hex(canonicalRequest))
  const signature = await sign(identity, credentialScope, stringToSign)
  headers.authorization = `${algorithm} Credential=${identity.accessKeyId}/${credentialScope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
  return { headers, canonicalRequest, stringToSign, signature }
}

export const algorithm = 'AWS4-HMAC-SHA256'

/** Checks a scope and spells it out. */
export function prepareScope(scope: SigningScope): {
  identity: AwsCredentialIdentity
  amzDate: string
  credentialScope: string
} {
  assertOptions(scope, '', 'identity region service date')
  const { identity, region, service, date = new Date() } = scope
  // Of a string, which a bare API key would be, no property is read: an error of the runtime would quote it.
  const keys = (typeof identity === 'object' ? identity : {}) as Partial<AwsCredentialIdentity> | null
  if (!keys?.accessKeyId || !keys.secretAccessKey || 'token' in keys) {
    throw new ConfigurationError('Signing needs AWS keys', {
      hint: 'Give { accessKeyId, secretAccessKey, sessionToken? }. A Bedrock API key is sent as it is and signs nothing.',
    })
  }
  if (!isHeaderValue(`${keys.accessKeyId}${keys.sessionToken}`))
    throw new ConfigurationError('The access key ID or the session token has a character that HTTP cannot carry')
  if (!region || !service) throw new ConfigurationError(`The ${region ? 'service' : 'region'} to sign for is missing`)
  if (Number.isNaN(date.getTime())) throw new ConfigurationError('The date to sign with is not a valid date')
  // 20261120T120000Z, by numbers: taking an ISO string apart would take five times as long.
  const day = date.getUTCFullYear() * 10_000 + (date.getUTCMonth() + 1) * 100 + date.getUTCDate()
  const time = 1_000_000 + date.getUTCHours() * 10_000 + date.getUTCMinutes() * 100 + date.getUTCSeconds()
  const amzDate = `${day}T${String(time).slice(1)}Z`
  return {
    identity: keys as AwsCredentialIdentity,
    amzDate,
    credentialScope: `${day}/${region}/${service}/aws4_request`,
  }
}

/** Step 2 of the specification. */
export function createStringToSign(amzDate: string, credentialScope: string, canonicalRequestHash: string): string {
  return `${algorithm}\n${amzDate}\n${credentialScope}\n${canonicalRequestHash}`
}

/** Step 4 of the specification. */
export async function sign(
  identity: AwsCredentialIdentity,
  credentialScope: string,
  stringToSign: string,
): Promise<string> {
  return hmacSha256Hex(await deriveSigningKey(identity, credentialScope), stringToSign)
}
