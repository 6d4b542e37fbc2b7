import process from 'node:process'
import {
  type BedrockClient,
  type BedrockClientOptions,
  ConfigurationError,
  createBedrockClient,
  type CredentialProvider,
  isBedrockError,
} from 'outcrop'
import type { CheckResult } from 'outcrop/diagnostics'
import { explainSettings, mergeSettings, type Settings, settingsFromEnvironment } from 'outcrop/settings'
import { clientOptionsOf, loadSettings } from 'outcrop/settings/node'
import { defaultCredentials, profileRegion } from '#default-credentials'
import { isRegion } from '../core/internal/region.ts'
import { families } from '../models/families.ts'
import { type Flags, text } from './command.ts'

/** The combined flags, settings of Claude Code and environment. */
export interface Setup {
  readonly client: BedrockClient
  readonly region: string
  readonly regionSource: string
  /** Left out for a gateway that signs. */
  readonly credentials: CredentialProvider | undefined
  readonly endpoint: BedrockClientOptions['endpoint']
  /** The merged variables. */
  readonly env: BedrockClientOptions['env']
  /** The configured names: `default`, `small`, pins, overrides, fallbacks. */
  readonly models: readonly string[]
  readonly guardrail: { readonly identifier: string; readonly version: string } | undefined
  /** The pinned families; left out if no settings select Bedrock. */
  readonly pinned: readonly string[] | undefined
  /** Rows about the settings. */
  readonly settings: readonly CheckResult[]
}

/** A setup that may have no Region. */
export type PartialSetup = Omit<Setup, 'region' | 'regionSource'> & Partial<Pick<Setup, 'region' | 'regionSource'>>

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Creates a client from the command line's flags, then the settings of Claude Code if they select Bedrock, then the
 * environment. A project's own settings run no command, except with `--trust-project`, because this only inspects a
 * setup.
 *
 * @throws ConfigurationError without a Region, and for invalid settings
 */
export async function loadSetup(flags: Flags): Promise<Setup> {
  const { region, regionSource, ...set } = await inspectSetup(flags)
  if (region !== undefined && regionSource !== undefined) return { region, regionSource, ...set }
  throw new ConfigurationError('No AWS Region is set', {
    hint: 'Pass --region, or set AWS_REGION or AWS_DEFAULT_REGION, or a Region in the AWS profile.',
  })
}

/**
 * Like {@link loadSetup}, but works without a Region, and skips invalid files and settings.
 *
 * @param onTrouble - receives each error. @default throws it
 */
export async function inspectSetup(
  flags: Flags,
  onTrouble?: (error: ConfigurationError) => void,
): Promise<PartialSetup> {
  const profile = text(flags, 'profile')
  const asked = { ...(profile && { AWS_PROFILE: profile }) }
  let env: Environment = { ...process.env, ...asked }
  const trustProject = flags['trust-project'] === true
  const loaded = await loadSettings({ env, trustProject, onError: onTrouble })
  // A flag wins over a file.
  let settings = mergeSettings(loaded, settingsFromEnvironment(asked))
  for (;;) {
    try {
      return await setupOf(settings, flags, env)
    } catch (error) {
      const name = onTrouble && isBedrockError(error, 'configuration') ? settingIn(error.message, settings) : undefined
      if (name === undefined) throw error
      onTrouble?.(error as ConfigurationError)
      settings = withoutSetting(settings, name)
      env = without(env, name)
    }
  }
}

async function setupOf(settings: Settings, flags: Flags, env: Environment): Promise<PartialSetup> {
  // Users run this command in their project, and install AWS's package there.
  const packageFolder = process.cwd()
  const isConfigured = settings.env.CLAUDE_CODE_USE_BEDROCK !== undefined
  const configured = isConfigured ? await clientOptionsOf(settings, { packageFolder }) : {}
  const [region, regionSource] = await findRegion(flags, env, settings, configured.region)
  const endpoint = text(flags, 'endpoint') ?? configured.endpoint
  const variables = configured.env ?? env
  const credentials = configured.credentials ?? defaultCredentials(variables, packageFolder)
  const client = createBedrockClient({ ...configured, env: variables, region, credentials, endpoint })
  const headers = new Headers(configured.headers)
  const [identifier, version] = ['identifier', 'version'].map(
    (part) => headers.get(`x-amzn-bedrock-guardrail${part}`) ?? undefined,
  )
  return {
    client,
    ...(region !== undefined && regionSource !== undefined && { region, regionSource }),
    credentials: providerOf(credentials),
    endpoint,
    env: variables,
    models: isConfigured ? modelsOf(settings) : ['default', 'small'],
    guardrail: identifier && version ? { identifier, version } : undefined,
    pinned: isConfigured ? pinnedIn(settings) : undefined,
    settings: isConfigured ? describe(settings) : [],
  }
}

/** The setting that an error is about: it names it before anything else that might be one, such as a part of a path. */
function settingIn(message: string, { env, ...keys }: Settings): string | undefined {
  return message.split(/\W+/).find((word) => Object.hasOwn(env, word) || Object.hasOwn(keys, word))
}

function withoutSetting({ env, ...keys }: Settings, name: string): Settings {
  return { ...without(keys, name), env: without(env, name) }
}

function without<Members extends object>(members: Members, name: string): Members {
  return Object.fromEntries(Object.entries(members).filter(([key]) => key !== name)) as Members
}

function providerOf(
  credentials: Exclude<BedrockClientOptions['credentials'], undefined>,
): CredentialProvider | undefined {
  if (credentials === 'none') return undefined
  return typeof credentials === 'function' ? credentials : async () => credentials
}

async function findRegion(
  flags: Flags,
  env: Environment,
  settings: Settings,
  configured: string | undefined,
): Promise<[region?: string, source?: string]> {
  const flag = text(flags, 'region')
  if (flag) return [flag, '--region']
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) {
    const value = configured === undefined ? env[name]?.trim() : settings.env[name]?.value
    const path = configured === undefined ? undefined : settings.env[name]?.source.path
    const place = path ? `${name} in ${path}` : name
    if (value && !isRegion(value)) throw new ConfigurationError(`${place} is not an AWS Region, such as us-east-1`)
    if (value) return [value, place]
  }
  const profile = settings.env.AWS_PROFILE?.value ?? env.AWS_PROFILE ?? 'default'
  const ofProfile = configured ?? (await profileRegion(env))
  return ofProfile ? [ofProfile, `the profile ${profile}`] : []
}

function modelsOf(settings: Settings): string[] {
  const { fallbackModel, modelOverrides } = settings
  const names = ['default', 'small', ...pinnedIn(settings), ...Object.keys(modelOverrides?.value ?? {})]
  return [...new Set([...names, ...(fallbackModel?.value.slice(0, 3) ?? [])])]
}

function pinnedIn({ env }: Settings): string[] {
  return families.filter(
    (family) =>
      env[`ANTHROPIC_DEFAULT_${family.toUpperCase()}_MODEL`] || (family === 'haiku' && env.ANTHROPIC_SMALL_FAST_MODEL),
  )
}

function describe(settings: Settings): CheckResult[] {
  const { settings: effective, ignored } = explainSettings(settings)
  const place = ({ path }: { readonly path?: string | undefined }): string => path ?? 'the environment'
  // Many settings may be ignored for the same reason, such as an untrusted project.
  const reasons = new Map<
    string,
    { readonly keys: string[]; readonly from: string; readonly because: string; readonly untrusted: boolean }
  >()
  for (const { key, source, because } of ignored) {
    const from = place(source)
    const row = reasons.get(from + because) ?? { keys: [], from, because, untrusted: source.untrusted === true }
    row.keys.push(key)
    reasons.set(from + because, row)
  }
  return [
    ...effective.map(
      ({ key, value, source, overrode }): CheckResult => ({
        check: 'setting',
        subject: key,
        status: 'ok',
        message: `${value}, from ${place(source)}${overrode.length > 0 ? '; over another value' : ''}`,
      }),
    ),
    ...[...reasons.values()].map(
      ({ keys, from, because, untrusted }): CheckResult => ({
        check: 'settings',
        subject: from,
        status: 'note',
        message: `${keys.join(', ')} ${keys.length > 1 ? 'are' : 'is'} ignored, because ${because}`,
        next: untrusted && /not trusted/.test(because) ? 'If you trust the project, pass --trust-project.' : undefined,
      }),
    ),
  ]
}
