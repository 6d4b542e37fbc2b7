import { CredentialsError, isBedrockError, ServiceError } from '../core/errors.ts'
import { parseEndpointUrl } from '../core/internal/endpoint-url.ts'
import { type Environment, env, envFlag } from '../core/internal/env.ts'
import { isJsonObject, parseJsonObject } from '../core/internal/json.ts'
import { partitionOf } from '../core/internal/partitions.ts'
import { redact, redactError, secretsOf } from '../core/internal/redact.ts'
import { assertRegion } from '../core/internal/region.ts'
import { errorType } from '../core/internal/service-error.ts'
import { systemClock } from '../core/internal/signal.ts'
import { signRequest } from '../core/sigv4/sign-request.ts'
import type { AwsCredentialIdentity, Clock, IdentitySource } from '../core/types.ts'
import { assertNotExpired, requestCredentials } from './request-credentials.ts'

/** Options of {@link callSts}. */
export interface StsOptions {
  readonly region: string
  /** The identity that signs; left out if the request needs no signature. */
  readonly identity?: AwsCredentialIdentity | undefined
  /** @default AWS_ENDPOINT_URL_STS, else AWS_ENDPOINT_URL, else the Region's own host */
  readonly endpoint?: string | undefined
  /** Environment variables to read instead of the process's own. */
  readonly env?: Environment | undefined
  readonly fetch?: typeof fetch | undefined
  readonly signal?: AbortSignal | undefined
  /** How long to wait for the whole response, in milliseconds. @default 10_000 */
  readonly timeout?: number | undefined
  readonly clock?: Clock | undefined
}

/** A response from STS. */
export interface StsAnswer {
  /** Returns the text of an element, by its tag. */
  (tag: string): string | undefined
  /** When it arrived, in milliseconds since the epoch. */
  readonly now: number
}

/**
 * Calls AWS STS in a Region.
 *
 * @throws ServiceError if STS answers with an error; TimeoutError; ConfigurationError for an unsafe endpoint
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
 */
export async function callSts(parameters: Readonly<Record<string, string>>, options: StsOptions): Promise<StsAnswer> {
  const { identity, clock = systemClock, timeout = 10_000 } = options
  const region = assertRegion(options.region)
  const request = {
    method: 'POST',
    url: `${endpointOf(region, options)}/`,
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
  // STS, or a proxy in front of it, may quote the token that it rejects.
  const { WebIdentityToken: token } = parameters
  const secrets = [...secretsOf(identity), ...(token ? [token] : [])]
  const { ok, status, text, now } = await requestCredentials(
    url,
    { method, headers, body },
    { ...options, clock, timeout },
  ).catch((error: unknown) => {
    options.signal?.throwIfAborted()
    throw isBedrockError(error) ? error : redactError(error, secrets)
  })
  const element = (tag: string): string | undefined =>
    unescapeXml(new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(text)?.[1])
  if (ok) return Object.assign(element, { now })
  // Proxies and emulators answer in JSON, and so does STS on request.
  const json = parseJsonObject(text) ?? {}
  const error = isJsonObject(json.Error) ? json.Error : json
  const said = element('Message') ?? error.Message ?? error.message
  const message = typeof said === 'string' ? said : `STS answered with status ${status}`
  throw new ServiceError(redact(message, secrets).slice(0, 1_024), {
    status,
    type: errorType(element('Code') ?? error.Code ?? error.__type, secrets),
    retryable: status >= 500,
  })
}

// In the order of the AWS SDKs: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
function endpointOf(region: string, { endpoint: option, env: from }: StsOptions): string {
  const name = env('AWS_ENDPOINT_URL_STS', from) ? 'AWS_ENDPOINT_URL_STS' : 'AWS_ENDPOINT_URL'
  const ambient = envFlag('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', from) ? undefined : env(name, from)
  const url = parseEndpointUrl(option ?? ambient, option === undefined ? name : 'The endpoint of STS', {
    httpHint: 'STS returns keys. Use https.',
  })
  if (!url) return `https://sts.${region}.${partitionOf(region).dnsSuffix}`
  return url.origin + url.pathname.replace(/(?<!\/)\/+$/, '')
}

/** Reads the keys from an AssumeRole response. @throws CredentialsError if they are missing or expired */
export function credentialsOf(answer: StsAnswer, source: IdentitySource): AwsCredentialIdentity {
  const accessKeyId = answer('AccessKeyId')
  const secretAccessKey = answer('SecretAccessKey')
  const expiration = new Date(answer('Expiration') ?? Number.NaN)
  if (!accessKeyId || !secretAccessKey || Number.isNaN(expiration.getTime()))
    throw new CredentialsError('STS answered without credentials')
  assertNotExpired(expiration, answer.now, 'STS')
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

/** Wraps an error, with the real cause first. */
export function stsFailure(action: string, roleArn: string, error: unknown): CredentialsError {
  const cause = isBedrockError(error) ? error : redactError(error)
  const type = isBedrockError(error, 'service') ? `, ${error.type}` : ''
  return new CredentialsError(`${cause.message} (${action} of ${roleArn}${type})`, {
    cause,
    hint: "Check the role's trust policy: it must name the caller and any external ID.",
  })
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function unescapeXml(text: string | undefined): string | undefined {
  return text?.replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => entities[name] as string)
}
