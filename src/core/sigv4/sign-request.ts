import { ConfigurationError } from '../errors.ts'
import { assertKnown } from '../internal/assert-known.ts'
import { isHeaderValue } from '../internal/headers.ts'
import type { AwsCredentialIdentity, Identity } from '../types.ts'
import { type HeadersLike, normalizeHeaders, splitUrl } from './canonical-request.ts'
import { type SignedRequest, signHeaders } from './sign-headers.ts'

export type { SignedRequest }

/** A request to sign. */
export interface SignableRequest {
  /** @default 'GET', or 'POST' if there is a body */
  readonly method?: string | undefined
  /** An absolute URL. It is signed as it is spelled, so send it in the same spelling. */
  readonly url: string | URL
  readonly headers?: HeadersLike | undefined
  readonly body?: string | Uint8Array | undefined
}

/** The identity, Region and service of a signature. Nothing is derived from the host name. */
export interface SigningScope {
  /** AWS keys. */
  readonly identity: Identity
  /** Such as `us-east-1`. */
  readonly region: string
  /** The signing name, such as `bedrock`, which both Bedrock hosts use. */
  readonly service: string
  /** @default now */
  readonly date?: Date | undefined
}

/**
 * Signs a request with AWS Signature Version 4.
 *
 * Signs `host`, `x-amz-date` and all given headers except `connection`, `expect`, `transfer-encoding`, `user-agent`,
 * `x-amzn-trace-id`, `traceparent`, `tracestate` and `baggage`, which intermediaries rewrite. Replaces a given
 * `x-amz-date` or `x-amz-security-token`. A given `x-amz-content-sha256` is used as the body's hash.
 *
 * @example
 * ```ts
 * const url = 'https://bedrock.us-east-1.amazonaws.com/inference-profiles'
 * const { headers } = await signRequest({ url }, { identity, region: 'us-east-1', service: 'bedrock' })
 * const response = await fetch(url, { headers })
 * ```
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * @throws ConfigurationError for an incomplete scope, or a request that already has an authorization header.
 */
export async function signRequest(request: SignableRequest, scope: SigningScope): Promise<SignedRequest> {
  assertKnown(request, 'method url headers body')
  assertScope(scope)
  const { identity, region, service, date = new Date() } = scope
  const { method = request.body === undefined ? 'GET' : 'POST', url, body } = request
  const headers = normalizeHeaders(request.headers)
  if (headers.authorization !== undefined) {
    throw new ConfigurationError('The request to sign already has an authorization header', {
      hint: 'Remove it; the signature replaces it.',
    })
  }
  headers.host ??= splitUrl(url).host
  return await signHeaders({ method, url, headers, body }, identity, region, service, date)
}

/** @throws ConfigurationError for an invalid scope */
export function assertScope(
  scope: SigningScope,
): asserts scope is SigningScope & { readonly identity: AwsCredentialIdentity } {
  assertKnown(scope, 'identity region service date')
  const { identity, region, service, date } = scope
  // Never reads a property of a string, such as a bare API key, because a runtime error would quote it.
  const keys = (typeof identity === 'object' ? identity : {}) as Partial<AwsCredentialIdentity> | null
  if (!keys?.accessKeyId || !keys.secretAccessKey || 'token' in keys) {
    throw new ConfigurationError('Signing needs AWS keys', {
      hint: 'Pass { accessKeyId, secretAccessKey, sessionToken? }. A Bedrock API key cannot sign.',
    })
  }
  if (!isHeaderValue(`${keys.accessKeyId}${keys.sessionToken}`))
    throw new ConfigurationError('The access key ID or the session token has a character that HTTP does not allow')
  if (!region || !service) throw new ConfigurationError(`The ${region ? 'service' : 'region'} to sign for is missing`)
  if (date && Number.isNaN(date.getTime())) throw new ConfigurationError('The date to sign with is not a valid date')
}
