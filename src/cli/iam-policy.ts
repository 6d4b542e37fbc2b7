import { ConfigurationError, isBedrockError } from 'outcrop'
import {
  broadIamPolicy,
  getCallerIdentity,
  iamDestinations,
  type IamFeature,
  iamFeatures,
  iamPolicy,
  toTerraform,
} from 'outcrop/diagnostics'
import { discoverInferenceProfiles, type InferenceProfile } from 'outcrop/models'
import { unsignedFetch } from '../core/internal/http.ts'
import { clientFlags, clientUsage, type Command, parseGuardrail, list, text, UsageError } from './command.ts'
import { type Setup, loadSetup } from './setup.ts'
import type { Terminal } from './terminal.ts'

export const iamPolicyCommand: Command = {
  summary: 'prints a least-privilege IAM policy',
  usage: [
    '--from-settings   use the models, features and guardrail in the settings of Claude Code',
    '--models A,B      names, IDs or ARNs; default: default, small',
    '--features A,B    of stream, count, discovery, guardrail, marketplace, api-key, quotas;',
    '                  default: stream, count',
    '--guardrail ID[:V]  the guardrail that every call must use',
    "--account ID      the account; else the credentials' own",
    '--format F        json or terraform',
    "--broad           print the setup page's policy instead: every model, every profile",
    ...clientUsage,
  ],
  options: {
    ...clientFlags,
    'from-settings': { type: 'boolean' },
    models: { type: 'string' },
    features: { type: 'string' },
    guardrail: { type: 'string' },
    account: { type: 'string' },
    format: { type: 'string' },
    broad: { type: 'boolean' },
  },
  async run(flags, terminal) {
    const format = text(flags, 'format') ?? 'json'
    if (format !== 'json' && format !== 'terraform') throw new UsageError('--format must be json or terraform.')
    const asked = list(flags, 'features')
    const unknown = asked?.find((feature) => !(iamFeatures as readonly string[]).includes(feature))
    if (unknown !== undefined)
      throw new UsageError(
        `--features: unknown feature ${JSON.stringify(unknown)}; known features: ${iamFeatures.join(', ')}.`,
      )
    const given = text(flags, 'account')
    if (given !== undefined && !/^\d{12}$/.test(given)) throw new UsageError('--account must be 12 digits.')
    const print = (policy: typeof broadIamPolicy): number => {
      terminal.print(format === 'json' ? JSON.stringify(policy, null, 2) : toTerraform(policy).trimEnd())
      return 0
    }
    if (flags.broad) return print(broadIamPolicy)

    const set = await loadSetup(flags)
    if (flags['from-settings'] && set.pinned === undefined) {
      throw new ConfigurationError('The settings do not select Bedrock: CLAUDE_CODE_USE_BEDROCK is not set', {
        hint: 'Set it in the environment or in a settings file, or pass --models.',
      })
    }
    const account = given ?? (await accountOf(set))
    const names = list(flags, 'models') ?? set.models
    const models = await Promise.all(names.map((name) => set.client.models.resolve(name)))
    const guardrail = text(flags, 'guardrail')
    const needed = guardrail ? parseGuardrail(guardrail) : flags['from-settings'] ? set.guardrail : undefined
    const regions = [...new Set([set.region, ...models.flatMap(({ region }) => region ?? [])])]
    const profiles = (await Promise.all(regions.map((region) => discovered(set, region, terminal)))).flat()
    const options = {
      region: set.region,
      account,
      models,
      features: (asked ?? (flags['from-settings'] ? featuresOf(set, needed) : ['stream', 'count'])) as IamFeature[],
      ...(needed && { guardrail: needed }),
      profiles,
    }
    const policy = iamPolicy(options)
    for (const { model, regions, source } of iamDestinations(options))
      terminal.note(`${model}: ${regions ? regions.join(', ') : 'anywhere'} (by ${source})`)
    return print(policy)
  },
}

/**
 * Returns the features that a setup like Claude Code's needs: it streams, counts, lists profiles and subscribes to
 * models.
 */
function featuresOf({ env }: Setup, guardrail: object | undefined): IamFeature[] {
  return [
    'stream',
    'count',
    'discovery',
    'marketplace',
    ...(guardrail ? (['guardrail'] as const) : []),
    ...(env?.AWS_BEARER_TOKEN_BEDROCK ? (['api-key'] as const) : []),
  ]
}

async function accountOf({ client, credentials, env, region }: Setup): Promise<string> {
  const fetch = unsignedFetch(client.fetch)
  const identity = await credentials?.({ region, fetch })
  if (!identity) throw new ConfigurationError('The account is unknown without credentials', { hint: 'Pass --account.' })
  if ('token' in identity)
    throw new ConfigurationError('A Bedrock API key does not reveal its account', { hint: 'Pass --account.' })
  return (await getCallerIdentity(identity, region, { env, fetch })).account
}

async function discovered({ client }: Setup, region: string, terminal: Terminal): Promise<InferenceProfile[]> {
  try {
    return await discoverInferenceProfiles(client.fetch, { region })
  } catch (error) {
    if (!isBedrockError(error)) throw error
    terminal.note(
      `The account's profiles in ${region} cannot be listed (${error.message}); using the catalog's destinations.`,
    )
    return []
  }
}
