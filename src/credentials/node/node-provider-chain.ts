import type { defaultProvider } from '@aws-sdk/credential-provider-node'
import { CredentialsError } from '../../core/errors.ts'
import { type CachedOptions, cached, markCached } from '../../core/internal/cached-provider.ts'
import { redact } from '../../core/internal/redact.ts'
import { systemClock } from '../../core/internal/signal.ts'
import type { AwsCredentialIdentity, CredentialProvider, IdentitySource } from '../../core/types.ts'
import { fingerprint, profileName, readProfile, type SharedFiles } from './shared-files.ts'

/** Options of {@link fromNodeProviderChain}. */
export interface NodeProviderChainOptions extends SharedFiles, CachedOptions {
  /** For STS and the like, where the profile names none. @default the client's region */
  readonly region?: string | undefined
  /** Gives the code of an MFA device, for a profile with `mfa_serial`. */
  readonly mfaCode?: ((serial: string) => string | Promise<string>) | undefined
}

/**
 * Gives what the AWS SDK's own chain finds: environment, shared files, SSO, `aws login` sessions, `credential_process`,
 * web identity files, roles, containers, instance metadata. With a profile named, here or by `AWS_PROFILE`, the profile
 * wins over keys in the environment, as in the AWS SDK for JavaScript.
 *
 * What it finds is kept and renewed as by `cached`; keys without an expiry are read anew when the shared files change.
 * Needs `@aws-sdk/credential-provider-node`, an optional peer that is imported at first use. It does its own HTTP.
 *
 * @example
 * ```ts
 * const credentials = fromNodeProviderChain({ profile: 'dev' })
 * ```
 * @throws CredentialsError with the real cause first, and the command to run where there is one.
 * @see https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/setting-credentials-node.html
 */
export function fromNodeProviderChain(options: NodeProviderChainOptions = {}): CredentialProvider {
  const { region, mfaCode, clock = systemClock } = options
  const resolve = cached(async (request = {}) => {
    const create = await load()
    const clientRegion = region ?? request.region
    // A chain keeps what it found, and the files that it read. `cached` asks when neither will do any more.
    const chain = create({
      ...(options.profile !== undefined && { profile: options.profile }),
      ...(options.filepath !== undefined && { filepath: options.filepath }),
      ...(options.configFilepath !== undefined && { configFilepath: options.configFilepath }),
      ...(mfaCode && { mfaCodeProvider: async (serial: string) => mfaCode(serial) }),
      ...(clientRegion !== undefined && { clientConfig: { region: clientRegion } }),
      ignoreCache: true,
    })
    try {
      const { accessKeyId, secretAccessKey, sessionToken, expiration, accountId, ...rest } = await chain()
      const source = sourceOf(rest, profileName(options))
      return {
        accessKeyId,
        secretAccessKey,
        sessionToken,
        expiration,
        accountId,
        source,
      } satisfies AwsCredentialIdentity
    } catch (error) {
      throw await failure(error, options)
    }
  }, options)

  let seen: string | undefined
  let looked = Number.NEGATIVE_INFINITY
  return markCached(async (request = {}) => {
    // A look at two files costs less than a signature, but not nothing.
    if (clock.now() - looked < 1000) return resolve(request)
    looked = clock.now()
    const now = await fingerprint(options)
    const hasChanged = seen !== undefined && seen !== now
    seen = now
    return resolve(hasChanged ? { ...request, forceRefresh: true, refused: undefined } : request)
  })
}

async function load(): Promise<typeof defaultProvider> {
  // Through a variable, so that a bundler neither looks for the package nor packs it.
  const name = '@aws-sdk/credential-provider-node'
  try {
    return ((await import(/* @vite-ignore */ name)) as { defaultProvider: typeof defaultProvider }).defaultProvider
  } catch (cause) {
    throw new CredentialsError(`${name} is not installed; profiles, SSO, roles and metadata services need it`, {
      cause,
      tryNextLink: true,
      command: `npm install ${name}`,
      hint: `Run \`npm install ${name}\`, set AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID, or pass \`credentials\`.`,
    })
  }
}

// The AWS SDK marks each identity with the features that made it, in the order of the last one first.
const sources: readonly (readonly [marker: string, name: string])[] = [
  ['CREDENTIALS_STS_ASSUME_ROLE_WEB_ID', 'web-identity'],
  ['CREDENTIALS_STS_ASSUME_ROLE', 'assume-role'],
  ['CREDENTIALS_SSO', 'sso'],
  ['CREDENTIALS_SSO_LEGACY', 'sso'],
  ['CREDENTIALS_LOGIN', 'login'],
  ['CREDENTIALS_PROCESS', 'process'],
  ['CREDENTIALS_HTTP', 'container'],
  ['CREDENTIALS_IMDS', 'instance-metadata'],
  ['CREDENTIALS_PROFILE', 'profile'],
  ['CREDENTIALS_ENV_VARS', 'environment'],
]

function sourceOf(rest: object, profile: string): IdentitySource {
  const { $source = {} } = rest as { $source?: Readonly<Record<string, string>> }
  const name = sources.find(([marker]) => marker in $source)?.[1] ?? 'chain'
  const isOfProfile = Object.keys($source).some((marker) => marker.startsWith('CREDENTIALS_PROFILE'))
  return { name, ...(isOfProfile && { profile }) }
}

async function failure(error: unknown, files: SharedFiles): Promise<CredentialsError> {
  const said = redact((error as Error).message)
  const isEmpty = /^Could not load credentials from any providers/.test(said)
  const profile = profileName(files)
  const { sso_session, sso_start_url, login_session } = await readProfile(files)
  const flag =
    profile === 'default' ? '' : ` --profile ${/^[\w.@/-]+$/.test(profile) ? profile : JSON.stringify(profile)}`
  const command = sso_session || sso_start_url ? `aws sso login${flag}` : login_session ? `aws login${flag}` : undefined
  return new CredentialsError(
    isEmpty
      ? `No source has credentials: environment, profile ${profile}, web identity, container and instance metadata were tried`
      : said,
    {
      cause: error,
      tryNextLink: isEmpty,
      command,
      hint: command
        ? `Run \`${command}\`.`
        : isEmpty
          ? 'Run `aws configure`, `aws login` or `aws sso login`, set AWS_BEARER_TOKEN_BEDROCK, or pass `credentials`.'
          : `Check the profile ${profile} in ~/.aws/config and ~/.aws/credentials.`,
    },
  )
}
