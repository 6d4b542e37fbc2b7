import { promptCaching } from '../caching/prompt-caching.ts'
import type { BedrockClientOptions } from '../client.ts'
import { ConfigurationError } from '../core/errors.ts'
import { parseEndpointUrl } from '../core/internal/endpoint-url.ts'
import {
  type ErrorKind,
  iamPermission,
  invalidModel,
  isOfKind,
  notFound,
  onDemandThroughput,
  serviceControlPolicy,
} from '../core/internal/error-kinds.ts'
import { isFullModelId } from '../core/model-id.ts'
import type { EndpointOptions, JsonValue, Middleware, Timeouts } from '../core/types.ts'
import { failover } from '../failover/failover.ts'
import { families } from '../models/families.ts'
import { regionsOf } from '../models/regions.ts'
import type { AnthropicModelId, ModelResolverOptions } from '../models/resolver-options.ts'
import { authorizationOf } from './authorization.ts'
import { customHeaders } from './custom-headers.ts'
import { describeSource, type Setting, type Settings } from './settings.ts'
import { environmentOf, flag, region, text, whole, wrongValue } from './values.ts'

/**
 * Turns settings into the options of `createBedrockClient`.
 *
 * `ANTHROPIC_MODEL` becomes the alias `default`, and the Haiku pin also sets `small`. Prompt caching is on unless it is
 * turned off. Timeouts and retries default to Claude Code's: 10 minutes for a response, 5 between bytes, 10 retries.
 * With `CLAUDE_CODE_SKIP_BEDROCK_AUTH` requests are not signed, and may carry a bearer token for a gateway.
 * Credentials, the Region and endpoints come from `env`, which holds the merged variables. The commands
 * `awsAuthRefresh`, `awsCredentialExport` and `apiKeyHelper` need Node: use `loadClientOptions` from
 * `outcrop/settings/node`.
 *
 * @param credentials - replace the commands in the settings
 * @example
 * ```ts
 * const bedrock = createBedrockClient(toClientOptions(settingsFromEnvironment(env)))
 * ```
 * @throws ConfigurationError if Bedrock is not selected, or if a value is invalid.
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
  return {
    env: environmentOf(settings),
    region: regionOf(settings),
    endpoint: endpointOf(settings),
    credentials: credentialsOf(settings, credentials),
    headers: { ...serviceTier(settings), ...customHeaders(settings) },
    models: modelsOf(settings),
    middleware: [...betas(settings), ...caching(settings), ...fallbacks(settings)],
    retry: { attempts: (whole(settings, 'CLAUDE_CODE_MAX_RETRIES', 0, 15) ?? 10) + 1 },
    timeout: timeoutOf(settings),
  }
}

/** Returns the Region to call. @throws ConfigurationError */
export function regionOf(settings: Settings): string | undefined {
  return region(settings, 'AWS_REGION') ?? region(settings, 'AWS_DEFAULT_REGION')
}

// The client finds everything else in `env`.
function credentialsOf(
  settings: Settings,
  given: BedrockClientOptions['credentials'],
): BedrockClientOptions['credentials'] {
  const token = text(settings, 'ANTHROPIC_AUTH_TOKEN')
  const authorization = flag(settings, 'CLAUDE_CODE_SKIP_BEDROCK_AUTH') ? authorizationOf(settings) : 'signature'
  if (authorization === 'AWS_BEARER_TOKEN_BEDROCK') return undefined
  if (authorization === 'ANTHROPIC_AUTH_TOKEN' && token)
    return { token, source: { name: 'settings', detail: 'ANTHROPIC_AUTH_TOKEN' } }
  if (authorization !== 'signature' && authorization !== 'apiKeyHelper') return 'none'
  if (given) return given
  const commands =
    authorization === 'apiKeyHelper' ? [authorization] : (['awsAuthRefresh', 'awsCredentialExport'] as const)
  const command = text(settings, 'AWS_BEARER_TOKEN_BEDROCK') ? undefined : commands.find((key) => settings[key])
  if (!command) return undefined
  const { source } = settings[command] as Setting<string>
  throw new ConfigurationError(`${command} in ${describeSource(source)} is a command, which needs Node`, {
    hint: 'Use loadClientOptions from outcrop/settings/node, or pass credentials.',
  })
}

function endpointOf(settings: Settings): EndpointOptions | undefined {
  const name = 'ANTHROPIC_BEDROCK_BASE_URL'
  const gateway = text(settings, name)
  const source = settings.env[name]?.source
  parseEndpointUrl(gateway, source ? `${name} in ${describeSource(source)}` : name)
  // A gateway wins over the variants of AWS's own hosts.
  return gateway ? { url: gateway, fips: false, dualstack: false } : undefined
}

function timeoutOf(settings: Settings): Timeouts {
  const idle = whole(settings, 'CLAUDE_STREAM_IDLE_TIMEOUT_MS', 0, 2_147_483_647)
  const isWatched =
    idle !== undefined ||
    flag(settings, 'CLAUDE_ENABLE_STREAM_WATCHDOG') ||
    flag(settings, 'CLAUDE_ENABLE_BYTE_WATCHDOG_BEDROCK')
  const isOff = text(settings, 'API_FORCE_IDLE_TIMEOUT') !== undefined && !flag(settings, 'API_FORCE_IDLE_TIMEOUT')
  return {
    response: whole(settings, 'API_TIMEOUT_MS', 1, 2_147_483_647) ?? 600_000,
    // Claude Code treats smaller values as a mistake, because models think for minutes.
    idle: isOff && !isWatched ? 0 : Math.max(idle ?? 0, 300_000),
  }
}

function serviceTier(settings: Settings): Record<string, string> {
  const name = 'ANTHROPIC_BEDROCK_SERVICE_TIER'
  const tier = text(settings, name)
  if (tier === undefined) return {}
  if (!/^(default|flex|priority)$/.test(tier)) throw wrongValue(settings, name, 'default, flex or priority')
  return { 'x-amzn-bedrock-service-tier': tier }
}

function modelsOf(settings: Settings): ModelResolverOptions {
  const { modelOverrides, availableModels, enforceAvailableModels } = settings
  const [primary, primaryName] = firstOf(settings, ['ANTHROPIC_MODEL', 'model', 'ANTHROPIC_DEFAULT_MODEL'])
  const pins = Object.fromEntries(
    families.map((family) => {
      const name = `ANTHROPIC_DEFAULT_${family.toUpperCase()}_MODEL`
      return [family, firstOf(settings, family === 'haiku' ? [name, 'ANTHROPIC_SMALL_FAST_MODEL'] : [name])]
    }),
  )
  // A value of `default` refers to the alias itself.
  const chosen = primary && primary.value !== 'default' ? primary : undefined
  const smallModelRegion = region(settings, 'ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION')
  return {
    // Claude Code too searches the account's profiles for models that it does not know.
    discovery: 'fallback',
    pins: Object.fromEntries(families.map((family) => [family, pins[family]?.[0]?.value])),
    ...(chosen && { aliases: { default: chosen.value } }),
    ...(smallModelRegion && { smallModelRegion }),
    ...(modelOverrides && { overrides: modelOverrides.value as Readonly<Record<AnthropicModelId, string>> }),
    ...(availableModels && {
      availableModels: availableModels.value,
      enforceAvailableModels: enforceAvailableModels?.value ?? false,
    }),
    ...geographyOf(settings),
    origins: Object.fromEntries([
      ...(chosen ? [['aliases.default', origin(primaryName, chosen)]] : []),
      ...families.flatMap((family) => {
        const [pin, name] = pins[family] ?? []
        return pin ? [[`pins.${family}`, origin(name, pin)]] : []
      }),
      ...Object.keys(modelOverrides?.value ?? {}).map((key) => [
        `overrides.${key}`,
        origin('modelOverrides', modelOverrides as Setting<unknown>),
      ]),
    ]),
  }
}

/** Returns the first of several settings that is set, and its name. */
function firstOf(settings: Settings, names: readonly string[]): [setting?: Setting<string>, name?: string] {
  for (const name of names) {
    const setting = name === 'model' ? settings.model : settings.env[name]
    if (setting) return [setting, name]
  }
  return []
}

const origin = (name: string | undefined, { source }: Setting<unknown>): string =>
  `${name} in ${describeSource(source)}`

function geographyOf(settings: Settings): Pick<ModelResolverOptions, 'geo'> {
  const name = 'ANTHROPIC_BEDROCK_REGION_PREFIX'
  const prefix = text(settings, name)
  const called = regionOf(settings)
  // GovCloud has only one geography.
  if (prefix === undefined || called?.startsWith('us-gov-')) return {}
  if (prefix === 'global') return { geo: 'global' }
  const regions = regionsOf(prefix)
  if (!regions) throw wrongValue(settings, name, 'a geography: us, eu, apac, jp, au, in or global')
  if (called && !regions.includes(called)) {
    throw new ConfigurationError(`${name} is ${prefix}, but ${called} has no profiles of that geography`, {
      hint: 'Call a Region of that geography, or unset the variable.',
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

// As Claude Code 2.1.331 does on Bedrock: to the next model at once, for this call alone; 429s and lost connections are
// repeated at the model itself. https://code.claude.com/docs/en/model-config
const notCallable: ErrorKind = [
  ...[notFound, invalidModel, onDemandThroughput, iamPermission, serviceControlPolicy].flat(),
  { message: /have access to the model/ },
]
const maxFallbacks = 3

function fallbacks({ fallbackModel }: Settings): Middleware[] {
  const models = [...new Set(fallbackModel?.value)].filter(Boolean).slice(0, maxFallbacks)
  if (models.length === 0) return []
  const targets = models.map((model, i) => ({
    name: `fallbackModel[${i}]`,
    model,
    // An ID says by itself where it runs; what a name comes to, nobody has said.
    ...(isFullModelId(model) && { residency: 'anywhere' }),
  }))
  const leaveIf = (error: Error & { readonly status?: number }): boolean =>
    (error.status ?? 0) >= 500 || isOfKind(error, notCallable)
  return [failover(targets, { attempts: 1, cooldown: 0, returnAfter: 0, leaveIf, skipUnusable: true })]
}
