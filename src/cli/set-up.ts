import process from 'node:process'
import {
  type BedrockClient,
  type BedrockClientOptions,
  ConfigurationError,
  createBedrockClient,
  type CredentialProvider,
} from 'outcrop'
import type { CheckResult } from 'outcrop/diagnostics'
import { explainSettings, type Settings } from 'outcrop/settings'
import { clientOptionsOf, loadSettings } from 'outcrop/settings/node'
import { defaultCredentials, profileRegion } from '#default-credentials'
import { type Flags, text } from './command.ts'

/** What the flags, the settings of Claude Code and the surroundings come to. */
export interface SetUp {
  readonly client: BedrockClient
  readonly region: string
  readonly regionSource: string
  /** Left out where a gateway signs. */
  readonly credentials: CredentialProvider | undefined
  readonly endpoint: BedrockClientOptions['endpoint']
  /** The names that are configured: `default`, `small`, pins, overrides. */
  readonly models: readonly string[]
  readonly guardrail: { readonly identifier: string; readonly version: string } | undefined
  /** What was found of settings. */
  readonly settings: readonly CheckResult[]
}

/**
 * Makes a client of the command line's flags, then the settings of Claude Code where they select Bedrock, then the
 * environment. A project's own settings run no command: this is for looking at a set-up.
 *
 * @throws ConfigurationError without a region, and for settings that are wrong
 */
export async function setUp(flags: Flags): Promise<SetUp> {
  const profile = text(flags, 'profile')
  // The chain reads the variable, and so do commands that it starts.
  if (profile) process.env.AWS_PROFILE = profile
  const settings = await loadSettings()
  const isConfigured = settings.env.CLAUDE_CODE_USE_BEDROCK !== undefined
  const configured = isConfigured ? await clientOptionsOf(settings) : {}
  const [region, regionSource] = await findRegion(flags, configured.region)
  const endpoint = text(flags, 'endpoint') ?? configured.endpoint
  const credentials = configured.credentials ?? defaultCredentials()
  const client = createBedrockClient({ ...configured, region, credentials, endpoint })
  const headers = new Headers(configured.headers)
  const [identifier, version] = ['identifier', 'version'].map(
    (part) => headers.get(`x-amzn-bedrock-guardrail${part}`) ?? undefined,
  )
  return {
    client,
    region,
    regionSource,
    credentials: providerOf(credentials),
    endpoint,
    models: isConfigured ? modelsOf(settings) : ['default', 'small'],
    guardrail: identifier && version ? { identifier, version } : undefined,
    settings: isConfigured ? describe(settings) : [],
  }
}

function providerOf(
  credentials: Exclude<BedrockClientOptions['credentials'], undefined>,
): CredentialProvider | undefined {
  if (credentials === 'none') return undefined
  return typeof credentials === 'function' ? credentials : async () => credentials
}

async function findRegion(flags: Flags, configured: string | undefined): Promise<[region: string, source: string]> {
  const flag = text(flags, 'region')
  if (flag) return [flag, '--region']
  if (configured) return [configured, 'the settings']
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) {
    const value = process.env[name]?.trim()
    if (value) return [value, name]
  }
  const ofProfile = await profileRegion()
  if (ofProfile) return [ofProfile, `the profile ${process.env.AWS_PROFILE ?? 'default'}`]
  throw new ConfigurationError('No AWS region is set', {
    hint: 'Pass --region, or set AWS_REGION or AWS_DEFAULT_REGION, or a region in the AWS profile.',
  })
}

function modelsOf({ env, modelOverrides }: Settings): string[] {
  const pinned = ['opus', 'sonnet', 'haiku', 'fable'].filter(
    (family) => env[`ANTHROPIC_DEFAULT_${family.toUpperCase()}_MODEL`],
  )
  return ['default', 'small', ...pinned, ...Object.keys(modelOverrides?.value ?? {})]
}

function describe(settings: Settings): CheckResult[] {
  return explainSettings(settings).settings.map(({ key, value, source, overrode }) => ({
    check: 'setting',
    subject: key,
    status: 'ok',
    message: `${value}, from ${source.path ?? 'the environment'}${overrode.length > 0 ? '; over another value' : ''}`,
  }))
}
