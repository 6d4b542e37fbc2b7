import { ConfigurationError, CredentialsError, ServiceError } from '../core/errors.ts'
import { env } from '../core/internal/env.ts'
import { partitionOf } from '../core/internal/partitions.ts'
import { redact } from '../core/internal/redact.ts'
import { assertRegion } from '../core/internal/region.ts'
import { systemClock } from '../core/internal/signal.ts'
import { signRequest } from '../core/sigv4/sign-request.ts'
import type { AwsCredentialIdentity, Clock, IdentitySource } from '../core/types.ts'

/** How STS is asked. */
export interface StsOptions {
  readonly region: string
  /** Who signs; left out where the request proves itself. */
  readonly identity?: AwsCredentialIdentity | undefined
  /** @default AWS_ENDPOINT_URL_STS, else AWS_ENDPOINT_URL, else the region's own host */
  readonly endpoint?: string | undefined
  readonly fetch?: typeof fetch | undefined
  readonly signal?: AbortSignal | undefined
  readonly clock?: Pick<Clock, 'now'> | undefined
}

/** One element of an STS answer, by its tag. */
export type StsAnswer = (tag: string) => string | undefined

/**
 * Calls AWS STS in a region.
 *
 * @throws ServiceError as STS answers.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
 */
export async function callSts(parameters: Readonly<Record<string, string>>, options: StsOptions): Promise<StsAnswer> {
  const { identity, fetch: send = globalThis.fetch, signal, clock = systemClock } = options
  const region = assertRegion(options.region)
  const host = `https://sts.${region}.${partitionOf(region).dnsSuffix}`
  const base = options.endpoint ?? env('AWS_ENDPOINT_URL_STS') ?? env('AWS_ENDPOINT_URL') ?? host
  if (!URL.canParse(base)) throw new ConfigurationError('The endpoint of STS is not a URL')
  const request = {
    method: 'POST',
    url: `${base.replace(/\/+$/, '')}/`,
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', accept: 'application/xml' },
    body: String(new URLSearchParams({ ...parameters, Version: '2011-06-15' })),
  }
  let headers: Record<string, string> = request.headers
  if (identity) {
    const signed = await signRequest(request, { identity, region, service: 'sts', date: new Date(clock.now()) })
    const { host: _, ...rest } = signed.headers
    headers = rest
  }
  const { url, method, body } = request
  const response = await send(url, { method, headers, body, redirect: 'manual', ...(signal && { signal }) })
  const text = await response.text()
  const answer: StsAnswer = (tag) => unescapeXml(new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(text)?.[1])
  if (response.ok) return answer
  // STS quotes the token that it refuses.
  const { WebIdentityToken: token = '[redacted]' } = parameters
  const message = (answer('Message') ?? `STS answered with status ${response.status}`).replaceAll(token, '[redacted]')
  throw new ServiceError(redact(message, identity), {
    status: response.status,
    type: answer('Code') ?? 'UnknownError',
    retryable: response.status >= 500,
  })
}

/** The keys in an answer of AssumeRole and its kin. @throws CredentialsError for an answer without */
export function credentialsOf(answer: StsAnswer, source: IdentitySource): AwsCredentialIdentity {
  const accessKeyId = answer('AccessKeyId')
  const secretAccessKey = answer('SecretAccessKey')
  const expiration = new Date(answer('Expiration') ?? Number.NaN)
  if (!accessKeyId || !secretAccessKey || Number.isNaN(expiration.getTime()))
    throw new CredentialsError('STS answered without credentials')
  const accountId = /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(answer('Arn') ?? '')?.[1]
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: answer('SessionToken'),
    expiration,
    ...(accountId && { accountId }),
    source,
  }
}

/** Wraps what went wrong, real cause first. */
export function stsFailure(action: string, roleArn: string, error: unknown): CredentialsError {
  const { message, type } = error as Partial<ServiceError>
  return new CredentialsError(`${message ?? String(error)} (${action} of ${roleArn}${type ? `, ${type}` : ''})`, {
    cause: error,
    hint: 'Check the role’s trust policy: it has to name who assumes it, and any external ID.',
  })
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function unescapeXml(text: string | undefined): string | undefined {
  return text?.replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => entities[name] as string)
}
