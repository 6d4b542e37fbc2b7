import { ConfigurationError, CredentialsError, isBedrockError } from '../../core/errors.ts'
import { assertOptions } from '../../core/internal/assert-options.ts'
import { type CachedOptions, cached, markCached } from '../../core/internal/cached-provider.ts'
import { env as variable } from '../../core/internal/env.ts'
import { redact } from '../../core/internal/redact.ts'
import { raceSignal, systemClock } from '../../core/internal/signal.ts'
import type {
  AwsCredentialIdentity,
  Clock,
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
   * The environment of the whole chain, and of the commands that it starts. AWS's package reads the process's own and no
   * other, so with any other one it runs in a worker; `mfaCode`, `clientConfig` and `loader` cannot go with it there.
   *
   * @default the process's own
   */
  readonly env?: SharedFiles['env']
  /** For STS and the like, where the profile names none. @default the client's region */
  readonly region?: string | undefined
  /** Gives the code of an MFA device, for a profile with `mfa_serial`. */
  readonly mfaCode?: ((serial: string) => string | Promise<string>) | undefined
  /**
   * Configuration of the AWS clients that ask STS, SSO and the sign-in service: a `requestHandler` for a proxy, say.
   *
   * @see https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/node-configuring-proxies.html
   */
  readonly clientConfig?: Readonly<Record<string, unknown>> | undefined
  /** How long finding credentials may take, in milliseconds, a person's answer included. @default 60_000 */
  readonly timeout?: number | undefined
  /**
   * A folder to look for AWS's package in, after the places of this package and of the program: what is installed there
   * is run.
   */
  readonly packageFolder?: string | undefined
  /**
   * Gives AWS's package, for a bundle that is to have it inside.
   *
   * @default imports `@aws-sdk/credential-provider-node`, unseen by bundlers
   * @example `() => import('@aws-sdk/credential-provider-node')`
   */
  readonly loader?: (() => Promise<CredentialProviderNode>) | undefined
}

const optionNames =
  'profile filepath configFilepath env region mfaCode clientConfig timeout packageFolder loader refreshAhead refreshBlocking lifetime backoff clock'

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
 * @throws ConfigurationError for an `env` beside what cannot go into a worker; the call rejects with a CredentialsError
 *   that has the real cause first, and the command to run where there is one.
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
    // A look at two files costs less than a signature, but not nothing.
    if (clock.now() - looked < 1000) return resolve(request)
    looked = clock.now()
    const before = seen
    seen = await fingerprint(options)
    if (before === undefined || before === seen || expires) return resolve(request)
    // A file may be read half written: what was held is let go of only once there is something in its place.
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
  // Not as `clientConfig`: there it would win over the region of the profile, and over that of its SSO session.
  const callerClientConfig = { ...clientConfig, ...(region !== undefined && { region: async () => region }) }
  try {
    const { defaultProvider } =
      env && differsFromProcess(env)
        ? chainInWorker(env, ending.signal, packageFolder)
        : await (options.loader?.() ?? load(packageFolder))
    // A chain keeps what it found, and the files that it read. `cached` asks when neither will do any more.
    const chain = defaultProvider({
      ...(profile !== undefined && { profile }),
      ...(filepath !== undefined && { filepath }),
      ...(configFilepath !== undefined && { configFilepath }),
      ...(mfaCode && { mfaCodeProvider: async (serial: string) => mfaCode(serial) }),
      ...(clientConfig && { clientConfig }),
      ignoreCache: true,
      logger: listener.logger,
    } as never)
    const identity = await within(chain({ callerClientConfig } as never), timeout, clock)
    const { accessKeyId, secretAccessKey, sessionToken, expiration, accountId } = identity
    const link = listener.link()
    // A profile that was asked for by name and is broken: AWS's chain goes on to the machine's own role.
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
  // Put together at run time, so that a bundler neither looks for the package nor packs it.
  const name = packageName.split('/').join('/')
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as CredentialProviderNode
  } catch (cause) {
    if (!isMissing(cause)) throw unusable(`${packageName} cannot be loaded: ${(cause as Error).message}`, cause)
  }
  // Beside a program that was installed for itself, such as by `npx`, there is no other package.
  const url = locatePackage(packageFolder)
  const { default: all, defaultProvider = all.defaultProvider } = (await import(
    /* webpackIgnore: true */ /* @vite-ignore */ url
  )) as CredentialProviderNode & { readonly default: CredentialProviderNode }
  return { defaultProvider }
}

/** Whether an error is that a package is not installed. */
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
  /** Which link of the chain was asked last. */
  link(): string | undefined
  /** Why the profile gave nothing. */
  reason(): string | undefined
}

// The chain keeps to itself who answered, and why the others did not, but for its log.
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

async function within<T>(promise: Promise<T>, timeout: number, clock: Clock): Promise<T> {
  let handle: unknown
  const limit = new Promise<never>((_, reject) => {
    handle = clock.setTimeout(
      () =>
        reject(
          new CredentialsError(`AWS's credential chain found nothing within ${timeout} ms`, {
            hint: 'A credential_process or a metadata service may hang. Run `aws sts get-caller-identity` to check, or raise `timeout`.',
          }),
        ),
      timeout,
    )
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clock.clearTimeout(handle)
  }
}

// The AWS SDK marks most identities with what made them.
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
  // What there is to run once Bedrock refuses them.
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
  // The command line of a credential_process may hold a secret.
  const said = redact(
    ((isExhausted ? reason : undefined) ?? message).replace(/^Command failed: .*\n?/, 'credential_process failed: '),
  ).trim()
  const profile = profileName(files)
  const isOfProfile = isNamed(files) || isSetUp
  const needsLogin = /\blogin\b|expired|authenticate|unauthorized|session token/i.test(said)
  const command = needsLogin ? await loginCommand(files) : undefined
  const place = isOfProfile ? `Check the profile ${profile} in ~/.aws/config and ~/.aws/credentials, and try` : 'Try'
  return new CredentialsError(isOfProfile ? `${said} (profile ${profile})` : said, {
    // The original may quote what `redact` took out.
    cause: Object.assign(new Error(isExhausted ? message : said), { name }),
    command,
    hint: command ? `Run \`${command}\`.` : `${place} \`aws sts get-caller-identity\`.`,
  })
}

/** What logs in to a profile, or to the one that its role is assumed from. */
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
