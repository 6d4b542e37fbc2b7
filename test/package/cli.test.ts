import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBedrockClient } from 'outcrop'
import { createFakeBedrock, type FakeBedrock } from 'outcrop/testing'
import { type FakeBedrockServer, serveFakeBedrock } from 'outcrop/testing/node'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ctrlC, ctrlD, playOutcrop } from './pty.ts'
import { type Consumer, installPacked, type Outcome, root, runOutcrop } from './packed.ts'

const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/sonnet-prod'

let consumer: Consumer
let fake: FakeBedrock
let server: FakeBedrockServer
beforeAll(async () => {
  consumer = installPacked()
  fake = createFakeBedrock({ models: { applicationProfiles: { [arn]: 'anthropic.claude-sonnet-4-6' } } })
  server = await serveFakeBedrock(fake)
})
afterAll(async () => {
  await server?.close()
  consumer?.remove()
})
beforeEach(() => fake.reset())

function outcrop(
  args: string[],
  { env, input }: { env?: Record<string, string>; input?: string } = {},
): Promise<Outcome> {
  const surroundings = {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: server.url,
    AWS_ENDPOINT_URL_STS: `${server.url}/sts`,
    AWS_ACCESS_KEY_ID: fake.identity.accessKeyId,
    AWS_SECRET_ACCESS_KEY: fake.identity.secretAccessKey,
  }
  return runOutcrop(consumer, args, { ...surroundings, ...env }, input)
}

test('answers --help and --version', async () => {
  expect((await outcrop(['--help'])).stdout).toContain('doctor')
  expect((await outcrop(['doctor', '--help'])).stdout).toContain('--invoke')
  expect((await outcrop(['help', 'doctor'])).stdout).toContain('--invoke')
  expect((await outcrop(['--version'])).stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/)
})

test.each([
  [['docter'], 'Unknown command "docter". Did you mean doctor?'],
  [['help', 'constructor'], 'Unknown command "constructor".'],
  [['doctor', '--modles', 'x'], 'Unknown flag --modles. Did you mean --models?'],
  [['doctor', 'sonnet'], 'outcrop doctor takes no argument "sonnet".'],
  [['explain'], 'outcrop explain needs a MODEL.'],
  [['explain', 'sonnet', 'opus'], 'outcrop explain takes no argument "opus".'],
  [['chat', '--model'], "Option '--model <value>' argument missing"],
  [['doctor', '--region', ''], '--region is empty.'],
  [['doctor', '--guardrail', 'gr1'], '--guardrail needs an identifier and a version'],
  [['iam-policy', '--format', 'yaml'], '--format must be json or terraform.'],
  [['iam-policy', '--features', 'strem'], '--features: unknown feature "strem"; known features: stream,'],
  [['iam-policy', '--account', '12'], '--account must be 12 digits.'],
  [['fake', '--port', '99999'], '--port must be a whole number, 0 to 65535.'],
  [['fake', '--latency', '-1'], '--latency'],
  [['fake', '--fail', 'throtling'], 'Unknown fault "throtling". Did you mean throttling?'],
  [['fake', '--fail', 'throttling:0'], 'the count must be a whole number, 1 or more.'],
  [['chat'], 'There is no prompt: stdin is empty.'],
])('reports an invalid command line in a sentence, with code 2: outcrop %j', async (args, message) => {
  const { code, stdout, stderr } = await outcrop(args)
  expect(stderr).toContain(message)
  expect(stderr).not.toMatch(/^ +at /m)
  expect(stdout).toBe('')
  expect(code).toBe(2)
})

test('escapes control characters of foreign text', async () => {
  const hostile = '\u001b[2J\u0007\u202e\r'
  const outcomes = [
    await outcrop(['explain', `a${hostile}`]),
    await outcrop([`a${hostile}`]),
    await outcrop(['doctor', '--models', `a${hostile}`]),
    await outcrop(['doctor', '--json', '--models', `a\u007f\u202e`]),
    await outcrop(['chat', '--model', 'sonnet'], { input: `Say outcrop\u0000 ${hostile}` }),
    await outcrop(['chat', '--model', 'sonnet'], { input: `Say ${hostile}` }),
  ]
  for (const { stdout, stderr } of outcomes) expect(stdout + stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]/)
  expect(outcomes.at(-1)?.stdout).toContain('\\u001b[2J')
  expect(JSON.parse(outcomes[3]?.stdout ?? '').results.at(-1)).toMatchObject({ subject: 'a\u007f\u202e' })
})

describe('prints no secret that it is given', () => {
  const secret = (name: string): string => `secret-${name}-example-0123456789`
  const keys = { AWS_SECRET_ACCESS_KEY: secret('key'), AWS_SESSION_TOKEN: secret('session') }
  const proxies = { HTTPS_PROXY: `http://me:${secret('proxy')}@127.0.0.1:1`, ALL_PROXY: `http://me:${secret('all')}@a` }
  const gateway = {
    CLAUDE_CODE_USE_BEDROCK: '1',
    CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1',
    ANTHROPIC_AUTH_TOKEN: secret('auth'),
    ANTHROPIC_API_KEY: secret('anthropic'),
    ANTHROPIC_CUSTOM_HEADERS: `X-Team: a\nAuthorization: Bearer ${secret('header')}`,
    CLAUDE_CODE_CLIENT_KEY_PASSPHRASE: secret('phrase'),
    CLAUDE_CODE_EXTRA_BODY: `{"key":"${secret('body')}"}`,
  }
  const settings = {
    apiKeyHelper: `echo ${secret('helper')}`,
    awsAuthRefresh: `login --password ${secret('login')}`,
    awsCredentialExport: `echo ${secret('export')}; echo password=${secret('said')} >&2; exit 1`,
    env: { CLAUDE_CODE_USE_BEDROCK: '1', AWS_BEARER_TOKEN_BEDROCK: '' },
  }
  const around: [string, Record<string, string>][] = [
    ['keys that AWS refuses', keys],
    ['an API key that Bedrock refuses', { AWS_BEARER_TOKEN_BEDROCK: secret('api') }],
    ['an API key that no header carries', { AWS_BEARER_TOKEN_BEDROCK: `${secret('api')}\u0007` }],
    ['proxies', { ...keys, ...proxies, AWS_ENDPOINT_URL: 'https://bedrock.invalid', AWS_ENDPOINT_URL_STS: '' }],
    ['the bearer of a gateway', gateway],
    ['a header that the signature uses', { ...gateway, CLAUDE_CODE_SKIP_BEDROCK_AUTH: '0' }],
    ['an endpoint with a password', { AWS_ENDPOINT_URL: `https://me:${secret('endpoint')}@bedrock.invalid` }],
    [
      'a base URL with a password',
      { ...gateway, ANTHROPIC_BEDROCK_BASE_URL: `https://me:${secret('base')}@bedrock.invalid` },
    ],
    ['variables of a wrong kind', { ...gateway, API_TIMEOUT_MS: secret('timeout') }],
    ['commands of settings', { HOME: 'settings' }],
  ]
  const commands: [string[], string][] = [
    [['doctor', '--invoke', '--models', 'sonnet'], ''],
    [['iam-policy', '--from-settings'], ''],
    [['chat', '--model', 'sonnet'], 'Hi'],
  ]
  test.each(around)('%s', async (_, env) => {
    const home = mkdtempSync(join(consumer.directory, 'home-'))
    mkdirSync(join(home, '.claude'))
    if (env.HOME) writeFileSync(join(home, '.claude/settings.json'), JSON.stringify(settings))
    const outcomes = await Promise.all(
      commands.map(([args, input]) => outcrop(args, { env: { ...env, HOME: home, OUTCROP_LOG: 'debug' }, input })),
    )
    const shown = outcomes.map(({ stdout, stderr }) => stdout + stderr).join('\n')
    // It has said something, and nothing of that.
    expect(shown.length).toBeGreaterThan(500)
    expect(shown).not.toMatch(/secret-\w+-example/)
    expect(shown).not.toContain('[redacted], because')
  })

  test('accepts an endpoint on the command line', async () => {
    const { stdout, stderr } = await outcrop(['doctor', '--endpoint', `https://me:${secret('flag')}@bedrock.invalid`])
    expect(stdout + stderr).not.toContain(secret('flag'))
  })
})

test('ends without an error if its reader leaves early', async () => {
  const command = `${JSON.stringify(join(consumer.directory, 'node_modules/.bin/outcrop'))} iam-policy --broad | head -1; echo done`
  const child = spawn('sh', ['-c', command], { env: { PATH: process.env.PATH ?? '' } })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  await new Promise((resolve) => child.once('close', resolve))
  expect(text).toBe('{\ndone\n')
})

describe('doctor', () => {
  test('a correct setup: code 0, plain text, at most 80 columns', async () => {
    const { code, stdout } = await outcrop(['doctor', '--models', `sonnet,${arn}`, '--invoke'])
    expect(stdout).toContain('arn:aws:iam::123456789012:user/me')
    expect(stdout).toMatch(/^ok +call sonnet: answered in \d+ ms$/m)
    expect(stdout).not.toContain('\u001b')
    // An ARN is longer than a line, and is not broken.
    for (const line of stdout.split('\n').filter((line) => !line.includes('arn:')))
      expect(line.length).toBeLessThanOrEqual(80)
    expect(code).toBe(0)
  })

  test('a failure: code 1, after all other checks', async () => {
    fake.fail('use-case-form', { operation: 'GetUseCaseForModelAccess' })
    const { code, stdout } = await outcrop(['doctor', '--json'])
    const { healthy, results } = JSON.parse(stdout)
    expect(healthy).toBe(false)
    expect(results.find(({ check }: { check: string }) => check === 'use-case form')).toMatchObject({
      status: 'failure',
    })
    expect(results.at(-1)).toMatchObject({ check: 'access', subject: 'small', status: 'ok' })
    expect(code).toBe(1)
  })

  test('the settings of Claude Code: their sources, pins, overrides and guardrail', async () => {
    mkdirSync(join(consumer.directory, '.claude'), { recursive: true })
    const file = join(consumer.directory, '.claude/settings.json')
    writeFileSync(
      file,
      JSON.stringify({
        modelOverrides: { 'claude-sonnet-4-6': arn },
        env: {
          CLAUDE_CODE_USE_BEDROCK: '1',
          ANTHROPIC_DEFAULT_OPUS_MODEL: 'us.anthropic.claude-opus-4-6-v1',
          ANTHROPIC_CUSTOM_HEADERS: 'X-Amzn-Bedrock-GuardrailIdentifier: gr9\nX-Amzn-Bedrock-GuardrailVersion: 1',
        },
      }),
    )
    const { stdout, code } = await outcrop(['doctor', '--json'])
    rmSync(file)
    const { results } = JSON.parse(stdout) as {
      results: { check: string; subject?: string; status: string; message: string }[]
    }
    const found = (check: string, subject: string) =>
      results.find((each) => each.check === check && each.subject === subject)
    expect(found('setting', 'env.CLAUDE_CODE_USE_BEDROCK')?.message).toContain(file)
    expect(found('model', 'opus')?.message).toContain('us.anthropic.claude-opus-4-6-v1')
    expect(found('model', 'claude-sonnet-4-6')?.message).toContain(arn)
    expect(found('guardrail', 'gr9')?.status).toBe('failure')
    expect(code).toBe(1)
  })

  test('--profile overrides the environment and the settings, and says so', async () => {
    mkdirSync(join(consumer.directory, '.aws'), { recursive: true })
    const config = join(consumer.directory, '.aws/config')
    writeFileSync(config, '[profile dev]\nregion = eu-west-1\n')
    const { stdout } = await outcrop(['doctor', '--profile', 'dev', '--models', 'sonnet'], { env: { AWS_REGION: '' } })
    rmSync(config)
    expect(stdout).toContain('region: eu-west-1, from the profile dev')
  })

  test('no credentials: one failure, and one note for the skipped checks', async () => {
    const { stdout, code } = await outcrop(['doctor', '--invoke', '--json'], {
      env: { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
    })
    const { results } = JSON.parse(stdout) as { results: { status: string; check: string }[] }
    expect(results.filter(({ status }) => status === 'failure').map(({ check }) => check)).toEqual(['identity'])
    expect(results.at(-1)).toMatchObject({ check: 'not known', status: 'note' })
    expect(code).toBe(1)
  })

  test("AWS's package is found in the working folder too, where the hint says to install it", async () => {
    const project = mkdtempSync(join(tmpdir(), 'outcrop-project-'))
    const { accessKeyId, secretAccessKey } = fake.identity
    mkdirSync(join(project, '.aws'))
    writeFileSync(
      join(project, '.aws/credentials'),
      `[dev]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    )
    const run = (args: string[], env: Record<string, string>) => {
      const places = { HOME: project, AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: server.url }
      const all = { ...places, AWS_ENDPOINT_URL_STS: `${server.url}/sts`, ...env }
      return runOutcrop(consumer, ['doctor', '--models', 'sonnet', ...args], all, '', project)
    }
    const ways: [string[], Record<string, string>][] = [
      [[], { AWS_PROFILE: 'dev' }],
      [['--profile', 'dev'], {}],
      [[], { AWS_PROFILE: 'dev', CLAUDE_CODE_USE_BEDROCK: '1' }],
    ]
    for (const [args, env] of ways) {
      const { stdout } = await run(args, env)
      expect(stdout.replace(/\s+/g, ' ')).toContain('Run `npm install @aws-sdk/credential-provider-node`')
    }
    mkdirSync(join(project, 'node_modules/@aws-sdk'), { recursive: true })
    const name = 'node_modules/@aws-sdk/credential-provider-node'
    symlinkSync(join(root, name), join(project, name))
    for (const [args, env] of ways) {
      const { stdout, code } = await run(args, env)
      expect(stdout).toContain('user/me')
      expect(code).toBe(0)
    }
    rmSync(project, { recursive: true })
  })

  test('invalid settings: a sentence that names the place', async () => {
    const file = join(consumer.directory, '.claude/settings.json')
    mkdirSync(join(consumer.directory, '.claude'), { recursive: true })
    writeFileSync(file, '{ "model": }')
    const { stdout, code } = await outcrop(['doctor'])
    const explained = await outcrop(['explain', 'sonnet'])
    rmSync(file)
    expect(stdout).toMatch(/failure +setup: .*settings\.json:1:12 is not\s+JSON/)
    expect(explained.stderr).toContain('is not JSON')
    expect(explained.stderr).not.toMatch(/^ +at /m)
    expect([code, explained.code]).toEqual([1, 1])
  })

  test('no Region: a failure that says how to set one, and still the identity', async () => {
    const { code, stdout } = await outcrop(['doctor'], { env: { AWS_REGION: '' } })
    expect(stdout).toContain('no AWS Region is set')
    expect(stdout).toContain('user/me')
    expect(code).toBe(1)
    expect((await outcrop(['models'], { env: { AWS_REGION: '' } })).stderr).toContain('No AWS Region is set')
  })

  test('ignored settings, an untrusted project and missing pins: no command and no secret is shown whole', async () => {
    const project = mkdtempSync(join(tmpdir(), 'outcrop-project-'))
    for (const [folder, settings] of [
      [
        'home',
        {
          env: {
            CLAUDE_CODE_USE_BEDROCK: '1',
            ANTHROPIC_DEFAULT_OPUS_MODEL: 'us.anthropic.claude-opus-4-6-v1',
            ALL_PROXY: 'http://me:secret-example@proxy',
          },
        },
      ],
      ['work', { env: { AWS_PROFILE: 'evil' }, awsAuthRefresh: `touch ${join(project, 'ran')} secret-example` }],
    ] as const) {
      mkdirSync(join(project, folder, '.claude'), { recursive: true })
      writeFileSync(join(project, folder, '.claude/settings.json'), JSON.stringify(settings))
    }
    const env = { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: server.url, AWS_ENDPOINT_URL_STS: `${server.url}/sts` }
    const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = fake.identity
    const all = { ...env, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, HOME: join(project, 'home') }
    const run = async (args: string[]): Promise<string> => {
      const { stdout, stderr } = await runOutcrop(consumer, ['doctor', ...args], all, '', join(project, 'work'))
      return (stdout + stderr).replace(/\s+/g, ' ')
    }
    const shown = await run([])
    expect(shown).toContain('env.ALL_PROXY is ignored, because')
    expect(shown).toContain('awsAuthRefresh, env.AWS_PROFILE are ignored, because the project is not trusted')
    expect(shown).toContain('--trust-project')
    expect(shown).toMatch(/warning pins: sonnet, haiku are not pinned.*ANTHROPIC_DEFAULT_SONNET_MODEL=us\.anthropic/)
    const trusted = await run(['--trust-project'])
    expect(trusted).toContain('setting awsAuthRefresh: touch …')
    for (const text of [shown, trusted]) expect(text).not.toContain('secret-example')
    expect(existsSync(join(project, 'ran'))).toBe(false)
    rmSync(project, { recursive: true })
  })

  test('prints no secret', async () => {
    fake.fail('signature-mismatch', { times: 20 })
    const { stdout, stderr } = await outcrop(['doctor', '--invoke'], { env: { OUTCROP_LOG: 'debug' } })
    expect(stdout).toContain('failure')
    expect(stdout + stderr).not.toContain(fake.identity.secretAccessKey)
  })
})

test("models: lists the account's models, and the aliases that select them", async () => {
  const { code, stdout } = await outcrop(['models'])
  expect(stdout).toMatch(/^us\.anthropic\.claude-sonnet-4-6 +active +.*sonnet/m)
  expect(stdout).toContain(arn)
  expect(code).toBe(0)
  const { models } = JSON.parse((await outcrop(['models', '--json', '--all'])).stdout)
  expect(models.length).toBeGreaterThan(10)
})

test('explain: shows how a name resolves', async () => {
  expect(await outcrop(['explain', 'sonnet'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('us.anthropic.claude-sonnet-4-6 in us-east-1 (alias)'),
  })
  expect(await outcrop(['explain', 'opus-5'])).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('Did you mean claude-opus-5'),
  })
})

describe('iam-policy', () => {
  test("for the defaults, with the account's own destinations", async () => {
    const { code, stdout, stderr } = await outcrop(['iam-policy', '--models', `sonnet,${arn}`])
    const { Statement } = JSON.parse(stdout)
    const resources = Statement.flatMap(({ Resource }: { Resource: string[] }) => Resource)
    expect(resources).toContain(
      'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6',
    )
    expect(resources).toContain(arn)
    expect(stderr).toContain('by discovery')
    expect(code).toBe(0)
  })

  test('from the catalog, without permission to list profiles', async () => {
    fake.fail('iam-denied', { operation: 'ListInferenceProfiles', times: 5 })
    const { stderr, code } = await outcrop(['iam-policy', '--models', 'sonnet', '--account', '123456789012'])
    expect(stderr).toContain('by catalog')
    expect(code).toBe(0)
  })

  test('--from-settings: models, overrides in another Region, guardrail and other features', async () => {
    expect((await outcrop(['iam-policy', '--from-settings'])).stderr).toContain('do not select Bedrock')
    const other = 'arn:aws:bedrock:us-east-2:123456789012:application-inference-profile/opus-46-prod'
    mkdirSync(join(consumer.directory, '.claude'), { recursive: true })
    const file = join(consumer.directory, '.claude/settings.json')
    writeFileSync(
      file,
      JSON.stringify({
        modelOverrides: { 'claude-opus-4-6': other },
        env: {
          CLAUDE_CODE_USE_BEDROCK: '1',
          ANTHROPIC_CUSTOM_HEADERS: 'X-Amzn-Bedrock-GuardrailIdentifier: gr9\nX-Amzn-Bedrock-GuardrailVersion: 1',
        },
      }),
    )
    const { stdout, stderr, code } = await outcrop(['iam-policy', '--from-settings'])
    rmSync(file)
    expect(code).toBe(0)
    const { Statement } = JSON.parse(stdout) as { Statement: { Sid: string; Resource: string[] | string }[] }
    const resources = Statement.flatMap(({ Resource }) => Resource)
    expect(resources).toContain(other)
    for (const region of ['us-east-1', 'us-east-2', 'us-west-2'])
      expect(resources).toContain(`arn:aws:bedrock:${region}::foundation-model/anthropic.claude-opus-4-6-v1`)
    expect(Statement.map(({ Sid }) => Sid)).toEqual(
      expect.arrayContaining(['CountTokens', 'Discovery', 'Guardrail', 'Marketplace', 'NothingWithoutTheGuardrail']),
    )
    expect(stderr).toContain(`${other}: `)
  })

  test('as Terraform, and broad', async () => {
    expect((await outcrop(['iam-policy', '--format', 'terraform'])).stdout).toContain('data "aws_iam_policy_document"')
    expect((await outcrop(['iam-policy', '--broad'])).stdout).toContain('foundation-model/*')
  })
})

describe('chat', () => {
  const env = () => ({
    PATH: process.env.PATH ?? '',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: fake.identity.accessKeyId,
    AWS_SECRET_ACCESS_KEY: fake.identity.secretAccessKey,
  })

  test('treats a pipe as one prompt', async () => {
    const { code, stdout } = await outcrop(['chat', '--model', 'sonnet', '--system', 'Be brief.'], {
      input: 'One\nTwo\n/exit\n',
    })
    expect(stdout).toBe('You said: One\nTwo\n/exit\n')
    expect(fake.calls.map(({ body }) => body)).toMatchObject([
      { system: 'Be brief.', messages: [{ content: 'One\nTwo\n/exit' }] },
    ])
    expect(code).toBe(0)
  })

  test('exits with code 1 and a hint if the answer fails', async () => {
    fake.fail('use-case-form')
    const { code, stderr } = await outcrop(['chat'], { input: 'Hi' })
    expect(stderr).toContain('use case')
    expect(code).toBe(1)
  })

  test('reports an unknown name before anything is typed', async () => {
    const { code, stderr } = await outcrop(['chat', '--model', 'opus-5'], { input: 'Hi' })
    expect(stderr).toContain('Did you mean claude-opus-5')
    expect(code).toBe(1)
  })

  test('continues at a terminal, until /exit', async () => {
    const { code, screen } = await playOutcrop(consumer, ['chat', '--model', 'sonnet'], env(), [
      ['> ', 'One\r'],
      ['You said: One', ''],
      ['> ', 'Two\r'],
      ['You said: Two', ''],
      ['> ', '/exit\r'],
    ])
    expect(fake.calls.at(-1)?.body.messages).toHaveLength(3)
    expect(screen).toContain('You said: Two')
    expect(code).toBe(0)
  })

  test('ends an answer on Ctrl-C, and the program on a second one or Ctrl-D', async () => {
    fake.fail('stream-stall', { after: 4 })
    const { code, screen } = await playOutcrop(consumer, ['chat', '--model', 'sonnet'], env(), [
      ['> ', 'Tell me more\r'],
      ['You said', ctrlC],
      ['> ', 'Again\r'],
      ['You said: Again', ''],
      ['> ', 'half a line'],
      ['half a line', ctrlC],
      ['> ', ctrlC],
      ['end the chat', ctrlC],
    ])
    expect(screen).toContain('You said: Again')
    expect(code).toBe(0)
    // A prompt without an answer is not part of the conversation.
    expect(fake.calls.at(-1)?.body.messages).toHaveLength(1)
    expect((await playOutcrop(consumer, ['chat'], env(), [['> ', ctrlD]])).code).toBe(0)
  })
})

describe('init', () => {
  const answers = (...lines: string[]) => ({ input: `${lines.join('\n')}\n` })

  test('writes the environment block after the checks, and keeps the rest of a .env, unprinted', async () => {
    const file = join(consumer.directory, '.env')
    const before =
      '# mine\r\n\r\nOTHER = "a\nAWS_REGION=not-this-one\n"\r\nexport AWS_REGION=eu-west-1 # old\r\n\r\nDATABASE_PASSWORD=hunter2example'
    writeFileSync(file, before)
    const { code, stdout, stderr } = await outcrop(['init', '--yes', '--model', 'sonnet', '--file', file])
    expect(stdout).toContain('ok ')
    expect(stdout + stderr).not.toMatch(/hunter2example|OTHER/)
    expect(code).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(
      `${before.replace('eu-west-1 # old', 'us-east-1')}\r\nCLAUDE_CODE_USE_BEDROCK=1\r\nANTHROPIC_MODEL=sonnet\r\n`,
    )
  })

  test('writes a settings file, keeping its other content and indentation', async () => {
    const file = join(consumer.directory, 'settings.json')
    writeFileSync(file, JSON.stringify({ model: 'opus', env: { A: '1' } }, null, '\t'))
    const { stdout } = await outcrop(['init', '--yes', '--no-check', '--file', file])
    expect(stdout).not.toContain('opus')
    expect(readFileSync(file, 'utf8')).toBe(
      `${JSON.stringify({ model: 'opus', env: { A: '1', CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1' } }, null, '\t')}\n`,
    )
  })

  test('--pin pins the newest of each family that the account has', async () => {
    const file = join(consumer.directory, 'pinned.json')
    const { code } = await outcrop(['init', '--yes', '--pin', '--no-check', '--file', file])
    const { env } = JSON.parse(readFileSync(file, 'utf8'))
    rmSync(file)
    expect(code).toBe(0)
    for (const family of ['OPUS', 'SONNET', 'HAIKU'])
      expect(env[`ANTHROPIC_DEFAULT_${family}_MODEL`]).toMatch(
        new RegExp(`^us\\.anthropic\\.claude-${family.toLowerCase()}-`),
      )
  })

  test('writes nothing if the checks fail', async () => {
    fake.fail('use-case-form', { operation: 'GetUseCaseForModelAccess' })
    const { code, stderr } = await outcrop(['init', '--yes', '--file', 'never.env'])
    expect(stderr).toContain('nothing was written')
    expect(existsSync(join(consumer.directory, 'never.env'))).toBe(false)
    expect(code).toBe(1)
  })

  test.each([
    ['.env', 'eu-central-1', '', 'sonnet', 'haiku'],
    ['.claude/settings.json', 'eu-central-1', '', 'sonnet', 'haiku'],
    [
      'a/new/.env.local',
      'us-east-1',
      'my $HOME profile',
      'claude-opus-5',
      'eu.anthropic.claude-haiku-4-5-20251001-v1:0',
    ],
    ['.claude/settings.json', 'us-east-1', "it's a profile", arn, ''],
    ['other.json', 'us-gov-west-1', '', '', ''],
    ['.env', 'us-east-1', '', '', 'fable'],
  ])('writes files from piped answers that load again: %s %s %s %s %s', async (name, region, profile, model, small) => {
    const folder = mkdtempSync(join(consumer.directory, 'round-trip-'))
    const home = join(folder, 'home')
    mkdirSync(join(home, '.aws'), { recursive: true })
    writeFileSync(join(home, '.aws/config'), `[profile ${profile || 'other'}]\nregion = us-east-1\n`)
    const args = ['init', '--no-check', '--file', join(folder, name), '--endpoint', 'https://gateway.example/a']
    const { code, stderr } = await outcrop(args, {
      ...answers(region, profile, model, small, 'yes'),
      env: { HOME: home, AWS_REGION: '' },
    })
    expect({ code, stderr }).toMatchObject({ code: 0 })

    const isJson = name.endsWith('.json')
    const load = `
      import { loadClientOptions } from 'outcrop/settings/node'
      import { createBedrockClient } from 'outcrop'
      const place = { home: ${JSON.stringify(home)}, cwd: ${JSON.stringify(home)}, managedDirectory: '/nowhere' }
      const options = await loadClientOptions({ ...place, env: ${isJson ? '{}' : 'process.env'}${isJson ? `, settingsFile: ${JSON.stringify(join(folder, name))}` : ''} })
      const { models } = createBedrockClient(options)
      const ids = await Promise.all(['default', 'small'].map(async (name) => (await models.resolve(name)).id))
      console.log(JSON.stringify({ region: options.region, endpoint: options.endpoint, ids }))
    `
    const file = join(consumer.directory, 'load.mjs')
    writeFileSync(file, load)
    const environment = isJson ? [] : [`--env-file=${join(folder, name)}`]
    const loaded = JSON.parse(
      execFileSync(process.execPath, [...environment, file], { encoding: 'utf8', env: {}, cwd: consumer.directory }),
    )
    const { models } = createBedrockClient({ region, credentials: 'none', env: {} })
    const expected = [model || 'default', small || 'small'].map(async (each) => (await models.resolve(each)).id)
    expect(loaded).toMatchObject({ region, ids: await Promise.all(expected) })
    expect(JSON.stringify(loaded.endpoint)).toContain('https://gateway.example/a')
    if (profile && !isJson) {
      const read = execFileSync(process.execPath, [...environment, '-p', 'process.env.AWS_PROFILE'], {
        encoding: 'utf8',
      })
      expect(read.trim()).toBe(profile)
    }
  })

  test.each([
    ['a region', ['us-est-1'], 'Did you mean us-east-1?'],
    ['a profile', ['us-east-1', 'nobody'], '~/.aws has no profile "nobody"'],
    ['a model', ['us-east-1', '', 'opus-5'], 'Did you mean claude-opus-5'],
    ['a small model', ['us-east-1', '', '', 'haikoo'], 'Did you mean haiku?'],
    ['yes or no', ['us-east-1', '', '', '', 'perhaps'], 'Answer yes or no'],
    ['the end of the pipe', ['us-east-1'], 'Nothing was written.'],
    ['no', ['us-east-1', '', '', '', 'no'], 'Nothing was written.'],
  ])('checks a piped answer: %s', async (_, lines, message) => {
    const { code, stderr } = await outcrop(['init', '--no-check', '--file', 'never.env'], answers(...lines))
    expect(stderr).toContain(message)
    expect(stderr).not.toMatch(/^ +at /m)
    expect(existsSync(join(consumer.directory, 'never.env'))).toBe(false)
    expect(code).toBe(1)
  })

  test.each([
    ['broken.json', '{ "env": { "SECRET": "hunter2example", }', 'is not JSON'],
    ['list.json', '[]', 'is not a JSON object'],
    ['env.json', '{ "env": "x" }', 'env in'],
  ])('leaves a file alone that it cannot keep: %s', async (name, text, message) => {
    const file = consumer.write(name, text)
    const { code, stdout, stderr } = await outcrop(['init', '--yes', '--no-check', '--file', file])
    expect(stderr).toContain(message)
    expect(stdout + stderr).not.toMatch(/hunter2example|^ +at /m)
    expect(readFileSync(file, 'utf8')).toBe(text)
    expect(code).toBe(1)
  })

  test('reports a folder in place of a file in a sentence', async () => {
    const { code, stderr } = await outcrop(['init', '--yes', '--no-check', '--file', consumer.directory])
    expect(stderr).toContain('cannot be read')
    expect(stderr).not.toMatch(/^ +at /m)
    expect(code).toBe(1)
  })

  test('asks again at a terminal, and ends on Ctrl-C and Ctrl-D', async () => {
    const env = { PATH: process.env.PATH ?? '' }
    const args = ['init', '--no-check', '--file', 'terminal.env']
    const played = await playOutcrop(consumer, args, env, [
      ['AWS Region: ', 'us-est-1\r'],
      ['Did you mean us-east-1?', ''],
      ['AWS Region: ', 'us-east-1\r'],
      ['AWS profile', '\r'],
      ['Model', 'opus-5\r'],
      ['Did you mean claude-opus-5', ''],
      ['Model', 'claude-opus-5\r'],
      ['Small model', '\r'],
      ['Write it?', '\r'],
    ])
    expect(played).toMatchObject({ code: 0, screen: expect.stringContaining('Written: terminal.env') })
    expect(readFileSync(join(consumer.directory, 'terminal.env'), 'utf8')).toBe(
      'CLAUDE_CODE_USE_BEDROCK=1\nAWS_REGION=us-east-1\nANTHROPIC_MODEL=claude-opus-5\n',
    )
    for (const [key, code] of [
      [ctrlC, 130],
      [ctrlD, 1],
    ] as const) {
      const ended = await playOutcrop(consumer, ['init', '--no-check', '--file', 'never.env'], env, [
        ['AWS Region: ', 'us-east-1\r'],
        ['AWS profile', key],
      ])
      expect(ended).toMatchObject({ code, screen: expect.stringMatching(/\r\nNothing was written\.\r\n$/) })
    }
    expect(existsSync(join(consumer.directory, 'never.env'))).toBe(false)
  })
})

describe('fake', () => {
  async function start(...args: string[]): Promise<{ env: Record<string, string>; stop(): unknown }> {
    const child = spawn(join(consumer.directory, 'node_modules/.bin/outcrop'), ['fake', '--port', '0', ...args])
    const printed = await new Promise<string>((resolve) => {
      let text = ''
      child.stdout.on('data', (chunk) => {
        text += chunk
        if (text.includes('AWS_SECRET_ACCESS_KEY')) resolve(text)
      })
    })
    const env = Object.fromEntries([...printed.matchAll(/export (\w+)=(\S+)/g)].map(([, name, value]) => [name, value]))
    const gone = new Promise((resolve) => child.once('exit', resolve))
    return { env: env as Record<string, string>, stop: () => child.kill('SIGTERM') && gone }
  }

  test('serves, and prints the settings', async () => {
    const { env, stop } = await start()
    const { code, stdout } = await outcrop(['doctor', '--models', 'sonnet'], { env })
    expect(stdout).toContain('user/me')
    expect(code).toBe(0)
    expect(await stop()).toBe(0)
  })

  test('takes --reply, --latency and --fail', async () => {
    const { env, stop } = await start('--reply', 'As told.', '--latency', '30', '--fail', 'use-case-form:2')
    const chat = () => outcrop(['chat'], { env, input: 'Hi' })
    expect(await chat()).toMatchObject({ code: 1, stderr: expect.stringContaining('use case details') })
    expect((await chat()).code).toBe(1)
    expect(await chat()).toMatchObject({ code: 0, stdout: 'As told.\n' })
    const before = performance.now()
    await fetch(`${env.AWS_ENDPOINT_URL}/ping`)
    expect(performance.now() - before).toBeGreaterThanOrEqual(29)
    expect(await stop()).toBe(0)
  })

  test('reports a busy port in a sentence', async () => {
    const { port } = new URL(server.url)
    expect(await outcrop(['fake', '--port', port])).toEqual({
      code: 1,
      stdout: '',
      stderr: `Port ${port} is in use\nChoose another port with --port, or use --port 0 for a free one.\n`,
    })
  })
})

describe('outcrop gateway', () => {
  test('adds, lists and removes keys; the file contains no key', async () => {
    const keys = join(consumer.directory, 'gateway-keys.json')
    const added = await outcrop(['gateway', 'key', 'add', 'alice', '--models', 'sonnet,haiku', '--keys', keys])
    expect(added.stdout).toMatch(/^outcrop-[\w-]{43}\n$/)
    expect(readFileSync(keys, 'utf8')).not.toContain(added.stdout.trim())
    const limited = ['--tokens-per-minute', '1000', '--spend-per-day', '2.5', '--guardrail', 'gr1abc:1', '--operator']
    expect((await outcrop(['gateway', 'key', 'add', 'bob', ...limited, '--keys', keys])).code).toBe(0)
    expect((await outcrop(['gateway', 'key', 'add', 'bob', '--keys', keys])).stderr).toContain('already')
    const { stdout } = await outcrop(['gateway', 'key', 'list', '--keys', keys])
    expect(stdout).toBe('alice  sonnet,haiku\nbob    all models    1000 tokens/min  2.5/day  operator\n')
    expect((await outcrop(['gateway', 'key', 'remove', 'alice', '--keys', keys])).code).toBe(0)
    expect((await outcrop(['gateway', 'key', 'remove', 'alice', '--keys', keys])).code).toBe(1)
  })

  test.each([
    [['gateway', 'keys'], 'outcrop gateway takes no argument "keys".', 2],
    [['gateway', 'key'], 'outcrop gateway key needs add NAME, list or remove NAME.', 2],
    [['gateway', 'key', 'add'], 'outcrop gateway key add needs a NAME.', 2],
    [['gateway', 'key', 'add', 'a', '--spend-per-day', '-1'], '--spend-per-day', 2],
    [['gateway', 'key', 'add', 'a', '--guardrail', 'gr1'], '--guardrail needs an identifier and a version', 2],
    [['gateway', '--host', '0.0.0.0'], 'A gateway that others can reach needs keys', 1],
    [['gateway', '--keys', '/nowhere/keys.json'], 'The keys file /nowhere/keys.json does not exist', 1],
    [['gateway', '--prices', '/nowhere/prices.json'], 'The prices in /nowhere/prices.json cannot be read: ENOENT', 1],
    [['gateway', '--redis', 'http://x'], '--redis must be a URL', 1],
  ])('reports %j in a sentence', async (args, message, code) => {
    const outcome = await outcrop(args)
    expect(outcome.stderr).toContain(message)
    expect(outcome.code).toBe(code)
  })
})
