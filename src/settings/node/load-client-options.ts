import process from 'node:process'
import type { BedrockClientOptions } from '../../client.ts'
import { ConfigurationError } from '../../core/errors.ts'
import type { CredentialProvider } from '../../core/types.ts'
import { fromEnvironment } from '../../credentials/environment.ts'
import { withAuthRefresh } from '../../credentials/node/auth-refresh.ts'
import { fromCommand } from '../../credentials/node/command.ts'
import { fromNodeProviderChain } from '../../credentials/node/node-provider-chain.ts'
import { readProfile, type SharedFiles } from '../../credentials/node/shared-files.ts'
import { regionOf, toClientOptions } from '../client-options.ts'
import { describeSource, type Settings } from '../settings.ts'
import { environmentOf } from '../values.ts'
import { type LoadSettingsOptions, loadSettings } from './load-settings.ts'

/** Options of {@link loadClientOptions}. */
export interface LoadClientOptionsOptions extends LoadSettingsOptions {
  /** Shown what `awsAuthRefresh` prints, line by line. @default stderr */
  readonly onOutput?: ((line: string) => void) | undefined
}

/**
 * Reads the settings of Claude Code and turns them into the options of a client.
 *
 * @example
 * ```ts
 * const bedrock = createBedrockClient(await loadClientOptions())
 * ```
 * @throws ConfigurationError as `loadSettings` and `toClientOptions` do, and for a variable in a file that AWS's chain
 *   reads from the process's own environment and nowhere else.
 */
export async function loadClientOptions(options: LoadClientOptionsOptions = {}): Promise<BedrockClientOptions> {
  return clientOptionsOf(await loadSettings(options), options)
}

/** The options of a client, of settings that were loaded or made before. */
export async function clientOptionsOf(
  settings: Settings,
  { onOutput }: Pick<LoadClientOptionsOptions, 'onOutput'> = {},
): Promise<BedrockClientOptions> {
  const env = environmentOf(settings)
  const files: SharedFiles = {
    profile: env.AWS_PROFILE,
    filepath: env.AWS_SHARED_CREDENTIALS_FILE,
    configFilepath: env.AWS_CONFIG_FILE,
  }
  const options = toClientOptions(settings, credentialsOf(settings, env, files, onOutput))
  return { ...options, region: options.region ?? ((await readProfile(files)).region || undefined) }
}

function credentialsOf(
  settings: Settings,
  env: Readonly<Record<string, string>>,
  files: SharedFiles,
  onOutput: ((line: string) => void) | undefined,
): CredentialProvider {
  const { awsAuthRefresh, awsCredentialExport } = settings
  // An API key needs neither a profile nor a command.
  if (env.AWS_BEARER_TOKEN_BEDROCK) return fromEnvironment(env)
  const provider = awsCredentialExport
    ? fromCommand(awsCredentialExport.value, { env })
    : env.AWS_ACCESS_KEY_ID && !env.AWS_PROFILE
      ? fromEnvironment(env)
      : chainOf(settings, files)
  return awsAuthRefresh ? withAuthRefresh(provider, awsAuthRefresh.value, { env, onOutput }) : provider
}

// AWS's chain reads these from the process's environment, and takes them by no option.
const ambientOnly =
  /^AWS_(ROLE_ARN|ROLE_SESSION_NAME|WEB_IDENTITY_TOKEN_FILE|CONTAINER_.*|EC2_METADATA_.*|LOGIN_CACHE_DIRECTORY|ENDPOINT_URL_(STS|SSO.*|SIGNIN))$/

function chainOf(settings: Settings, files: SharedFiles): CredentialProvider {
  for (const [name, { value, source }] of Object.entries(settings.env)) {
    if (source.kind === 'environment' || !ambientOnly.test(name) || process.env[name] === value) continue
    throw new ConfigurationError(`${name} in ${describeSource(source)} does not reach AWS’s credential chain`, {
      hint: 'The chain reads it from the environment of the process: set it there.',
    })
  }
  return fromNodeProviderChain({ ...files, region: regionOf(settings) })
}
