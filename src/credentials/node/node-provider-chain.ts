import { ConfigurationError, CredentialsError, isBedrockError } from '../../core/errors.ts'
import { assertOptions } from '../../core/internal/assert-options.ts'
import { type CachedOptions, cached, markCached } from '../../core/internal/cached-provider.ts'
import { env as variable } from '../../core/internal/env.ts'
import { redact } from '../../core/internal/redact.ts'
import { raceSignal, systemClock } from '../../core/internal/signal.ts'
import { within } from '../../core/internal/within.ts'
import type {
  AwsCredentialIdentity,
  CredentialProvider,
  CredentialProviderOptions,
  IdentitySource,
  Logger,
} from '../../core/types.ts'
import { chainInWorker, differsFromProcess } from './chain-in-worker.ts'
import { type CredentialProviderNode, locatePackage, packageName } from './credential-provider-node.ts'
import { fingerprint, profileName, readProfile, type SharedFiles } from './shared-files.ts'

/** Options of {@link fromNodeProviderChain}. */
export interface NodeProviderChainOptions extends SharedFiles, CachedOptions {
  /**
   * The environment of the whole chain, and of the commands that it starts. AWS's package reads only the process's
   * environment, so with another one it runs in a worker, which cannot take `mfaCode`, `clientConfig` or `loader`.
   *
   * @default the process's environment
   */
  readonly env?: SharedFiles['env']
  /** The Region for STS and the like, if the profile names none. @default the client's Region */
  readonly region?: string | undefined
  /** Returns the code of an MFA device, for a profile with `mfa_serial`. */
  readonly mfaCode?: ((serial: string) => string | Promise<string>) | undefined
  /**
   * Configuration of the AWS clients for STS, SSO and the sign-in service, such as a `requestHandler` for a proxy.
   *
   * @see https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/node-configuring-proxies.html
   */
  readonly clientConfig?: Readonly<Record<string, unknown>> | undefined
  /** The time limit for finding credentials, including any user input, in milliseconds. @default 60_000 */
  readonly timeout?: number | undefined
  /**
   * A folder in which to look for AWS's package, after those of this package and of the program. Code that is installed
   * there will run.
   */
  readonly packageFolder?: string | undefined
  /**
   * Returns AWS's package, to include it in a bundle.
   *
   * @default imports `@aws-sdk/credential-provider-node` in a way that bundlers do not see
   * @example `() => import('@aws-sdk/credential-provider-node')`
   */
  readonly loader?: (() => Promise<CredentialProviderNode>) | undefined
}

const optionNames =
  'profile filepath configFilepath env region mfaCode clientConfig timeout packageFolder loader refreshAhead refreshBlocking lifetime backoff clock'

/**
 * Provides the credentials that the AWS SDK's own chain finds: environment, shared files, SSO, `aws login` sessions,
 * `credential_process`, web identity files, roles, containers, instance metadata. A profile named here or by
 * `AWS_PROFILE` wins over keys in the environment, as in the AWS SDK for JavaScript.
 *
 * The credentials are cached and renewed as by `cached`. Keys without an expiration are read again when the shared
 * files change. Needs `@aws-sdk/credential-provider-node`, an optional peer dependency that is imported on first use.
 * It sends its own HTTP requests.
 *
 * @example
 * ```ts
 * const credentials = fromNodeProviderChain({ profile: 'dev' })
 * ```
 * @throws ConfigurationError if `env` is combined with options that a worker cannot take. The call rejects with a
 *   CredentialsError that has the real cause first, and the command to run, if any.
 * @see https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/setting-credentials-node.html
 */
export function fromNodeProviderChain(options: NodeProviderChainOptions = {}): CredentialProvider {
  assertOptions(options, '', optionNames)
  const { refreshAhead, refreshBlocking, lifetime, backoff, clock = systemClock } = options
  const keeping = { refreshAhead, refreshBlocking, lifetime, backoff, clock }
  if (options.env && (options.mfaCode || options.clientConfig || options.loader)) {
    throw new ConfigurationError('env cannot be combined with mfaCode, clientConfig or loader', {
      hint: "With its own environment, AWS's chain runs in a worker, which takes no functions.",
    })
  }
  let expires = false
  const read = async (request: CredentialProviderOptions = {}): Promise<AwsCredentialIdentity> => {
    const identity = await ask(options, request)
    expires = identity.expiration !== undefined
    return identity
  }
  let resolve = cached(read, keeping)
  let seen: string | undefined
  let looked = Number.NEGATIVE_INFINITY

  return markCached(async (request = {}) => {
    // Checking two files is cheap, but not free.
    if (clock.now() - looked < 1000) return resolve(request)
    looked = clock.now()
    const before = seen
    seen = await fingerprint(options)
    if (before === undefined || before === seen || expires) return resolve(request)
    // A file may be half-written, so the old keys stay until there are new ones.
    const anew = cached(read, keeping)
    const renewed = anew({ ...request, signal: undefined }).then(
      (identity) => {
        resolve = anew
        return identity
      },
      () => resolve(request),
    )
    return raceSignal(renewed, request.signal)
  })
}

async function ask(
  options: NodeProviderChainOptions,
  request: CredentialProviderOptions,
): Promise<AwsCredentialIdentity> {
  const {
    profile,
    filepath,
    configFilepath,
    env,
    packageFolder,
    mfaCode,
    clientConfig,
    timeout = 60_000,
    clock = systemClock,
  } = options
  const ending = new AbortController()
  const listener = listen(request.logger)
  const region = options.region ?? request.region
  // Not `clientConfig`, which would override the Region of the profile and of its SSO session.
  const callerClientConfig = { ...clientConfig, ...(region !== undefined && { region: async () => region }) }
  try {
    const { defaultProvider } =
      env && differsFromProcess(env)
        ? chainInWorker(env, ending.signal, packageFolder)
        : await (options.loader?.() ?? load(packageFolder))
    // A chain caches its result and the files that it read. `cached` asks when these are no longer good.
    const chain = defaultProvider({
      ...(profile !== undefined && { profile }),
      ...(filepath !== undefined && { filepath }),
      ...(configFilepath !== undefined && { configFilepath }),
      ...(mfaCode && { mfaCodeProvider: async (serial: string) => mfaCode(serial) }),
      ...(clientConfig && { clientConfig }),
      ignoreCache: true,
      logger: listener.logger,
    } as never)
    const identity = await within(chain({ callerClientConfig } as never), timeout, clock, () => foundNothing(timeout))
    const { accessKeyId, secretAccessKey, sessionToken, expiration, accountId } = identity
    const link = listener.link()
    // AWS's chain falls back to the machine's role if a named profile is broken.
    if (isNamed(options) && (link === 'fromTokenFile' || link === 'remoteProvider'))
      throw new Error(`${exhausted}: the profile has none`)
    const source = await sourceOf(identity, link, options)
    return { accessKeyId, secretAccessKey, sessionToken, expiration, accountId, source }
  } catch (error) {
    if (isBedrockError(error)) throw error
    throw isMissing(error) ? notInstalled(error) : await failure(error as Error, options, listener.reason())
  } finally {
    ending.abort()
  }
}

async function load(packageFolder: string | undefined): Promise<CredentialProviderNode> {
  // Concatenated at run time, so that bundlers neither look for the package nor include it.
  const name = packageName.split('/').join('/')
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as CredentialProviderNode
  } catch (cause) {
    if (!isMissing(cause)) throw unusable(`${packageName} cannot be loaded: ${(cause as Error).message}`, cause)
  }
  // A program that was installed alone, as by `npx`, has no other package next to it.
  const url = locatePackage(packageFolder)
  const { default: all, defaultProvider = all.defaultProvider } = (await import(
    /* webpackIgnore: true */ /* @vite-ignore */ url
  )) as CredentialProviderNode & { readonly default: CredentialProviderNode }
  return { defaultProvider }
}

/** Tests whether an error means that a package is not installed. */
export function isMissing(error: unknown): boolean {
  return /^(ERR_)?MODULE_NOT_FOUND$/.test((error as NodeJS.ErrnoException | undefined)?.code ?? '')
}

function notInstalled(cause: unknown): CredentialsError {
  return unusable(`${packageName} is not installed; profiles, SSO, roles and metadata services need it`, cause)
}

function unusable(message: string, cause: unknown): CredentialsError {
  const command = `npm install ${packageName}`
  const hint = `Run \`${command}\`, set AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID, or pass \`credentials\`.`
  return new CredentialsError(message, { cause, tryNextLink: true, command, hint })
}

interface Listener {
  readonly logger: Logger & { trace(): void }
  /** The last link of the chain that was asked. */
  link(): string | undefined
  /** Why the profile had no credentials. */
  reason(): string | undefined
}

// Only the chain's log says which link answered, and why the others did not.
function listen(logger: Logger | undefined): Listener {
  let link: string | undefined
  let reason: string | undefined
  const debug = (message: unknown): void => {
    link = /defaultProvider::(\w+)$/.exec(String(message))?.[1] ?? link
    const [, said] = /^@smithy\/property-provider (?:->|\(!\)) (.*)$/s.exec(String(message)) ?? []
    if (link === 'fromIni' && said) reason ??= said
  }
  const ignore = (): void => {}
  const warn = (message: unknown): void => logger?.warn(redact(String(message).trim()))
  const listening = { debug, warn, info: ignore, error: ignore, trace: ignore }
  return { logger: listening, link: () => link, reason: () => reason }
}

function foundNothing(timeout: number): CredentialsError {
  return new CredentialsError(`AWS's credential chain found nothing within ${timeout} ms`, {
    hint: 'A credential_process or a metadata service may hang. Run `aws sts get-caller-identity` to check, or raise `timeout`.',
  })
}

// The AWS SDK marks most identities with their source.
const markers: readonly (readonly [marker: string, name: string])[] = [
  ['CREDENTIALS_STS_ASSUME_ROLE_WEB_ID', 'web-identity'],
  ['CREDENTIALS_STS_ASSUME_ROLE', 'assume-role'],
  ['CREDENTIALS_SSO', 'sso'],
  ['CREDENTIALS_SSO_LEGACY', 'sso'],
  ['CREDENTIALS_PROFILE_LOGIN', 'login'],
  ['CREDENTIALS_PROCESS', 'process'],
  ['CREDENTIALS_HTTP', 'container'],
]
const links: Readonly<Record<string, string>> = {
  fromEnv: 'environment',
  fromIni: 'profile',
  fromProcess: 'process',
  fromTokenFile: 'web-identity',
  remoteProvider: 'instance-metadata',
}

async function sourceOf(identity: object, link: string | undefined, files: SharedFiles): Promise<IdentitySource> {
  const { $source = {} } = identity as { $source?: Readonly<Record<string, string>> }
  const name = markers.find(([marker]) => marker in $source)?.[1] ?? links[link ?? ''] ?? 'chain'
  if (link !== 'fromIni' && link !== 'fromProcess') return { name }
  // The command to run if Bedrock refuses them.
  const command = /^(sso|login|assume-role)$/.test(name) ? await loginCommand(files) : undefined
  return { name, profile: profileName(files), ...(command !== undefined && { command }) }
}

const exhausted = 'Could not load credentials from any providers'

const isNamed = ({ profile, env }: SharedFiles): boolean => (profile ?? variable('AWS_PROFILE', env)) !== undefined

async function failure(error: Error, files: SharedFiles, reason: string | undefined): Promise<CredentialsError> {
  const { name, message } = error
  const isExhausted = message.startsWith(exhausted)
  const isSetUp = Object.keys(await readProfile(files)).some((key) =>
    /^(aws_|role_|sso_|login_|web_identity_|credential_|source_)/.test(key),
  )
  if (isExhausted && !isNamed(files) && !isSetUp) {
    return new CredentialsError(
      'No source has credentials: environment, shared files, web identity, container and instance metadata were tried',
      {
        tryNextLink: true,
        hint: 'Run `aws configure`, `aws login` or `aws sso login`, set AWS_BEARER_TOKEN_BEDROCK, or pass `credentials`.',
      },
    )
  }
  // The command line of a credential_process may contain a secret.
  const said = redact(
    ((isExhausted ? reason : undefined) ?? message).replace(/^Command failed: .*\n?/, 'credential_process failed: '),
  ).trim()
  const profile = profileName(files)
  const isOfProfile = isNamed(files) || isSetUp
  const needsLogin = /\blogin\b|expired|authenticate|unauthorized|session token/i.test(said)
  const command = needsLogin ? await loginCommand(files) : undefined
  const place = isOfProfile ? `Check the profile ${profile} in ~/.aws/config and ~/.aws/credentials, and try` : 'Try'
  return new CredentialsError(isOfProfile ? `${said} (profile ${profile})` : said, {
    // The original may quote what `redact` removed.
    cause: Object.assign(new Error(isExhausted ? message : said), { name }),
    command,
    hint: command ? `Run \`${command}\`.` : `${place} \`aws sts get-caller-identity\`.`,
  })
}

/** Returns the command that logs in to a profile, or to the one that its role is assumed from. */
async function loginCommand(files: SharedFiles): Promise<string | undefined> {
  const visited = new Set<string>()
  let profile: string | undefined = profileName(files)
  while (profile !== undefined && !visited.has(profile)) {
    visited.add(profile)
    const keys: Readonly<Record<string, string>> = await readProfile({ ...files, profile })
    const flag = /^[\w.@/-]+$/.test(profile) ? profile : JSON.stringify(profile)
    const suffix = profile === 'default' ? '' : ` --profile ${flag}`
    if (keys.sso_session || keys.sso_start_url) return `aws sso login${suffix}`
    if (keys.login_session) return `aws login${suffix}`
    profile = keys.source_profile
  }
  return undefined
}
