import type { BedrockClientOptions } from '../../client.ts'
import { assertOptions } from '../../core/internal/assert-options.ts'
import type { CredentialProvider } from '../../core/types.ts'
import { environmentFirst } from '../../credentials/environment-first.ts'
import { fromEnvironment } from '../../credentials/environment.ts'
import { withAuthRefresh } from '../../credentials/node/auth-refresh.ts'
import { fromCommand } from '../../credentials/node/command.ts'
import { fromNodeProviderChain } from '../../credentials/node/node-provider-chain.ts'
import { readProfile } from '../../credentials/node/shared-files.ts'
import { regionOf, toClientOptions } from '../client-options.ts'
import type { Settings } from '../settings.ts'
import { environmentOf, flag, whole } from '../values.ts'
import { apiKeyHelper } from './api-key-helper.ts'
import { fetchWithCertificate } from './client-certificate.ts'
import { type LoadSettingsOptions, loadSettings, loadSettingsOptionNames } from './load-settings.ts'

/** Options of {@link loadClientOptions}. */
export interface LoadClientOptionsOptions extends LoadSettingsOptions {
  /** Receives the output of `awsAuthRefresh`, line by line. @default stderr */
  readonly onOutput?: ((line: string) => void) | undefined
  /** A folder in which to look for AWS's package, as for `fromNodeProviderChain`. */
  readonly packageFolder?: string | undefined
}

const ownOptionNames = 'onOutput packageFolder'

/**
 * Reads the settings of Claude Code and turns them into the options of a client.
 *
 * @example
 * ```ts
 * const bedrock = createBedrockClient(await loadClientOptions())
 * ```
 * @throws ConfigurationError as `loadSettings` and `toClientOptions` do.
 */
export async function loadClientOptions(options: LoadClientOptionsOptions = {}): Promise<BedrockClientOptions> {
  assertOptions(options, '', `${loadSettingsOptionNames} ${ownOptionNames}`)
  const { onOutput, packageFolder, ...files } = options
  return clientOptionsOf(await loadSettings(files), { onOutput, packageFolder })
}

/** Returns the options of a client, from settings that are already loaded. */
export async function clientOptionsOf(
  settings: Settings,
  given: Pick<LoadClientOptionsOptions, 'onOutput' | 'packageFolder'> = {},
): Promise<BedrockClientOptions> {
  assertOptions(given, '', ownOptionNames)
  const { onOutput, packageFolder } = given
  const env = environmentOf(settings)
  const options = toClientOptions(settings, credentialsOf(settings, env, onOutput, packageFolder))
  const fetch = await fetchWithCertificate(settings)
  return {
    ...options,
    region: options.region ?? ((await readProfile({ env })).region || undefined),
    ...(fetch && { fetch }),
  }
}

function credentialsOf(
  settings: Settings,
  env: Readonly<Record<string, string>>,
  onOutput: ((line: string) => void) | undefined,
  packageFolder: string | undefined,
): CredentialProvider | undefined {
  if (flag(settings, 'CLAUDE_CODE_SKIP_BEDROCK_AUTH')) {
    const lifetime = whole(settings, 'CLAUDE_CODE_API_KEY_HELPER_TTL_MS', 0, 2_147_483_647) ?? 300_000
    return settings.apiKeyHelper && apiKeyHelper(settings.apiKeyHelper.value, { env, lifetime })
  }
  const { awsAuthRefresh, awsCredentialExport } = settings
  // An API key needs neither a profile nor a command.
  if (env.AWS_BEARER_TOKEN_BEDROCK) return fromEnvironment(env)
  const timeout = whole(settings, 'CLAUDE_CODE_AWS_CHAIN_RESOLVE_TIMEOUT_MS', 1, 2_147_483_647)
  const provider = awsCredentialExport
    ? fromCommand(awsCredentialExport.value, { env })
    : environmentFirst(fromNodeProviderChain({ env, region: regionOf(settings), timeout, packageFolder }), env)
  return awsAuthRefresh ? withAuthRefresh(provider, awsAuthRefresh.value, { env, onOutput }) : provider
}
