import type { defaultProvider } from '@aws-sdk/credential-provider-node'
import { CredentialsError } from '../../core/errors.ts'
import { type CachedOptions, cached, markCached } from '../../core/internal/cached-provider.ts'
import { env } from '../../core/internal/env.ts'
import { redact } from '../../core/internal/redact.ts'
import { systemClock } from '../../core/internal/signal.ts'
import type { AwsCredentialIdentity, CredentialProvider, IdentitySource, Logger } from '../../core/types.ts'
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
    const listener = listen(request.logger)
    // A chain keeps what it found, and the files that it read. `cached` asks when neither will do any more.
    const chain = create({
      ...(options.profile !== undefined && { profile: options.profile }),
      ...(options.filepath !== undefined && { filepath: options.filepath }),
      ...(options.configFilepath !== undefined && { configFilepath: options.configFilepath }),
      ...(mfaCode && { mfaCodeProvider: async (serial: string) => mfaCode(serial) }),
      ...(clientRegion !== undefined && { clientConfig: { region: clientRegion } }),
      ignoreCache: true,
      logger: listener.logger,
    })
    try {
      const { accessKeyId, secretAccessKey, sessionToken, expiration, accountId, ...rest } = await chain()
      const source = sourceOf(rest, profileName(options))
      // A profile that was asked for by name and is broken: AWS's chain goes on to the machine's own role.
      if (isNamed(options) && source.profile === undefined)
        throw new Error(`The chain went on to the credentials of ${source.name}`)
      return {
        accessKeyId,
        secretAccessKey,
        sessionToken,
        expiration,
        accountId,
        source,
      } satisfies AwsCredentialIdentity
    } catch (error) {
      throw await failure(error, options, listener.reason())
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

// The chain keeps the reasons of its links to itself, but for its log.
function listen(logger: Logger | undefined): { logger: Logger & { trace(): void }; reason: () => string | undefined } {
  let isProfile = false
  let reason: string | undefined
  const debug = (message: unknown): void => {
    const [, said] = /^@smithy\/property-provider (?:->|\(!\)) (.*)$/s.exec(String(message)) ?? []
    if (String(message).endsWith('defaultProvider::fromIni')) isProfile = true
    // The command line of a credential_process may hold a secret.
    else if (isProfile && said) reason ??= said.replace(/^Command failed: .*\n?/, 'credential_process failed: ').trim()
  }
  const ignore = (): void => {}
  const warn = (message: unknown): void => logger?.warn(redact(String(message).trim()))
  return { logger: { debug, warn, info: ignore, error: ignore, trace: ignore }, reason: () => reason }
}

const isNamed = ({ profile }: SharedFiles): boolean => (profile ?? env('AWS_PROFILE')) !== undefined

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

// The AWS SDK marks each identity with what made it, but for those of instance metadata.
const sources: readonly (readonly [marker: string, name: string])[] = [
  ['CREDENTIALS_STS_ASSUME_ROLE_WEB_ID', 'web-identity'],
  ['CREDENTIALS_STS_ASSUME_ROLE', 'assume-role'],
  ['CREDENTIALS_SSO', 'sso'],
  ['CREDENTIALS_SSO_LEGACY', 'sso'],
  ['CREDENTIALS_LOGIN', 'login'],
  ['CREDENTIALS_PROCESS', 'process'],
  ['CREDENTIALS_HTTP', 'container'],
  ['CREDENTIALS_PROFILE', 'profile'],
  ['CREDENTIALS_ENV_VARS', 'environment'],
]

function sourceOf(rest: object, profile: string): IdentitySource {
  const { $source = {} } = rest as { $source?: Readonly<Record<string, string>> }
  const name = sources.find(([marker]) => marker in $source)?.[1] ?? 'instance-metadata'
  const isOfProfile = Object.keys($source).some((marker) => marker.startsWith('CREDENTIALS_PROFILE'))
  return { name, ...(isOfProfile && { profile }) }
}

async function failure(error: unknown, files: SharedFiles, reason: string | undefined): Promise<CredentialsError> {
  const profile = profileName(files)
  const { sso_session, sso_start_url, login_session } = await readProfile(files)
  const flag =
    profile === 'default' ? '' : ` --profile ${/^[\w.@/-]+$/.test(profile) ? profile : JSON.stringify(profile)}`
  const command = sso_session || sso_start_url ? `aws sso login${flag}` : login_session ? `aws login${flag}` : undefined
  const options = { cause: error, command, hint: command && `Run \`${command}\`.` }

  const isExhausted = /^Could not load credentials from any providers/.test((error as Error).message)
  if (isNamed(files) || command) {
    const said = (isExhausted || isNamed(files) ? reason : undefined) ?? (error as Error).message
    return new CredentialsError(`${redact(said)} (profile ${profile})`, {
      ...options,
      hint: options.hint ?? `Check the profile ${profile} in ~/.aws/config and ~/.aws/credentials.`,
    })
  }
  if (!isExhausted) return new CredentialsError(redact((error as Error).message), options)
  return new CredentialsError(
    'No source has credentials: environment, shared files, web identity, container and instance metadata were tried',
    {
      ...options,
      tryNextLink: true,
      hint: 'Run `aws configure`, `aws login` or `aws sso login`, set AWS_BEARER_TOKEN_BEDROCK, or pass `credentials`.',
    },
  )
}
