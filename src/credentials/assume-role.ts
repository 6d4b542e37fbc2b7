import { ConfigurationError, CredentialsError, isBedrockError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { cached } from '../core/internal/cached-provider.ts'
import { env } from '../core/internal/env.ts'
import { askForIdentity, assertIdentity } from '../core/internal/identity.ts'
import type { AwsCredentialIdentity, Clock, CredentialProvider, CredentialProviderOptions } from '../core/types.ts'
import { assertTimeout } from './request-credentials.ts'
import { callSts, credentialsOf, stsFailure } from './sts.ts'

/** Options that every way to assume a role shares. */
export interface RoleOptions {
  /** Such as `arn:aws:iam::123456789012:role/bedrock`. */
  readonly roleArn: string
  /** Names the session in CloudTrail: 2 to 64 characters of `A-Z a-z 0-9 _ + = , . @ -`. @default 'outcrop' */
  readonly sessionName?: string | undefined
  /** How long the keys are valid, in seconds, 900 to 43200, and at most the role's maximum. @default 3600 */
  readonly duration?: number | undefined
  /** A session policy that restricts the role's permissions: a JSON document. */
  readonly policy?: string | undefined
  /** The Region in which to call STS. @default the client's Region, else AWS_REGION */
  readonly region?: string | undefined
  /**
   * STS's URL: https, or http on this machine.
   *
   * @default AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, else the Region's own host
   */
  readonly endpoint?: string | undefined
  /** How long to wait for STS's response, in milliseconds. @default 10_000 */
  readonly timeout?: number | undefined
  /** Time, for tests. */
  readonly clock?: Clock | undefined
}

/** The names of {@link RoleOptions}. */
export const roleOptionNames = 'roleArn sessionName duration policy region endpoint timeout clock'

/** Options of {@link fromAssumeRole}. */
export interface AssumeRoleOptions extends RoleOptions {
  /** The credentials that assume the role: AWS keys, or a provider of them. */
  readonly credentials: AwsCredentialIdentity | CredentialProvider
  /** The external ID in the role's trust policy. */
  readonly externalId?: string | undefined
  /** Session tags, for attribute-based access control. */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** The MFA device's serial number or ARN, if the role requires one. */
  readonly mfaSerial?: string | undefined
  /** Returns the device's current code. Called at every renewal. */
  readonly mfaCode?: ((serial: string) => string | Promise<string>) | undefined
}

/**
 * Assumes a role with other credentials (AWS STS AssumeRole).
 *
 * @example
 * ```ts
 * const credentials = fromAssumeRole({
 *   credentials: fromEnvironment(),
 *   roleArn: 'arn:aws:iam::123456789012:role/bedrock',
 *   externalId: 'agreed-on',
 * })
 * ```
 * @throws ConfigurationError for invalid options. The call rejects with a CredentialsError.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function fromAssumeRole(options: AssumeRoleOptions): CredentialProvider {
  assertOptions(options, '', `${roleOptionNames} credentials externalId tags mfaSerial mfaCode`)
  const { credentials, externalId, tags = {}, mfaSerial, mfaCode, clock } = options
  const common = roleParameters(options)
  if (!credentials) throw new ConfigurationError('fromAssumeRole needs the credentials that assume the role')
  if (typeof credentials !== 'function') assertIdentity(credentials, 'credentials', ConfigurationError)
  if (mfaSerial && !mfaCode) throw new ConfigurationError("mfaSerial needs mfaCode, which returns the device's code")
  return cached(
    async (request = {}) => {
      const identity =
        typeof credentials === 'function' ? await askForIdentity(credentials, sourceRequest(request)) : credentials
      if ('token' in identity) throw new CredentialsError('A Bedrock API key cannot assume a role; use AWS keys')
      const parameters = {
        Action: 'AssumeRole',
        ...common,
        ...(externalId !== undefined && { ExternalId: externalId }),
        ...(mfaSerial && { SerialNumber: mfaSerial, TokenCode: String(await mfaCode?.(mfaSerial)) }),
        ...Object.fromEntries(
          Object.entries(tags).flatMap(([key, value], i) => [
            [`Tags.member.${i + 1}.Key`, key],
            [`Tags.member.${i + 1}.Value`, value],
          ]),
        ),
      }
      return assume(parameters, options, request, identity)
    },
    { clock },
  )
}

/** Checks the options that every way to assume a role shares, and returns them as STS's parameters. */
export function roleParameters({
  roleArn,
  sessionName = 'outcrop',
  duration = 3600,
  policy,
  timeout = 10_000,
}: RoleOptions): Record<string, string> {
  if (!/^arn:aws[a-z-]{0,20}:iam::\d{12}:role\/[\x21-\x7e]{1,1024}$/.test(roleArn ?? ''))
    throw new ConfigurationError('roleArn is not the ARN of a role', {
      hint: 'It looks like arn:aws:iam::123456789012:role/name.',
    })
  if (!/^[\w+=,.@-]{2,64}$/.test(sessionName))
    throw new ConfigurationError('sessionName must have 2 to 64 characters of A-Z a-z 0-9 _ + = , . @ -')
  assertTimeout(timeout)
  if (!Number.isInteger(duration) || duration < 900 || duration > 43_200)
    throw new ConfigurationError('duration must be a whole number of seconds, 900 to 43200')
  return {
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    DurationSeconds: String(duration),
    ...(policy !== undefined && { Policy: policy }),
  }
}

/** Requests a role's keys from STS. @throws CredentialsError */
export async function assume(
  parameters: Readonly<Record<string, string>>,
  { roleArn, region, endpoint, timeout, clock }: RoleOptions,
  request: CredentialProviderOptions,
  identity?: AwsCredentialIdentity,
): Promise<AwsCredentialIdentity> {
  const action = parameters.Action as string
  const target = region ?? request.region ?? env('AWS_REGION') ?? env('AWS_DEFAULT_REGION')
  if (!target) throw new ConfigurationError(`${action} needs a Region`, { hint: 'Pass `region`, or set AWS_REGION.' })
  const { fetch, signal } = request
  try {
    const answer = await callSts(parameters, { region: target, endpoint, identity, fetch, signal, timeout, clock })
    const name = action === 'AssumeRole' ? 'assume-role' : 'web-identity'
    return credentialsOf(answer, { name, detail: roleArn })
  } catch (error) {
    signal?.throwIfAborted()
    if (isBedrockError(error, 'credentials') || isBedrockError(error, 'configuration')) throw error
    throw stsFailure(action, roleArn, error)
  }
}

// Bedrock refused the role's identity, not the source's.
function sourceRequest({
  refused: _,
  forceRefresh: __,
  ...request
}: CredentialProviderOptions): CredentialProviderOptions {
  return request
}
