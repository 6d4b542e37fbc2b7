import { ConfigurationError } from '../errors.ts'
import { assertOptions } from '../internal/assert-options.ts'
import { isHeaderValue } from '../internal/headers.ts'
import type { AwsCredentialIdentity, Identity } from '../types.ts'
import { type HeadersLike, normalizeHeaders } from './canonical-request.ts'
import { type SignedRequest, signHeaders } from './sign-headers.ts'

export type { SignedRequest }

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
  assertScope(scope)
  const { identity, region, service, date = new Date() } = scope
  const { method = request.body === undefined ? 'GET' : 'POST', url, body } = request
  const headers = normalizeHeaders(request.headers)
  if (headers.authorization !== undefined) {
    throw new ConfigurationError('The request to sign already has an authorization header', {
      hint: 'Leave it out; the signature takes its place.',
    })
  }
  return signHeaders({ method, url, headers, body }, identity, region, service, date)
}

/** @throws ConfigurationError for a scope that nothing can be signed with */
export function assertScope(
  scope: SigningScope,
): asserts scope is SigningScope & { readonly identity: AwsCredentialIdentity } {
  assertOptions(scope, '', 'identity region service date')
  const { identity, region, service, date } = scope
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
  if (date && Number.isNaN(date.getTime())) throw new ConfigurationError('The date to sign with is not a valid date')
}
