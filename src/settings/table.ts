import { authorizationOf } from './authorization.ts'
import type { Settings } from './settings.ts'
import { flag, text } from './values.ts'

/** One setting, or several of one kind, and its effect. The docs, explanations and the doctor read this table. */
export interface SettingRow {
  /** Variables, and keys of settings files. `*` stands for any characters. */
  readonly names: readonly string[]
  /** Its effect, in Markdown. Left out for settings without one. */
  readonly does?: string
  /** Why it has no effect, to follow "ignored, because"; a function if that depends on the settings. */
  readonly ignored?: string | ((settings: Settings, name: string) => string | undefined)
  /** Settings that win over this one, in order of precedence. */
  readonly beatenBy?: readonly string[]
  /** How its value is shown; a `secret` never is. @default 'text' */
  readonly shows?: 'text' | 'url' | 'command' | 'secret'
}

const signs = ['AWS_BEARER_TOKEN_BEDROCK', 'awsCredentialExport'] as const
const skips = (settings: Settings): boolean => isOn(settings, 'CLAUDE_CODE_SKIP_BEDROCK_AUTH')

/** Says why a way to authenticate at a gateway is not used. */
function unlessAuthorized(settings: Settings, name: string): string | undefined {
  if (!skips(settings)) return 'it is for gateways, and CLAUDE_CODE_SKIP_BEDROCK_AUTH is not set'
  const used = authorizationOf(settings)
  return used && used !== name ? `${used} wins` : undefined
}

const unlessSigned = (settings: Settings): string | undefined =>
  skips(settings) ? 'CLAUDE_CODE_SKIP_BEDROCK_AUTH is set, so requests are not signed' : undefined

/** All settings that concern Claude Code on Bedrock. The first matching row counts. */
export const settingRows: readonly SettingRow[] = [
  {
    names: ['CLAUDE_CODE_USE_BEDROCK'],
    does: 'must be on; otherwise a `ConfigurationError` says that Bedrock is not selected',
  },
  // Credentials
  { names: ['AWS_BEARER_TOKEN_BEDROCK'], does: '`credentials`: a Bedrock API key', shows: 'secret' },
  {
    names: ['awsCredentialExport'],
    does: '`fromCommand(command)`, with the merged environment',
    shows: 'command',
    beatenBy: ['AWS_BEARER_TOKEN_BEDROCK'],
    ignored: unlessSigned,
  },
  {
    names: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
    does: '`credentials`: AWS keys',
    shows: 'secret',
    beatenBy: [...signs, 'AWS_PROFILE'],
    ignored: unlessSigned,
  },
  {
    names: ['AWS_CREDENTIAL_EXPIRATION', 'AWS_ACCOUNT_ID'],
    does: 'used with the AWS keys',
    beatenBy: [...signs, 'AWS_PROFILE'],
    ignored: unlessSigned,
  },
  {
    names: ['AWS_PROFILE', 'AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE'],
    does: "AWS's chain, and the profile's Region",
    ignored: (settings) =>
      text(settings, 'AWS_REGION') || text(settings, 'AWS_DEFAULT_REGION')
        ? (unlessSigned(settings) ?? (text(settings, signs[0]) ? `${signs[0]} wins` : undefined))
        : undefined,
  },
  {
    names: [
      'AWS_ROLE_ARN',
      'AWS_ROLE_SESSION_NAME',
      'AWS_WEB_IDENTITY_TOKEN_FILE',
      'AWS_EC2_METADATA_*',
      'AWS_METADATA_SERVICE_*',
      'AWS_LOGIN_CACHE_DIRECTORY',
      'AWS_ENDPOINT_URL_STS',
      'AWS_ENDPOINT_URL_SSO*',
      'AWS_ENDPOINT_URL_SIGNIN',
      'AWS_STS_REGIONAL_ENDPOINTS',
    ],
    does: "AWS's chain",
    beatenBy: signs,
    ignored: unlessSigned,
  },
  {
    names: ['AWS_CONTAINER_CREDENTIALS_*', 'AWS_CONTAINER_AUTHORIZATION_*'],
    does: "AWS's chain",
    shows: 'secret',
    beatenBy: signs,
    ignored: unlessSigned,
  },
  {
    names: ['awsAuthRefresh'],
    does: '`withAuthRefresh(provider, command)`, with the merged environment',
    shows: 'command',
    beatenBy: ['AWS_BEARER_TOKEN_BEDROCK'],
    ignored: (settings) =>
      unlessSigned(settings) ??
      (isSet(settings, 'AWS_ACCESS_KEY_ID') && !isSet(settings, 'AWS_PROFILE') && !settings.awsCredentialExport
        ? 'AWS_ACCESS_KEY_ID wins over the keys that it renews'
        : undefined),
  },
  {
    names: ['CLAUDE_CODE_AWS_CHAIN_RESOLVE_TIMEOUT_MS'],
    does: "the timeout of AWS's chain in milliseconds; default 60,000",
    beatenBy: signs,
    ignored: unlessSigned,
  },
  // A gateway
  {
    names: ['CLAUDE_CODE_SKIP_BEDROCK_AUTH'],
    does: "`credentials: 'none'`, or a bearer token for the gateway, in the order of the next rows",
  },
  {
    names: ['ANTHROPIC_AUTH_TOKEN'],
    does: 'the bearer token for a gateway, with `CLAUDE_CODE_SKIP_BEDROCK_AUTH`',
    shows: 'secret',
    ignored: unlessAuthorized,
  },
  {
    names: ['apiKeyHelper'],
    does: 'a command that prints the token; runs again after its time to live or a 401',
    shows: 'command',
    ignored: unlessAuthorized,
  },
  {
    names: ['CLAUDE_CODE_API_KEY_HELPER_TTL_MS'],
    does: 'the time to live in milliseconds; default 300,000',
    ignored: (settings) =>
      authorizationOf(settings) === 'apiKeyHelper' && skips(settings) ? undefined : 'no apiKeyHelper is in use',
  },
  {
    names: ['ANTHROPIC_CUSTOM_HEADERS'],
    does: '`headers`; guardrail headers set the guardrail, `Authorization` is for a gateway',
    shows: 'secret',
  },
  { names: ['ANTHROPIC_BEDROCK_BASE_URL'], does: '`endpoint`', shows: 'url' },
  {
    names: ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_BEDROCK', 'AWS_ENDPOINT_URL_BEDROCK_RUNTIME'],
    does: '`endpoint`, unless `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is on',
    shows: 'url',
    beatenBy: ['ANTHROPIC_BEDROCK_BASE_URL'],
    ignored: (settings) =>
      isOn(settings, 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS') ? 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is on' : undefined,
  },
  {
    names: ['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', 'AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT'],
    does: '`endpoint`',
    beatenBy: ['ANTHROPIC_BEDROCK_BASE_URL'],
  },
  // Region
  { names: ['AWS_REGION'], does: '`region`' },
  { names: ['AWS_DEFAULT_REGION'], does: '`region`', beatenBy: ['AWS_REGION'] },
  // Models
  { names: ['ANTHROPIC_MODEL'], does: 'the model for `default`' },
  { names: ['model'], does: 'the model for `default`', beatenBy: ['ANTHROPIC_MODEL'] },
  { names: ['ANTHROPIC_DEFAULT_MODEL'], does: 'the model for `default`', beatenBy: ['ANTHROPIC_MODEL', 'model'] },
  {
    names: [
      'ANTHROPIC_DEFAULT_OPUS_MODEL',
      'ANTHROPIC_DEFAULT_SONNET_MODEL',
      'ANTHROPIC_DEFAULT_HAIKU_MODEL',
      'ANTHROPIC_DEFAULT_FABLE_MODEL',
    ],
    does: '`models.pins`; the Haiku pin also sets `small`',
  },
  {
    names: ['ANTHROPIC_SMALL_FAST_MODEL'],
    does: 'the Haiku pin, under its old name',
    beatenBy: ['ANTHROPIC_DEFAULT_HAIKU_MODEL'],
  },
  { names: ['ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION'], does: 'the Region of `small` and `haiku`' },
  { names: ['modelOverrides'], does: '`models.overrides`' },
  { names: ['availableModels'], does: '`models.availableModels`; see below' },
  {
    names: ['fallbackModel'],
    does: '`failover` to the first three models, on a 5xx or if the model cannot be called; see below',
  },
  {
    names: ['enforceAvailableModels'],
    does: 'applies `availableModels` to `default` and `small` too',
    ignored: ({ availableModels }) => (availableModels ? undefined : 'availableModels is not set'),
  },
  {
    names: ['ANTHROPIC_BEDROCK_REGION_PREFIX'],
    does: "`global` prefers global profiles; any other prefix must be the Region's own",
    ignored: (settings) =>
      (text(settings, 'AWS_REGION') ?? text(settings, 'AWS_DEFAULT_REGION'))?.startsWith('us-gov-')
        ? 'GovCloud has only one geography'
        : undefined,
  },
  // Calls
  { names: ['ANTHROPIC_BEDROCK_SERVICE_TIER'], does: 'the header `X-Amzn-Bedrock-Service-Tier`' },
  { names: ['ANTHROPIC_BETAS'], does: '`anthropic_beta` in every call' },
  { names: ['DISABLE_PROMPT_CACHING'], does: 'turns off `promptCaching`, which is on by default' },
  {
    names: [
      'DISABLE_PROMPT_CACHING_HAIKU',
      'DISABLE_PROMPT_CACHING_SONNET',
      'DISABLE_PROMPT_CACHING_OPUS',
      'DISABLE_PROMPT_CACHING_FABLE',
    ],
    does: 'the same for one family',
    ignored: unlessCaching,
  },
  {
    names: ['ENABLE_PROMPT_CACHING_1H', 'ENABLE_PROMPT_CACHING_1H_BEDROCK'],
    does: 'caches for an hour',
    ignored: (settings) =>
      isOn(settings, 'FORCE_PROMPT_CACHING_5M') ? 'FORCE_PROMPT_CACHING_5M is on' : unlessCaching(settings),
  },
  { names: ['FORCE_PROMPT_CACHING_5M'], does: 'caches for five minutes', ignored: unlessCaching },
  { names: ['API_TIMEOUT_MS'], does: '`timeout.response`; default 600,000' },
  {
    names: [
      'API_FORCE_IDLE_TIMEOUT',
      'CLAUDE_STREAM_IDLE_TIMEOUT_MS',
      'CLAUDE_ENABLE_STREAM_WATCHDOG',
      'CLAUDE_ENABLE_BYTE_WATCHDOG_BEDROCK',
    ],
    does: '`timeout.idle`: default and minimum 300,000; only `API_FORCE_IDLE_TIMEOUT=0` turns it off',
  },
  { names: ['CLAUDE_CODE_MAX_RETRIES'], does: '`retry.attempts`, plus one; default 10, at most 15' },
  // The environment
  { names: ['CLAUDE_CONFIG_DIR'], does: "the folder of the user's settings file" },
  { names: ['OUTCROP_LOG'], does: 'the log level for stderr' },
  {
    names: ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'https_proxy', 'http_proxy', 'no_proxy'],
    does: 'the proxy for requests, on Node',
    shows: 'url',
  },
  { names: ['NODE_EXTRA_CA_CERTS'], does: 'additional trusted certificate authorities, on Node' },
  {
    names: ['CLAUDE_CODE_CLIENT_CERT', 'CLAUDE_CODE_CLIENT_KEY'],
    does: 'paths of the client certificate and its key, in PEM, on Node',
  },
  {
    names: ['CLAUDE_CODE_CLIENT_KEY_PASSPHRASE'],
    does: 'the passphrase of that key',
    ignored: (settings) =>
      isSet(settings, 'CLAUDE_CODE_CLIENT_KEY') ? undefined : 'CLAUDE_CODE_CLIENT_KEY is not set',
    shows: 'secret',
  },
  {
    names: ['NODE_USE_ENV_PROXY', 'NODE_OPTIONS', 'NODE_TLS_REJECT_UNAUTHORIZED'],
    does: 'read by Node itself, only from the environment of the process',
    ignored: ({ env }, name) =>
      env[name]?.source.kind === 'environment'
        ? undefined
        : 'Node reads it at startup: set it in the environment of the process',
  },

  // Settings without an effect
  {
    names: ['ALL_PROXY', 'all_proxy'],
    // https://code.claude.com/docs/en/network-config
    ignored: 'Claude Code has HTTPS_PROXY and HTTP_PROXY alone, and it often names a SOCKS proxy: set HTTPS_PROXY',
    shows: 'url',
  },
  {
    names: ['CLAUDE_CODE_CERT_STORE'],
    ignored: "Node's own certificate authorities are trusted, and those in NODE_EXTRA_CA_CERTS",
  },
  {
    names: ['CLAUDE_CODE_SUBAGENT_MODEL', 'ANTHROPIC_CUSTOM_MODEL_OPTION*', 'ANTHROPIC_DEFAULT_*_MODEL_*'],
    ignored: 'it tells Claude Code which model to choose; here each call names its model',
  },
  {
    names: ['CLAUDE_CODE_USE_MANTLE', 'CLAUDE_CODE_SKIP_MANTLE_AUTH', 'ANTHROPIC_BEDROCK_MANTLE_BASE_URL'],
    ignored: "it belongs to another service, Mantle; this client calls Bedrock's Invoke API",
    shows: 'url',
  },
  {
    names: [
      'CLAUDE_CODE_USE_ANTHROPIC_AWS',
      'CLAUDE_CODE_SKIP_ANTHROPIC_AWS_AUTH',
      'ANTHROPIC_AWS_*',
      'CLAUDE_CODE_USE_VERTEX',
      'CLAUDE_CODE_USE_FOUNDRY',
      'ANTHROPIC_BASE_URL',
      'ANTHROPIC_VERTEX_*',
      'ANTHROPIC_FOUNDRY_*',
    ],
    ignored: "it belongs to another service; this client calls Bedrock's Invoke API",
    shows: 'secret',
  },
  {
    names: ['ANTHROPIC_API_KEY'],
    ignored: "it is for Anthropic's own API and must not be sent to Bedrock",
    shows: 'secret',
  },
  {
    names: [
      'MAX_THINKING_TOKENS',
      'CLAUDE_CODE_EFFORT_LEVEL',
      'CLAUDE_CODE_ALWAYS_ENABLE_EFFORT',
      'CLAUDE_CODE_MAX_OUTPUT_TOKENS',
      'CLAUDE_CODE_EXTRA_BODY',
      'CLAUDE_CODE_DISABLE_THINKING',
      'CLAUDE_CODE_DISABLE_ADAPTIVE_THINKING',
      'CLAUDE_CODE_DISABLE_1M_CONTEXT',
      'CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS',
      'CLAUDE_CODE_ENABLE_FINE_GRAINED_TOOL_STREAMING',
      'CLAUDE_CODE_ATTRIBUTION_HEADER',
      'DISABLE_INTERLEAVED_THINKING',
      'effortLevel',
      'alwaysThinkingEnabled',
    ],
    ignored: "it shapes Claude Code's own requests, not yours",
    shows: 'secret',
  },
  {
    names: ['CLAUDE_CODE_RETRY_WATCHDOG', 'CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK'],
    ignored: 'it controls retries in Claude Code itself; use `retry` and `timeout` here',
  },
  {
    names: ['CLAUDE_CODE_SKIP_AWS_CRED_CACHE'],
    ignored: 'credentials are cached only in memory, and only while they are valid',
  },
  {
    names: ['CLAUDE_CODE_DISABLE_BEDROCK_CONTENT_TYPE_GUARD'],
    ignored: 'a stream with the wrong content type is always an error',
  },
  {
    names: ['AWS_LAMBDA_*', 'AWS_EXECUTION_ENV', 'AWS_XRAY_*', 'AWS_AMPLIFY_*', 'AWS_APP_*', 'AWS_CLI_*', 'AWS_PAGER'],
    ignored: 'it belongs to the platform or to other tools',
    shows: 'secret',
  },
  {
    names: ['AWS_*', 'ANTHROPIC_*', 'CLAUDE_*', 'API_*', 'DISABLE_*', 'ENABLE_*'],
    ignored: 'Outcrop does not use it',
    shows: 'secret',
  },
]

function unlessCaching(settings: Settings): string | undefined {
  return isOn(settings, 'DISABLE_PROMPT_CACHING') ? 'DISABLE_PROMPT_CACHING is on' : undefined
}

function isOn(settings: Settings, name: string): boolean {
  try {
    return flag(settings, name)
  } catch {
    // Building the client's options reports the error.
    return false
  }
}

/** Returns the row for a variable, or for a key of a settings file. */
export function settingRow(name: string): SettingRow | undefined {
  return settingRows.find(({ names }) => names.some((pattern) => fits(pattern, name)))
}

/** Says why a setting has no effect; `undefined` if it has one. */
export function whyIgnored(settings: Settings, name: string): string | undefined {
  const row = settingRow(name)
  if (!row) return Object.hasOwn(settings.env, name) ? unknownVariable : unknownKey
  const winner = row.beatenBy?.find((other) => isSet(settings, other))
  if (winner) return `${winner} wins`
  return typeof row.ignored === 'function' ? row.ignored(settings, name) : row.ignored
}

const unknownVariable = 'Outcrop does not use it, but passes it to commands'
const unknownKey = 'it configures Claude Code itself, not its calls'

function isSet({ env, ...keys }: Settings, name: string): boolean {
  return Object.hasOwn(env, name) || (keys as Record<string, unknown>)[name] !== undefined
}

function fits(pattern: string, name: string): boolean {
  const [start = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === name
  const end = rest.pop() ?? ''
  if (!name.startsWith(start) || !name.endsWith(end)) return false
  // At most one star in the middle.
  const middle = name.slice(start.length, name.length - end.length)
  return name.length > start.length + end.length && rest.every((part) => middle.includes(part))
}
