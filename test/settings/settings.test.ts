import { existsSync } from 'node:fs'
import { type BedrockClientOptions, createBedrockClient } from 'outcrop'
import { explainSettings, mergeSettings, settingsFromEnvironment, toClientOptions } from 'outcrop/settings'
import { loadClientOptions, type LoadClientOptionsOptions, loadSettings } from 'outcrop/settings/node'
import { createFakeBedrock, type FakeBedrock, type FakeCall } from 'outcrop/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { useFolder } from './support.ts'

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example-of-the-settings' }
const arn = 'arn:aws:bedrock:us-east-2:123456789012:application-inference-profile'
const keyVariables = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey }
const bedrockVariables = { CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1' }

const { path, write, places } = useFolder()
let home: string
let fake: FakeBedrock
beforeEach(() => {
  home = path()
  fake = createFakeBedrock({
    identities: [keys, { token: 'api-key-example' }],
    guardrails: [{ identifier: 'gr1', versions: ['1'], blockedWords: [] }],
    models: {
      applicationProfiles: {
        [`${arn}/sonnet`]: 'anthropic.claude-sonnet-4-6',
        [`${arn}/opus-46-prod`]: 'anthropic.claude-opus-4-6-v1',
        [`${arn}/opus-45-prod`]: 'anthropic.claude-opus-4-5-20251101-v1:0',
        [`${arn}/opus-41-prod`]: 'anthropic.claude-opus-4-1-20250805-v1:0',
      },
    },
  })
})

/** Calls a client with these settings, and returns the request. */
async function callWith(
  options: BedrockClientOptions,
  { model = 'default', body = {} }: { model?: string; body?: object } = {},
): Promise<FakeCall> {
  const bedrock = createBedrockClient({ ...options, fetch: fake.fetch, retry: false })
  await bedrock.messages.create({ model, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }], ...body } as never)
  const call = fake.calls.at(-1) as FakeCall
  expect(call).toMatchObject({ operation: 'InvokeModel', status: 200 })
  return call
}

const load = (options: LoadClientOptionsOptions = {}): Promise<BedrockClientOptions> =>
  loadClientOptions({
    ...places(),
    env: { PATH: process.env.PATH, HOME: home, ...bedrockVariables },
    ...options,
  })
const environment = (variables: Record<string, string>): BedrockClientOptions =>
  toClientOptions(settingsFromEnvironment({ ...bedrockVariables, ...keyVariables, ...variables }))

describe('every example of the setup page leads to a verified request', () => {
  test('option A: aws configure', async () => {
    write(
      '.aws/credentials',
      `[default]\naws_access_key_id = ${keys.accessKeyId}\naws_secret_access_key = ${keys.secretAccessKey}\n`,
    )
    expect((await callWith(await load())).signature.valid).toBe(true)
  })

  test('option B: access keys in the environment', async () => {
    const session = { ...keys, sessionToken: 'session-example' }
    fake.identities.unshift(session)
    const call = await callWith(
      await load({ env: { ...bedrockVariables, ...keyVariables, AWS_SESSION_TOKEN: 'session-example' } }),
    )
    expect(call.signature.valid).toBe(true)
    expect(call.headers['x-amz-security-token']).toBe('session-example')
  })

  test('option C: a profile in an env block', async () => {
    write(
      '.aws/credentials',
      `[corp]\naws_access_key_id = ${keys.accessKeyId}\naws_secret_access_key = ${keys.secretAccessKey}\n`,
    )
    write('.claude/settings.json', { env: { AWS_PROFILE: 'corp' } })
    expect((await callWith(await load())).identity).toBe(keys.accessKeyId)
    expect(process.env.AWS_PROFILE).toBeUndefined()
  })

  test('option D: aws login', async () => {
    write('.aws/config', '[profile console]\nlogin_session = arn:aws:iam::123456789012:user/me\n')
    await expect(
      callWith(await load({ env: { ...bedrockVariables, HOME: home, AWS_PROFILE: 'console' } })),
    ).rejects.toMatchObject({
      code: 'credentials',
      command: 'aws login --profile console',
    })
  })

  test('option E: a Bedrock API key', async () => {
    const call = await callWith(
      await load({ env: { ...bedrockVariables, AWS_BEARER_TOKEN_BEDROCK: 'api-key-example' } }),
    )
    expect(call.headers.authorization).toBe('Bearer api-key-example')
  })

  test('awsAuthRefresh runs with the merged environment, and its output is shown', async () => {
    const login = write(
      'login.mjs',
      `import { mkdirSync, writeFileSync } from 'node:fs'
       console.log('Signing in to ' + process.env.AWS_PROFILE)
       mkdirSync(process.env.HOME + '/.aws', { recursive: true })
       writeFileSync(process.env.HOME + '/.aws/credentials', '[myprofile]\\naws_access_key_id = ${keys.accessKeyId}\\naws_secret_access_key = ${keys.secretAccessKey}\\n')`,
    )
    write('.claude/settings.json', {
      awsAuthRefresh: `"${process.execPath}" "${login}"`,
      env: { AWS_PROFILE: 'myprofile' },
    })
    const lines: string[] = []
    const call = await callWith(await load({ onOutput: (line) => lines.push(line) }))
    expect(call.signature.valid).toBe(true)
    expect(lines).toEqual(['Signing in to myprofile'])
  })

  test('awsCredentialExport provides the keys', async () => {
    const output = JSON.stringify({
      Credentials: { AccessKeyId: keys.accessKeyId, SecretAccessKey: keys.secretAccessKey, SessionToken: '' },
    })
    const print = write('export.mjs', `console.log(${JSON.stringify(output)})`)
    write('.claude/settings.json', { awsCredentialExport: `"${process.execPath}" "${print}"` })
    expect((await callWith(await load())).identity).toBe(keys.accessKeyId)
  })

  test('the small model has its own Region', async () => {
    const options = environment({ ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION: 'us-west-2' })
    expect((await callWith(options, { model: 'small' })).region).toBe('us-west-2')
    expect((await callWith(options, { model: 'haiku' })).region).toBe('us-west-2')
    expect((await callWith(options)).region).toBe('us-east-1')
  })

  test('the three pins are sent unchanged', async () => {
    const options = environment({
      ANTHROPIC_DEFAULT_OPUS_MODEL: 'us.anthropic.claude-opus-4-6-v1',
      ANTHROPIC_DEFAULT_SONNET_MODEL: 'us.anthropic.claude-sonnet-4-6',
      ANTHROPIC_DEFAULT_HAIKU_MODEL: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
    })
    expect((await callWith(options, { model: 'opus' })).model).toBe('us.anthropic.claude-opus-4-6-v1')
    expect((await callWith(options, { model: 'sonnet' })).model).toBe('us.anthropic.claude-sonnet-4-6')
    expect((await callWith(options, { model: 'small' })).model).toBe('us.anthropic.claude-haiku-4-5-20251001-v1:0')
  })

  test('the defaults without a pin are those of the page', async () => {
    expect((await callWith(environment({}))).model).toBe('global.anthropic.claude-sonnet-4-6')
    expect((await callWith(environment({}), { model: 'small' })).model).toBe(
      'us.anthropic.claude-haiku-4-5-20251001-v1:0',
    )
  })

  test.each(['opus', 'sonnet', 'haiku'])(
    "a model that is the alias %s is called through the alias's profile",
    async (name) => {
      write('.claude/settings.json', { model: name })
      const options = await load({ env: { ...bedrockVariables, ...keyVariables } })
      const { model } = await callWith(options)
      expect(model).toMatch(/^us\./)
      expect((await callWith(options, { model: name })).model).toBe(model)
    },
  )

  test('ANTHROPIC_MODEL may be an application inference profile', async () => {
    const call = await callWith(environment({ ANTHROPIC_MODEL: `${arn}/sonnet` }))
    expect(call.path).toBe(`/model/${encodeURIComponent(`${arn}/sonnet`)}/invoke`)
    expect(call.region).toBe('us-east-2')
  })

  test('modelOverrides may have three versions of Opus', async () => {
    write('.claude/settings.json', {
      modelOverrides: {
        'claude-opus-4-6': `${arn}/opus-46-prod`,
        'claude-opus-4-5-20251101': `${arn}/opus-45-prod`,
        'claude-opus-4-1-20250805': `${arn}/opus-41-prod`,
      },
    })
    const options = await load({ env: { ...bedrockVariables, ...keyVariables } })
    for (const [name, profile] of [
      ['claude-opus-4-6', 'opus-46-prod'],
      ['claude-opus-4-5-20251101', 'opus-45-prod'],
      ['claude-opus-4-1-20250805', 'opus-41-prod'],
    ] as const)
      expect((await callWith(options, { model: name })).model).toBe(`${arn}/${profile}`)
  })

  test('DISABLE_PROMPT_CACHING turns off caching, which is on by default', async () => {
    const body = { system: 'word '.repeat(3000) }
    const points = (call: FakeCall): boolean => JSON.stringify(call.body).includes('cache_control')
    expect(points(await callWith(environment({}), { body }))).toBe(true)
    expect(points(await callWith(environment({ DISABLE_PROMPT_CACHING: '1' }), { body }))).toBe(false)
    expect(points(await callWith(environment({ DISABLE_PROMPT_CACHING_SONNET: '1' }), { body }))).toBe(false)
    expect(points(await callWith(environment({ DISABLE_PROMPT_CACHING_OPUS: '1' }), { body }))).toBe(true)
  })

  test("ANTHROPIC_CUSTOM_HEADERS may have the guardrail's headers", async () => {
    write('.claude/settings.json', {
      env: { ANTHROPIC_CUSTOM_HEADERS: 'X-Amzn-Bedrock-GuardrailIdentifier: gr1\nX-Amzn-Bedrock-GuardrailVersion: 1' },
    })
    const { headers } = await callWith(await load({ env: { ...bedrockVariables, ...keyVariables } }))
    expect(headers).toMatchObject({
      'x-amzn-bedrock-guardrailidentifier': 'gr1',
      'x-amzn-bedrock-guardrailversion': '1',
    })
    expect(headers.authorization).toContain('x-amzn-bedrock-guardrailidentifier')
  })
})

describe('variables', () => {
  test.each([undefined, '0', 'false', 'no', 'off', ''])(
    'CLAUDE_CODE_USE_BEDROCK=%s does not select Bedrock',
    (value) => {
      const settings = settingsFromEnvironment({ ...(value !== undefined && { CLAUDE_CODE_USE_BEDROCK: value }) })
      expect(() => toClientOptions(settings)).toThrow(/Bedrock is not selected/)
    },
  )

  test('CLAUDE_CODE_SKIP_BEDROCK_AUTH sends no signature', async () => {
    expect(environment({ CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1' }).credentials).toBe('none')
  })

  test("a gateway's base URL overrides all other endpoints", async () => {
    const url = 'https://gateway.example.com/bedrock'
    const others = { AWS_ENDPOINT_URL: 'https://b.example.com', AWS_USE_FIPS_ENDPOINT: 'true' }
    const { endpoint } = environment({ ANTHROPIC_BEDROCK_BASE_URL: url, ...others })
    expect(endpoint).toMatchObject({ url, fips: false, dualstack: false })
  })

  test.each<[string, Record<string, string>, string]>([
    [
      'its own',
      { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: 'https://a.example.com', AWS_ENDPOINT_URL: 'https://b.example.com' },
      'https://a.example.com',
    ],
    ['that of all services', { AWS_ENDPOINT_URL: 'https://b.example.com' }, 'https://b.example.com'],
    ['FIPS', { AWS_USE_FIPS_ENDPOINT: 'true' }, 'https://bedrock-runtime-fips.us-east-1.amazonaws.com'],
    [
      'none',
      { AWS_ENDPOINT_URL: 'https://b.example.com', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
      'https://bedrock-runtime.us-east-1.amazonaws.com',
    ],
  ])("AWS's endpoint variables apply: %s", async (_, variables, origin) => {
    const seen: string[] = []
    const bedrock = createBedrockClient({
      ...environment(variables),
      retry: false,
      fetch: async (input) => {
        seen.push(new URL(String(input)).origin)
        return Response.json({}, { status: 400 })
      },
    })
    await bedrock.invoke({ model: 'sonnet', body: {} }).catch(() => {})
    expect(seen).toEqual([origin])
  })

  test('set service tier, betas, retries, timeout and one hour of caching', async () => {
    const options = environment({
      ANTHROPIC_BEDROCK_SERVICE_TIER: 'flex',
      ANTHROPIC_BETAS: 'interleaved-thinking-2025-05-14',
      CLAUDE_CODE_MAX_RETRIES: '4',
      API_TIMEOUT_MS: '120000',
      ENABLE_PROMPT_CACHING_1H: '1',
    })
    expect(options).toMatchObject({ retry: { attempts: 5 }, timeout: { response: 120_000 } })
    const call = await callWith(options, { body: { system: 'word '.repeat(3000) } })
    expect(call.headers['x-amzn-bedrock-service-tier']).toBe('flex')
    expect(call.body.anthropic_beta).toEqual(['interleaved-thinking-2025-05-14'])
    expect(JSON.stringify(call.body.system)).toContain('"ttl":"1h"')
    const short = environment({ ENABLE_PROMPT_CACHING_1H: '1', FORCE_PROMPT_CACHING_5M: '1' })
    expect(JSON.stringify((await callWith(short, { body: { system: 'word '.repeat(3000) } })).body)).not.toContain('1h')
  })

  test('set the geography', async () => {
    expect(
      (await callWith(environment({ ANTHROPIC_BEDROCK_REGION_PREFIX: 'global' }), { model: 'sonnet' })).model,
    ).toBe('global.anthropic.claude-sonnet-4-6')
    expect((await callWith(environment({ ANTHROPIC_BEDROCK_REGION_PREFIX: 'us' }), { model: 'sonnet' })).model).toBe(
      'us.anthropic.claude-sonnet-4-6',
    )
    expect(() => environment({ ANTHROPIC_BEDROCK_REGION_PREFIX: 'eu' })).toThrow(
      /us-east-1 has no profiles of that geography/,
    )
  })

  test.each<[string, Record<string, string>, RegExp]>([
    [
      'an unclear switch',
      { DISABLE_PROMPT_CACHING: 'maybe' },
      /^DISABLE_PROMPT_CACHING in the environment is not a switch/,
    ],
    [
      'too many retries',
      { CLAUDE_CODE_MAX_RETRIES: '99' },
      /^CLAUDE_CODE_MAX_RETRIES in the environment is not a whole number, 0 to 15/,
    ],
    ['an invalid timeout', { API_TIMEOUT_MS: 'soon' }, /^API_TIMEOUT_MS/],
    ['an invalid tier', { ANTHROPIC_BEDROCK_SERVICE_TIER: 'gold' }, /^ANTHROPIC_BEDROCK_SERVICE_TIER/],
    ['an invalid geography', { ANTHROPIC_BEDROCK_REGION_PREFIX: 'mars' }, /^ANTHROPIC_BEDROCK_REGION_PREFIX/],
    [
      'a line that is not a header',
      { ANTHROPIC_CUSTOM_HEADERS: 'X-A: 1\nnonsense' },
      /^Line 2 of ANTHROPIC_CUSTOM_HEADERS/,
    ],
    ['a control character', { ANTHROPIC_CUSTOM_HEADERS: 'X-A: a\u0000b' }, /is not allowed in X-A/],
    ['a CR inside', { ANTHROPIC_CUSTOM_HEADERS: 'X-A: a\rX-B: b' }, /is not allowed in X-A/],
    ['Authorization', { ANTHROPIC_CUSTOM_HEADERS: 'Authorization: Bearer secret-example' }, /the signature uses/],
    ['host', { ANTHROPIC_CUSTOM_HEADERS: 'Host: example.com' }, /part of the signature/],
    ['x-amz-*', { ANTHROPIC_CUSTOM_HEADERS: 'X-Amz-Date: 20260101T000000Z' }, /part of the signature/],
  ])('are rejected with %s, naming the variable and not its value', (_, variables, message) => {
    expect(() => environment(variables)).toThrow(message)
    try {
      environment(variables)
    } catch (error) {
      expect(String(error)).not.toContain('secret-example')
    }
  })

  test('are rejected without Node if they are commands', () => {
    const settings = mergeSettings(settingsFromEnvironment(bedrockVariables), {
      env: {},
      awsAuthRefresh: { value: 'aws sso login', source: { kind: 'user', path: '/home/me/.claude/settings.json' } },
    })
    expect(() => toClientOptions(settings)).toThrow(
      /awsAuthRefresh in \/home\/me\/.claude\/settings.json \(user\) is a command, which needs Node/,
    )
  })
})

describe('availableModels', () => {
  const optionsOf = async (document: object): Promise<BedrockClientOptions> => {
    write('.claude/settings.json', document)
    return load({ env: { ...bedrockVariables, ...keyVariables } })
  }
  const refused = { code: 'model_resolution', message: expect.stringContaining('not among the available models') }

  test.each([[['opus']], [[]]])('leaves default and the small model with %j', async (availableModels) => {
    const options = await optionsOf({ availableModels })
    expect((await callWith(options)).model).toBe('global.anthropic.claude-sonnet-4-6')
    expect((await callWith(options, { model: 'small' })).model).toContain('haiku')
    await expect(callWith(options, { model: 'sonnet' })).rejects.toMatchObject(refused)
    await expect(callWith(options, { model: 'haiku' })).rejects.toMatchObject(refused)
  })

  test('applies to them with enforceAvailableModels', async () => {
    const options = await optionsOf({ availableModels: ['opus'], enforceAvailableModels: true })
    for (const model of ['default', 'small']) await expect(callWith(options, { model })).rejects.toMatchObject(refused)
  })

  test('requires a chosen model in the list', async () => {
    const options = await optionsOf({ availableModels: ['opus'], model: 'haiku' })
    await expect(callWith(options)).rejects.toMatchObject(refused)
  })

  test('cannot be bypassed by the overrides of an untrusted project', async () => {
    write('project/.claude/settings.json', {
      availableModels: ['opus', 'sonnet'],
      modelOverrides: { 'claude-sonnet-4-6': `${arn}/opus-46-prod` },
    })
    const options = await optionsOf({ availableModels: ['sonnet'] })
    expect((await callWith(options, { model: 'sonnet' })).model).toBe('us.anthropic.claude-sonnet-4-6')
    await expect(callWith(options, { model: 'opus' })).rejects.toMatchObject(refused)
    write('.claude/settings.json', { modelOverrides: { 'claude-sonnet-4-6': `${arn}/sonnet` } })
    const overridden = await load({ env: { ...bedrockVariables, ...keyVariables } })
    expect((await callWith(overridden, { model: 'claude-sonnet-4-6' })).model).toBe(`${arn}/sonnet`)
  })
})

describe('unknown names', () => {
  test.each<[string, object, Record<string, string>, string, string]>([
    ["a file's model", { model: 'claude-nope-9' }, {}, 'default', 'model in FILE (user)'],
    ['a variable', {}, { ANTHROPIC_MODEL: 'claude-nope-9' }, 'default', 'ANTHROPIC_MODEL in the environment'],
    [
      'a pin in an env block',
      { env: { ANTHROPIC_DEFAULT_OPUS_MODEL: 'claude-nope-9' } },
      {},
      'opus',
      'ANTHROPIC_DEFAULT_OPUS_MODEL in FILE (user)',
    ],
    [
      'an old name of a pin',
      {},
      { ANTHROPIC_SMALL_FAST_MODEL: 'claude-nope-9' },
      'small',
      'ANTHROPIC_SMALL_FAST_MODEL in the environment',
    ],
    [
      'an override',
      { modelOverrides: { 'claude-opus-4-6': 'nope' } },
      {},
      'claude-opus-4-6',
      'modelOverrides in FILE (user)',
    ],
  ])('of %s fail only their own calls, and the error names the place', async (_, document, variables, model, where) => {
    const file = write('.claude/settings.json', document)
    const options = await load({ env: { ...bedrockVariables, ...keyVariables, ...variables } })
    await expect(callWith(options, { model })).rejects.toMatchObject({
      code: 'model_resolution',
      message: expect.stringContaining(where.replace('FILE', file)),
    })
    expect((await callWith(options, { model: 'sonnet' })).model).toBe('us.anthropic.claude-sonnet-4-6')
  })
})

describe('discovery of unknown models', () => {
  const newer = 'us.anthropic.claude-opus-9-20300101-v1:0'
  test('finds a newer model of the account by its name; aliases and pins need no lookup', async () => {
    fake = createFakeBedrock({ identities: [keys], models: { systemProfiles: [newer] } })
    const options = environment({ ANTHROPIC_DEFAULT_SONNET_MODEL: 'us.anthropic.claude-sonnet-9-v1:0' })
    const bedrock = createBedrockClient({ ...options, fetch: fake.fetch })
    expect((await bedrock.models.resolve('claude-opus-9-20300101')).id).toBe(newer)
    const lists = (): number => fake.calls.filter(({ operation }) => operation === 'ListInferenceProfiles').length
    const asked = lists()
    expect(asked).toBeGreaterThan(0)
    expect((await bedrock.models.resolve('sonnet')).id).toBe('us.anthropic.claude-sonnet-9-v1:0')
    expect((await bedrock.models.resolve('opus')).id).toBe('us.anthropic.claude-opus-4-6-v1')
    expect(lists()).toBe(asked)
  })

  test('looks the ARN in ANTHROPIC_MODEL up once', async () => {
    const options = environment({ ANTHROPIC_MODEL: `${arn}/sonnet` })
    const bedrock = createBedrockClient({ ...options, fetch: fake.fetch })
    for (let i = 0; i < 3; i++)
      expect((await bedrock.models.resolve('default')).base).toBe('anthropic.claude-sonnet-4-6')
    expect(fake.calls.filter(({ operation }) => operation === 'GetInferenceProfile')).toHaveLength(1)
  })
})

describe("Claude Code's names", () => {
  test.each([
    ['opusplan', 'sonnet'],
    ['opusplan[1m]', 'sonnet'],
    ['best', 'opus'],
    ['opus[1m]', 'opus'],
    ['default', 'default'],
  ])('%s resolves to %s', async (name, meaning) => {
    const { model } = await callWith(environment({}), { model: meaning })
    expect((await callWith(environment({ ANTHROPIC_MODEL: name }))).model).toBe(model)
    expect((await callWith(environment({}), { model: name })).model).toBe(model)
  })
})

describe('files', () => {
  const modelOf = async (options: LoadClientOptionsOptions = {}): Promise<string | undefined> =>
    (
      await loadSettings({
        ...places(),
        env: bedrockVariables,
        ...options,
      })
    ).model?.value

  test('apply in the order of precedence', async () => {
    expect(await modelOf()).toBeUndefined()
    write('.claude/settings.json', { model: 'user' })
    expect(await modelOf()).toBe('user')
    write('project/.claude/settings.json', { model: 'project' })
    expect(await modelOf()).toBe('project')
    write('project/.claude/settings.local.json', { model: 'local' })
    expect(await modelOf()).toBe('local')
    const settingsFile = write('flag.json', { model: 'flag' })
    expect(await modelOf({ settingsFile })).toBe('flag')
    write('managed/managed-settings.json', { model: 'managed' })
    expect(await modelOf({ settingsFile })).toBe('managed')
    write('managed/managed-settings.d/10-a.json', { model: 'first drop-in' })
    write('managed/managed-settings.d/20-b.json', { model: 'second drop-in' })
    expect(await modelOf({ settingsFile })).toBe('second drop-in')
  })

  test("of the user are not the project's, in the home directory", async () => {
    write('.claude/settings.json', { model: 'opus', env: { AWS_PROFILE: 'dev' } })
    const explanation = explainSettings(await loadSettings({ ...places(), cwd: home, env: bedrockVariables }))
    expect(explanation.ignored).toEqual([])
    expect(explanation.settings.find(({ key }) => key === 'model')?.overrode).toEqual([])
  })

  test('of the user are found by CLAUDE_CONFIG_DIR', async () => {
    write('elsewhere/settings.json', { model: 'moved' })
    expect(await modelOf({ env: { ...bedrockVariables, CLAUDE_CONFIG_DIR: path('elsewhere') } })).toBe('moved')
  })

  test('merge lists, except a managed one, and overrides by model', async () => {
    write('.claude/settings.json', {
      availableModels: ['sonnet'],
      modelOverrides: { 'claude-opus-4-6': 'a', 'claude-sonnet-4-6': 'b' },
    })
    write('project/.claude/settings.json', { availableModels: ['opus'], modelOverrides: { 'claude-opus-4-6': 'c' } })
    const load = (): ReturnType<typeof loadSettings> => loadSettings({ ...places(), env: {}, trustProject: true })
    expect((await load()).availableModels?.value).toEqual(['sonnet', 'opus'])
    expect((await load()).modelOverrides?.value).toEqual({ 'claude-opus-4-6': 'c', 'claude-sonnet-4-6': 'b' })
    write('managed/managed-settings.json', { availableModels: ['haiku'] })
    expect((await load()).availableModels?.value).toEqual(['haiku'])
  })

  test('of an untrusted project run nothing and set no variable', async () => {
    const flagFile = path('ran')
    const project = {
      model: 'haiku',
      awsCredentialExport: `touch ${flagFile}`,
      awsAuthRefresh: `touch ${flagFile}`,
      env: { ANTHROPIC_BEDROCK_BASE_URL: 'https://attacker.example.com' },
    }
    write('project/.claude/settings.json', project)
    write('project/.claude/settings.local.json', project)
    const env = { ...bedrockVariables, ...keyVariables }
    const untrusted = await load({ env })
    expect(untrusted.endpoint).toBeUndefined()
    expect((await callWith(untrusted)).model).toContain('haiku')
    expect(existsSync(flagFile)).toBe(false)
    expect((await load({ env, trustProject: true })).endpoint).toMatchObject({ url: 'https://attacker.example.com' })
  })

  test('have env blocks that override the environment, and leave process.env alone', async () => {
    write('.claude/settings.json', { env: { AWS_REGION: 'eu-west-1', CLAUDE_CODE_MAX_RETRIES: 2 } })
    const before = { ...process.env }
    expect(await load()).toMatchObject({ region: 'eu-west-1', retry: { attempts: 3 } })
    expect(process.env).toEqual(before)
  })

  test('may leave the Region to the profile', async () => {
    write('.aws/config', '[profile corp]\nregion = eu-central-1\n')
    const env = { CLAUDE_CODE_USE_BEDROCK: '1', AWS_PROFILE: 'corp', HOME: home }
    expect((await load({ env })).region).toBe('eu-central-1')
  })

  test.each<[string, string, RegExp]>([
    ['a trailing comma', '{\n  "model": "a",\n}', /settings\.json:3:1 is not JSON/],
    ['an early end', '{\n  "env": {', /settings\.json:2:11 is not JSON/],
    ['a list', '[]', /is not an object/],
    ['a number as the model', '{ "model": 4 }', /^model in .*settings\.json \(user\) is not a one-line string/],
    ['a list as the env block', '{ "env": [] }', /is not an object of variables/],
    [
      'overrides of the wrong type',
      '{ "modelOverrides": { "claude-opus-4-6": 1 } }',
      /modelOverrides\.claude-opus-4-6/,
    ],
    ['invalid names', '{ "availableModels": "sonnet" }', /is not a list of at most/],
  ])('are rejected with %s', async (_, content, message) => {
    write('.claude/settings.json', content)
    const error = await load().catch((error) => error)
    expect(error).toMatchObject({ code: 'configuration' })
    expect(error.message).toMatch(message)
  })

  test('are not quoted if they are not JSON', async () => {
    write('.claude/settings.json', '{ "env": { "AWS_BEARER_TOKEN_BEDROCK": "secret-in-the-file" ')
    expect(String(await load().catch((error) => error))).not.toContain('secret-in-the-file')
  })

  test('must exist if they were requested', async () => {
    await expect(load({ settingsFile: path('missing.json') })).rejects.toThrow(/missing\.json cannot be read: ENOENT/)
  })
})

test('explainSettings shows each value, its source and what it overrode, without secrets', async () => {
  write('.claude/settings.json', { model: 'opus', env: { AWS_REGION: 'eu-west-1' } })
  const env = { ...bedrockVariables, ...keyVariables, AWS_BEARER_TOKEN_BEDROCK: 'api-key-example', OTHER: 'x' }
  const explanation = explainSettings(await loadSettings({ ...places(), env }))
  const text = String(explanation)
  expect(text).toContain(
    `env.AWS_REGION = eu-west-1, from ${path('.claude/settings.json')} (user); over us-east-1 of the environment`,
  )
  expect(text).toContain('model = opus')
  expect(text).not.toContain('OTHER')
  const shown = text + JSON.stringify(explanation)
  for (const secret of [keys.secretAccessKey, keys.accessKeyId, 'api-key-example']) expect(shown).not.toContain(secret)
})
