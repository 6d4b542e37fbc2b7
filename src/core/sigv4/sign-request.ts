import { ConfigurationError } from '../errors.ts'
import { hex } from '../internal/bytes.ts'
import type { AwsCredentialIdentity, Identity } from '../types.ts'
import { createCanonicalRequest, type HeadersLike, normalizeHeaders, splitUrl } from './canonical-request.ts'
import { deriveSigningKey } from './signing-key.ts'
import { hmacSha256, sha256Hex } from '#platform'

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
  const { identity, amzDate, credentialScope } = prepareScope(scope)
  const url = splitUrl(request.url)
  const headers = normalizeHeaders(request.headers)
  if (headers.authorization !== undefined) {
    throw new ConfigurationError('The request to sign has an authorization header already', {
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
  const stringToSign = await createStringToSign(amzDate, credentialScope, canonicalRequest)
  const signature = sign(identity, credentialScope, stringToSign)
  headers.authorization = `${algorithm} Credential=${identity.accessKeyId}/${credentialScope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
  return { headers, canonicalRequest, stringToSign, signature }
}

export const algorithm = 'AWS4-HMAC-SHA256'

/** Checks a scope and spells it out. */
export function prepareScope({ identity, region, service, date = new Date() }: SigningScope): {
  identity: AwsCredentialIdentity
  amzDate: string
  credentialScope: string
} {
  if (!identity || 'token' in identity || !identity.accessKeyId || !identity.secretAccessKey) {
    throw new ConfigurationError('Signing needs AWS keys', {
      hint: 'Give { accessKeyId, secretAccessKey, sessionToken? }. A Bedrock API key is sent as it is and signs nothing.',
    })
  }
  if (!region || !service) throw new ConfigurationError(`The ${region ? 'service' : 'region'} to sign for is missing`)
  if (Number.isNaN(date.getTime())) throw new ConfigurationError('The date to sign with is not a valid date')
  // `2026-11-20T12:00:00.000Z` without its separators and its fraction: a regular expression would take three times as long.
  const iso = date.toISOString()
  const day = iso.slice(0, 4) + iso.slice(5, 7) + iso.slice(8, 10)
  const amzDate = `${day}T${iso.slice(11, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`
  return { identity, amzDate, credentialScope: `${day}/${region}/${service}/aws4_request` }
}

/** Step 2 of the specification. */
export async function createStringToSign(
  amzDate: string,
  credentialScope: string,
  canonicalRequest: string,
): Promise<string> {
  return `${algorithm}\n${amzDate}\n${credentialScope}\n${await sha256Hex(canonicalRequest)}`
}

/** Step 4 of the specification. */
export function sign(identity: AwsCredentialIdentity, credentialScope: string, stringToSign: string): string {
  return hex(hmacSha256(deriveSigningKey(identity, credentialScope), stringToSign))
}
