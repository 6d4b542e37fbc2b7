import { readFileSync } from 'node:fs'
import {
  explainSettings,
  mergeSettings,
  settingsFromEnvironment,
  settingsFromFile,
  type SettingSource,
} from 'outcrop/settings'
import { describe, expect, test } from 'vitest'
import { renew, tables } from '../../scripts/settings-docs.ts'
import { settingRows } from '../../src/settings/table.ts'

const user = { kind: 'user', path: '/home/me/.claude/settings.json' } as const
const project = { kind: 'project', path: '/project/.claude/settings.json' } as const
const selected = { CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1' }

function explain(variables: Record<string, string>, file: object = {}): ReturnType<typeof explainSettings> {
  return explainSettings(
    mergeSettings(settingsFromEnvironment({ ...selected, ...variables }), settingsFromFile(file as never, user, true)),
  )
}
/** Why each is ignored; what has an effect is not there. */
const ignored = (variables: Record<string, string>, file?: object): Record<string, string> =>
  Object.fromEntries(explain(variables, file).ignored.map(({ key, because }) => [key, because]))

describe('ignored settings are listed with their reason', () => {
  test.each<[string, Record<string, string>, Record<string, RegExp>]>([
    [
      'proxies',
      {
        ALL_PROXY: 'http://me:secret-example@proxy:8080',
        HTTPS_PROXY: 'http://me:secret-example@proxy:8080',
        no_proxy: 'x',
      },
      { 'env.ALL_PROXY': /HTTPS_PROXY/ },
    ],
    [
      'certificate stores',
      { CLAUDE_CODE_CERT_STORE: 'system' },
      { 'env.CLAUDE_CODE_CERT_STORE': /NODE_EXTRA_CA_CERTS/ },
    ],
    [
      'other services',
      { CLAUDE_CODE_USE_MANTLE: '1', ANTHROPIC_API_KEY: 'secret-example' },
      { 'env.CLAUDE_CODE_USE_MANTLE': /another service/, 'env.ANTHROPIC_API_KEY': /must not be sent/ },
    ],
    [
      "Claude Code's own requests",
      { MAX_THINKING_TOKENS: '1', CLAUDE_CODE_EXTRA_BODY: '{"key":"secret-example"}' },
      { 'env.MAX_THINKING_TOKENS': /not yours/, 'env.CLAUDE_CODE_EXTRA_BODY': /not yours/ },
    ],
    [
      'the model picker',
      { ANTHROPIC_DEFAULT_OPUS_MODEL_NAME: 'Opus' },
      { 'env.ANTHROPIC_DEFAULT_OPUS_MODEL_NAME': /which model to choose/ },
    ],
    [
      'unknown names',
      { AWS_FOO: '1', CLAUDE_CODE_NEW: '1' },
      { 'env.AWS_FOO': /Outcrop does not use it/, 'env.CLAUDE_CODE_NEW': /Outcrop does not use it/ },
    ],
    [
      'overridden settings',
      { AWS_BEARER_TOKEN_BEDROCK: 'k', AWS_ACCESS_KEY_ID: 'a', AWS_PROFILE: 'p' },
      {
        'env.AWS_ACCESS_KEY_ID': /^AWS_BEARER_TOKEN_BEDROCK wins$/,
        'env.AWS_PROFILE': /^AWS_BEARER_TOKEN_BEDROCK wins$/,
      },
    ],
    [
      'the second name of a Region',
      { AWS_DEFAULT_REGION: 'eu-west-1' },
      { 'env.AWS_DEFAULT_REGION': /^AWS_REGION wins$/ },
    ],
    [
      'endpoints beside a gateway',
      { ANTHROPIC_BEDROCK_BASE_URL: 'https://g', AWS_ENDPOINT_URL: 'https://a' },
      { 'env.AWS_ENDPOINT_URL': /^ANTHROPIC_BEDROCK_BASE_URL wins$/ },
    ],
    [
      'a bearer token without a gateway',
      { ANTHROPIC_AUTH_TOKEN: 'secret-example' },
      { 'env.ANTHROPIC_AUTH_TOKEN': /it is for gateways/ },
    ],
    [
      'keys beside a signing gateway',
      { CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1', AWS_ACCESS_KEY_ID: 'a' },
      { 'env.AWS_ACCESS_KEY_ID': /requests are not signed/ },
    ],
    [
      'an hour of caching that is forbidden',
      { ENABLE_PROMPT_CACHING_1H: '1', FORCE_PROMPT_CACHING_5M: '1' },
      { 'env.ENABLE_PROMPT_CACHING_1H': /FORCE_PROMPT_CACHING_5M is on/ },
    ],
    [
      'Authorization beside a token',
      {
        CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1',
        ANTHROPIC_AUTH_TOKEN: 't',
        ANTHROPIC_CUSTOM_HEADERS: 'X-A: 1\nAuthorization: Basic secret-example',
      },
      { 'env.ANTHROPIC_CUSTOM_HEADERS: Authorization': /^ANTHROPIC_AUTH_TOKEN wins$/ },
    ],
  ])('%s', (_, variables, expected) => {
    const found = ignored(variables)
    expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort())
    for (const [key, reason] of Object.entries(expected)) expect(found[key]).toMatch(reason)
    expect(JSON.stringify(explain(variables))).not.toContain('secret-example')
    expect(String(explain(variables))).toContain('ignored, because ')
  })

  test('keys of a file', () => {
    const file = { permissions: {}, apiKeyHelper: 'print-token', enforceAvailableModels: true }
    expect(ignored({}, file)).toEqual({
      permissions: expect.stringContaining('configures Claude Code itself'),
      apiKeyHelper: expect.stringContaining('it is for gateways'),
      enforceAvailableModels: 'availableModels is not set',
    })
  })

  test('a refresh command whose keys the environment overrides', () => {
    const file = { awsAuthRefresh: 'aws sso login' }
    expect(ignored({ AWS_ACCESS_KEY_ID: 'a' }, file)).toEqual({
      awsAuthRefresh: 'AWS_ACCESS_KEY_ID wins over the keys that it renews',
    })
    expect(ignored({ AWS_PROFILE: 'dev' }, file)).toEqual({})
  })

  test('unknown variables of an env block, but not of the process', () => {
    expect(
      ignored({ EDITOR: 'vi' }, { env: { MY_TOOL: '1', NODE_OPTIONS: '--x', NODE_EXTRA_CA_CERTS: '/ca.pem' } }),
    ).toEqual({
      'env.MY_TOOL': expect.stringContaining('passes it to commands'),
      'env.NODE_OPTIONS': expect.stringContaining('Node reads it at startup'),
    })
    expect(ignored({ NODE_OPTIONS: '--x', NODE_EXTRA_CA_CERTS: '/ca.pem' })).toEqual({})
  })

  test('all settings of an untrusted project', () => {
    const file = { env: { AWS_PROFILE: 'p' }, awsAuthRefresh: 'x', model: 'opus', permissions: {} }
    const settings = mergeSettings(settingsFromEnvironment(selected), settingsFromFile(file, project, false))
    expect(explainSettings(settings).ignored.map(({ key, because }) => [key, because])).toEqual([
      ['awsAuthRefresh', 'the project is not trusted'],
      ['env.AWS_PROFILE', 'the project is not trusted'],
      ['permissions', expect.stringContaining('Claude Code itself')],
    ])
  })
})

test('no setting is listed as effective that nothing reads', () => {
  const everything = Object.fromEntries(
    settingRows.flatMap(({ names }) => names).map((name) => [name.replaceAll('*', 'X'), '1']),
  )
  const { settings } = explain(everything)
  for (const { key } of settings) {
    const name = key.replace(/^env\./, '')
    const row = settingRows.find(({ names }) => names.some((each) => each.replaceAll('*', 'X') === name))
    expect(row?.does, name).toBeDefined()
  }
})

test('every variable that sets an option has a row that says so', () => {
  const files = [
    'client-options.ts',
    'authorization.ts',
    'custom-headers.ts',
    'node/load-client-options.ts',
    'node/load-settings.ts',
  ]
  const read = files.flatMap((file) => [
    ...readFileSync(new URL(`../../src/settings/${file}`, import.meta.url), 'utf8').matchAll(
      /'((?:AWS|ANTHROPIC|CLAUDE|API|DISABLE|ENABLE|FORCE)_[A-Z0-9_]+)'/g,
    ),
  ])
  expect(read.length).toBeGreaterThan(25)
  for (const [, name = ''] of read) {
    const row = settingRows.find(({ names }) => names.includes(name))
    expect(row?.does, name).toBeDefined()
  }
})

describe('values in the list', () => {
  const value = (variables: Record<string, string>, key: string, file?: object): string | undefined =>
    explain(variables, file).settings.find((row) => row.key === key)?.value

  test("show the program of a command, and AWS's login commands whole", () => {
    expect(value({}, 'awsAuthRefresh', { awsAuthRefresh: 'aws sso login --profile dev' })).toBe(
      'aws sso login --profile dev',
    )
    expect(value({}, 'awsCredentialExport', { awsCredentialExport: 'P=secret corp --token secret' })).toBe('corp …')
  })

  test('show URLs without user and query', () => {
    const url = 'https://me:secret-example@gateway.example.com/bedrock?key=secret-example'
    expect(value({ ANTHROPIC_BEDROCK_BASE_URL: url }, 'env.ANTHROPIC_BEDROCK_BASE_URL')).toBe(
      'https://gateway.example.com/bedrock',
    )
  })

  test('show only that secrets are set', () => {
    expect(value({ AWS_SESSION_TOKEN: 'secret-example' }, 'env.AWS_SESSION_TOKEN')).toBe('[set]')
  })
})

test('docs/claude-code.md has the table of scripts/settings-docs.ts', () => {
  const page = readFileSync(new URL('../../docs/claude-code.md', import.meta.url), 'utf8')
  const squeeze = (text: string): string => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---')
  for (const table of Object.values(tables)) expect(squeeze(page)).toContain(squeeze(table))
  expect(squeeze(renew(page))).toBe(squeeze(page))
})

describe('availableModels', () => {
  type List = readonly [source: SettingSource, isTrusted: boolean, entries: string[]]
  const layers = (...lists: readonly List[]): readonly string[] | undefined =>
    mergeSettings(
      ...lists.map(([source, isTrusted, availableModels]) => settingsFromFile({ availableModels }, source, isTrusted)),
    ).availableModels?.value

  test('can be restricted, but not widened, by an untrusted project', () => {
    expect(layers([user, true, ['sonnet', 'haiku']], [project, false, ['claude-sonnet-4-5', 'opus']])).toEqual([
      'claude-sonnet-4-5',
    ])
    expect(layers([user, true, ['claude-sonnet-4-5']], [project, false, ['sonnet']])).toEqual(['claude-sonnet-4-5'])
    expect(layers([user, true, ['sonnet']], [project, false, ['opus']])).toEqual([])
    expect(layers([project, false, ['sonnet']])).toEqual(['sonnet'])
    expect(layers([user, true, ['sonnet']], [project, true, ['opus']])).toEqual(['sonnet', 'opus'])
  })
})
