import { ServiceError } from '../core/errors.ts'
import { env } from '../core/internal/env.ts'
import { partitionOf } from '../core/internal/partitions.ts'
import { redact } from '../core/internal/redact.ts'
import { signRequest } from '../core/sigv4/sign-request.ts'
import type { AwsCredentialIdentity } from '../core/types.ts'

/** Who AWS says is calling. */
export interface CallerIdentity {
  readonly account: string
  readonly arn: string
}

/** Options of {@link getCallerIdentity}. */
export interface CallerIdentityOptions {
  readonly fetch?: typeof fetch | undefined
  /** The time to sign with, in milliseconds since the epoch. @default now */
  readonly now?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks AWS STS who a pair of keys belongs to (GetCallerIdentity). Needs no permission.
 *
 * @throws ServiceError as STS answers.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export async function getCallerIdentity(
  identity: AwsCredentialIdentity,
  region: string,
  { fetch: send = globalThis.fetch, now = Date.now(), signal }: CallerIdentityOptions = {},
): Promise<CallerIdentity> {
  const base = env('AWS_ENDPOINT_URL_STS') ?? `https://sts.${region}.${partitionOf(region).dnsSuffix}`
  const request = {
    method: 'POST',
    url: `${base.replace(/\/+$/, '')}/`,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/xml' },
    body: 'Action=GetCallerIdentity&Version=2011-06-15',
  }
  const signed = await signRequest(request, { identity, region, service: 'sts', date: new Date(now) })
  const { host: _, ...headers } = signed.headers
  const { url, method, body } = request
  const response = await send(url, { method, headers, body, redirect: 'manual', ...(signal && { signal }) })
  const text = await response.text()
  const part = (tag: string): string | undefined => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(text)?.[1]
  const [account, arn] = [part('Account'), part('Arn')]
  if (response.ok && account && arn) return { account, arn }
  throw new ServiceError(redact(part('Message') ?? `STS answered with status ${response.status}`, identity), {
    status: response.status,
    type: part('Code') ?? 'UnknownError',
    retryable: response.status >= 500,
  })
}
