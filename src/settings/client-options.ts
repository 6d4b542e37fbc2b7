import { promptCaching } from '../caching/prompt-caching.ts'
import type { BedrockClientOptions } from '../client.ts'
import { ConfigurationError } from '../core/errors.ts'
import type { EndpointOptions, JsonValue, Middleware } from '../core/types.ts'
import { fromEnvironment } from '../credentials/environment.ts'
import { families } from '../models/families.ts'
import { regionsOf } from '../models/regions.ts'
import type { AnthropicModelId, ModelResolverOptions } from '../models/resolver-options.ts'
import { customHeaders } from './custom-headers.ts'
import { describeSource, type Settings } from './settings.ts'
import { environmentOf, flag, text, whole, wrongValue } from './values.ts'

/**
 * Turns settings into the options of `createBedrockClient`.
 *
 * `ANTHROPIC_MODEL` becomes the alias `default`, the Haiku pin serves `small` too, prompt caching is on unless it is
 * switched off, and `CLAUDE_CODE_SKIP_BEDROCK_AUTH` is `credentials: 'none'`. The commands `awsAuthRefresh` and
 * `awsCredentialExport`, and profiles, need Node: `loadClientOptions` of `outcrop/settings/node`.
 *
 * @param credentials - in place of what the settings have
 * @example
 * ```ts
 * const bedrock = createBedrockClient(toClientOptions(settingsFromEnvironment(env)))
 * ```
 * @throws ConfigurationError where Bedrock is not selected, and for a value that is there but wrong.
 * @see https://code.claude.com/docs/en/amazon-bedrock
 */
export function toClientOptions(
  settings: Settings,
  credentials?: BedrockClientOptions['credentials'],
): BedrockClientOptions {
  if (!flag(settings, 'CLAUDE_CODE_USE_BEDROCK')) {
    throw new ConfigurationError('Bedrock is not selected: CLAUDE_CODE_USE_BEDROCK is not set', {
      hint: 'Set CLAUDE_CODE_USE_BEDROCK=1 in the environment or in the env block of a settings file.',
    })
  }
  const retries = whole(settings, 'CLAUDE_CODE_MAX_RETRIES', 0, 15)
  const response = whole(settings, 'API_TIMEOUT_MS', 1, 2_147_483_647)
  return {
    region: regionOf(settings),
    endpoint: endpointOf(settings),
    credentials: flag(settings, 'CLAUDE_CODE_SKIP_BEDROCK_AUTH') ? 'none' : (credentials ?? credentialsOf(settings)),
    headers: { ...serviceTier(settings), ...customHeaders(settings) },
    models: modelsOf(settings),
    middleware: [...betas(settings), ...caching(settings)],
    ...(retries !== undefined && { retry: { attempts: retries + 1 } }),
    ...(response !== undefined && { timeout: { response } }),
  }
}

/** The region that is called. */
export function regionOf(settings: Settings): string | undefined {
  return text(settings, 'AWS_REGION') ?? text(settings, 'AWS_DEFAULT_REGION')
}

// Keys and API keys alone: everything else of AWS's chain needs files, processes or a machine's metadata.
function credentialsOf(settings: Settings): BedrockClientOptions['credentials'] {
  for (const key of ['awsAuthRefresh', 'awsCredentialExport'] as const) {
    const command = settings[key]
    if (!command) continue
    throw new ConfigurationError(`${key} in ${describeSource(command.source)} is a command, which needs Node`, {
      hint: 'Use loadClientOptions of outcrop/settings/node, or pass credentials.',
    })
  }
  return fromEnvironment(environmentOf(settings))
}

function endpointOf(settings: Settings): EndpointOptions | undefined {
  const gateway = text(settings, 'ANTHROPIC_BEDROCK_BASE_URL')
  if (gateway) return { url: gateway }
  // From an `env` block these are not in the process's environment, where the client would find them itself.
  const isIgnored = flag(settings, 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS')
  const name = (specific: string): string | undefined =>
    isIgnored ? undefined : (text(settings, specific) ?? text(settings, 'AWS_ENDPOINT_URL'))
  const [url, control] = [name('AWS_ENDPOINT_URL_BEDROCK_RUNTIME'), name('AWS_ENDPOINT_URL_BEDROCK')]
  const fips = flag(settings, 'AWS_USE_FIPS_ENDPOINT')
  const dualstack = flag(settings, 'AWS_USE_DUALSTACK_ENDPOINT')
  if (!url && !control && !fips && !dualstack) return undefined
  return { ...(url && { url }), ...(control && { control }), ...(fips && { fips }), ...(dualstack && { dualstack }) }
}

function serviceTier(settings: Settings): Record<string, string> {
  const name = 'ANTHROPIC_BEDROCK_SERVICE_TIER'
  const tier = text(settings, name)
  if (tier === undefined) return {}
  if (!/^(default|flex|priority)$/.test(tier)) throw wrongValue(settings, name, 'default, flex or priority')
  return { 'x-amzn-bedrock-service-tier': tier }
}

function modelsOf(settings: Settings): ModelResolverOptions {
  const primary =
    text(settings, 'ANTHROPIC_MODEL') ?? settings.model?.value ?? text(settings, 'ANTHROPIC_DEFAULT_MODEL')
  const haiku = text(settings, 'ANTHROPIC_DEFAULT_HAIKU_MODEL') ?? text(settings, 'ANTHROPIC_SMALL_FAST_MODEL')
  const pins = {
    opus: text(settings, 'ANTHROPIC_DEFAULT_OPUS_MODEL'),
    sonnet: text(settings, 'ANTHROPIC_DEFAULT_SONNET_MODEL'),
    haiku,
    fable: text(settings, 'ANTHROPIC_DEFAULT_FABLE_MODEL'),
  }
  const { modelOverrides, availableModels } = settings
  const smallModelRegion = text(settings, 'ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION')
  return {
    pins,
    // `default` is what the alias itself stands for.
    ...(primary && primary !== 'default' && { aliases: { default: primary } }),
    ...(smallModelRegion && { smallModelRegion }),
    ...(modelOverrides && { overrides: modelOverrides.value as Readonly<Record<AnthropicModelId, string>> }),
    // An empty list still allows the default there; here it would refuse everything.
    ...(availableModels && {
      availableModels: availableModels.value.length > 0 ? availableModels.value : [primary ?? 'sonnet'],
    }),
    ...geographyOf(settings),
  }
}

function geographyOf(settings: Settings): Pick<ModelResolverOptions, 'geo'> {
  const name = 'ANTHROPIC_BEDROCK_REGION_PREFIX'
  const prefix = text(settings, name)
  const region = regionOf(settings)
  // GovCloud has one geography, whatever else is asked for.
  if (prefix === undefined || region?.startsWith('us-gov-')) return {}
  if (prefix === 'global') return { geo: 'global' }
  const regions = regionsOf(prefix)
  if (!regions) throw wrongValue(settings, name, 'a geography: us, eu, apac, jp, au, in or global')
  if (region && !regions.includes(region)) {
    throw new ConfigurationError(`${name} is ${prefix}, and ${region} has no profiles of that geography`, {
      hint: 'Call a region of that geography, or leave the variable out.',
    })
  }
  return { geo: 'regional' }
}

function betas(settings: Settings): Middleware[] {
  const names = text(settings, 'ANTHROPIC_BETAS')
    ?.split(',')
    .map((beta) => beta.trim())
    .filter(Boolean)
  if (!names?.length) return []
  return [
    async (request, next) => {
      const given: JsonValue[] = Array.isArray(request.body.anthropic_beta) ? request.body.anthropic_beta : []
      return next({ ...request, body: { ...request.body, anthropic_beta: [...new Set([...given, ...names])] } })
    },
  ]
}

function caching(settings: Settings): Middleware[] {
  if (flag(settings, 'DISABLE_PROMPT_CACHING')) return []
  const disabled = families.filter((family) => flag(settings, `DISABLE_PROMPT_CACHING_${family.toUpperCase()}`))
  const isLong = flag(settings, 'ENABLE_PROMPT_CACHING_1H') || flag(settings, 'ENABLE_PROMPT_CACHING_1H_BEDROCK')
  const ttl = isLong && !flag(settings, 'FORCE_PROMPT_CACHING_5M') ? '1h' : '5m'
  return [promptCaching({ ttl, disabled })]
}
