import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BedrockRuntimeClient, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime'
import { createFakeBedrock, type FakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'
import { type FakeBedrockServer, serveFakeBedrock } from 'outcrop/testing/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCertificate } from '../node/certificate.ts'
import { listen, passOn } from '../node/support.ts'
import { type Consumer, installPacked, type Outcome, root, runOutcrop } from './packed.ts'

// The setup page in the built package: real settings files, real commands and the real command line, against the fake
// Bedrock over HTTP. The tests that docs/setup-page.md names check the details of each sentence.

const sonnet = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/sonnet-prod'
const newest = 'us.anthropic.claude-sonnet-9'
const guardrail = { identifier: 'gr9', versions: ['1'], blockedWords: ['granite'] }
const guardrailHeaders = 'X-Amzn-Bedrock-GuardrailIdentifier: gr9\nX-Amzn-Bedrock-GuardrailVersion: 1'

let consumer: Consumer
const servers: (FakeBedrockServer | { close(): Promise<void> })[] = []
beforeAll(() => {
  consumer = installPacked()
  consumer.write(
    'call.mjs',
    `import { createBedrockClient } from 'outcrop'
     import { loadClientOptions } from 'outcrop/settings/node'
     const bedrock = createBedrockClient({ ...(await loadClientOptions()), retry: false })
     const outcomes = []
     for (const params of JSON.parse(process.argv[2])) {
       const call = { model: 'default', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }], ...params }
       try {
         const { content, metadata } = await bedrock.messages.create(call)
         outcomes.push({ text: content[0]?.text, ...metadata })
       } catch ({ name, message, hint, command }) {
         outcomes.push({ error: { name, message, hint, command } })
       }
     }
     console.log(JSON.stringify(outcomes))`,
  )
})
afterAll(async () => {
  for (const server of servers) await server.close()
  consumer?.remove()
})

async function serve(options: FakeBedrockOptions = {}): Promise<{ fake: FakeBedrock; url: string }> {
  const fake = createFakeBedrock({ reply: 'Fine.', guardrails: [guardrail], ...options })
  const server = await serveFakeBedrock(fake)
  servers.push(server)
  return { fake, url: server.url }
}

/** A home and a project, with files in them. */
function place(files: Readonly<Record<string, string | object>>): { home: string; project: string } {
  const folder = mkdtempSync(join(consumer.directory, 'place-'))
  for (const [name, content] of Object.entries({ 'project/README': '', ...files })) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  }
  return { home: join(folder, 'home'), project: join(folder, 'project') }
}
type Place = ReturnType<typeof place>

/** The env block of a user's settings, with all that a call needs. */
function variables({ fake, url }: { fake: FakeBedrock; url: string }, more: object = {}): object {
  return {
    CLAUDE_CODE_USE_BEDROCK: '1',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: url,
    AWS_ENDPOINT_URL_STS: `${url}/sts`,
    AWS_ACCESS_KEY_ID: fake.identity.accessKeyId,
    AWS_SECRET_ACCESS_KEY: fake.identity.secretAccessKey,
    ...more,
  }
}

const user = 'home/.claude/settings.json'

interface CallOutcome {
  readonly text?: string
  readonly error?: {
    readonly name: string
    readonly message: string
    readonly hint?: string
    readonly command?: string
  }
  readonly model?: { readonly id: string; readonly base?: string }
  readonly adaptations?: readonly { readonly field: string }[]
  readonly guardrail?: { readonly action: string }
}

/** Runs a file of the consumer's as a program of the place. */
function run(file: string, { home, project }: Place, env: object = {}, ...args: string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [join(consumer.directory, file), ...args], {
    cwd: project,
    env: { PATH: process.env.PATH, HOME: home, AWS_EC2_METADATA_DISABLED: 'true', ...env } as NodeJS.ProcessEnv,
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk) => {
      output[name] += chunk
    })
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })))
}

/** Calls with the settings of a place: once for each set of parameters. */
async function call(
  where: Place,
  params: readonly object[] = [{}],
  env: object = {},
): Promise<{ outcomes: CallOutcome[]; stderr: string }> {
  const { stdout, stderr, code } = await run('call.mjs', where, env, JSON.stringify(params))
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return { outcomes: JSON.parse(stdout) as CallOutcome[], stderr }
}

function outcrop(
  { home, project }: Place,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Outcome> {
  return runOutcrop(consumer, args, { HOME: home, ...env }, '', project)
}

test('settings files: the env block is the environment, and a trusted project overrides the user', async () => {
  const bedrock = await serve()
  const where = place({
    [user]: { model: 'haiku', env: variables(bedrock) },
    'project/.claude/settings.json': { model: 'us.anthropic.claude-sonnet-4-6', env: { AWS_REGION: 'eu-west-1' } },
  })
  const {
    outcomes: [outcome],
  } = await call(where)
  expect(outcome).toMatchObject({ text: 'Fine.', model: { id: 'us.anthropic.claude-sonnet-4-6' } })
  // The Region of an untrusted project is ignored.
  expect(bedrock.fake.calls).toMatchObject([{ region: 'us-east-1', signature: { valid: true } }])
})

describe('discovery', () => {
  const models = { systemProfiles: [newest, 'us.anthropic.claude-sonnet-4-6'], strict: false }

  test("finds an unknown model among the account's profiles, and looks up no alias", async () => {
    const bedrock = await serve({ models })
    const where = place({ [user]: { env: variables(bedrock) } })
    const { outcomes } = await call(where, [
      { model: 'sonnet' },
      { model: 'claude-sonnet-9' },
      { model: 'claude-sonnet-9' },
    ])
    expect(outcomes.map(({ model }) => model?.id)).toEqual(['us.anthropic.claude-sonnet-4-6', newest, newest])
    const operations = bedrock.fake.calls.map(({ operation }) => operation)
    expect(operations[0]).toBe('InvokeModel')
    expect(operations.filter((operation) => operation === 'ListInferenceProfiles')).toHaveLength(2)
  })

  test('looks the ARN in ANTHROPIC_MODEL up once, and adapts bodies to its model', async () => {
    const bedrock = await serve({ models: { applicationProfiles: { [sonnet]: 'anthropic.claude-opus-5' } } })
    const where = place({ [user]: { env: variables(bedrock, { ANTHROPIC_MODEL: sonnet }) } })
    const { outcomes } = await call(where, [{ temperature: 0.5 }, {}])
    expect(outcomes).toMatchObject([
      { model: { id: sonnet, base: 'anthropic.claude-opus-5' }, adaptations: [{ field: 'temperature' }] },
      { model: { id: sonnet } },
    ])
    const asked = bedrock.fake.calls.filter(({ operation }) => operation === 'GetInferenceProfile')
    expect(asked).toHaveLength(1)
  })
})

test('an unknown name fails only the calls that use it, naming its file, and not the doctor', async () => {
  const bedrock = await serve()
  const where = place({ [user]: { model: 'opuss', env: variables(bedrock) } })
  const {
    outcomes: [broken, fine, best],
  } = await call(where, [{}, { model: 'haiku' }, { model: 'best' }])
  expect(`${broken?.error?.message} ${broken?.error?.hint}`).toMatch(/settings\.json \(user\)\) is opuss/)
  expect([fine?.text, best?.text]).toEqual(['Fine.', 'Fine.'])
  const { stdout, code } = await outcrop(where, ['doctor', '--json'])
  const { results } = JSON.parse(stdout)
  expect(results).toContainEqual(expect.objectContaining({ check: 'model', subject: 'default', status: 'failure' }))
  expect(results).toContainEqual(expect.objectContaining({ check: 'access', subject: 'small', status: 'ok' }))
  expect(code).toBe(1)
})

test("a company's network: proxy, certificate authorities, client certificate and apiKeyHelper, for calls and the doctor", async () => {
  const token = 'token-of-the-gateway-example'
  const { fake, url } = await serve({ identities: [{ token }] })
  const [ofGateway, mine] = [createCertificate('gateway.test'), createCertificate('me')]
  const port = Number(new URL(url).port)
  const gateway = await listen((socket) => passOn(socket, port), { ...ofGateway, requestCert: true, ca: mine.cert })
  const targets: string[] = []
  const proxy = await listen((socket) => {
    socket.once('data', (head) => {
      targets.push(String(head).split('\r\n')[0] as string)
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      passOn(socket, gateway.port)
    })
  })
  servers.push(gateway, proxy)
  const where = place({
    'home/ca.pem': ofGateway.cert,
    'home/me.pem': mine.cert,
    'home/me.key': mine.key,
    'home/helper.mjs': `console.log(${JSON.stringify(token)})`,
  })
  const file = (name: string): string => join(where.home, name)
  mkdirSync(file('.claude'))
  const settings = {
    apiKeyHelper: `"${process.execPath}" "${file('helper.mjs')}"`,
    env: {
      CLAUDE_CODE_USE_BEDROCK: '1',
      CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1',
      AWS_REGION: 'us-east-1',
      ANTHROPIC_BEDROCK_BASE_URL: 'https://gateway.test',
      HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
      NODE_EXTRA_CA_CERTS: file('ca.pem'),
      CLAUDE_CODE_CLIENT_CERT: file('me.pem'),
      CLAUDE_CODE_CLIENT_KEY: file('me.key'),
      ALL_PROXY: 'socks5://127.0.0.1:1',
    },
  }
  writeFileSync(file('.claude/settings.json'), JSON.stringify(settings))
  expect((await call(where)).outcomes).toMatchObject([{ text: 'Fine.' }])
  expect(targets[0]).toBe('CONNECT gateway.test:443 HTTP/1.1')
  expect(fake.calls[0]?.headers.authorization).toBe(`Bearer ${token}`)
  const { stdout } = await outcrop(where, ['doctor', '--json'])
  const { results } = JSON.parse(stdout)
  const row = (check: string) => results.find((each: { check: string }) => each.check === check)
  expect(row('endpoint')).toMatchObject({ status: 'ok', message: 'gateway.test answers' })
  expect(row('settings')).toMatchObject({ message: expect.stringContaining('env.ALL_PROXY is ignored, because') })
  expect(stdout).not.toContain(token)
})

describe('credentials', () => {
  const printer = (body: string): string => `console.log(JSON.stringify(${body}))`

  test("opens no login if AWS's package is missing, and says to install it", async () => {
    const { fake, url } = await serve()
    const where = place({})
    mkdirSync(join(where.home, '.claude'), { recursive: true })
    const env = variables({ fake, url }, { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_PROFILE: 'dev' })
    const awsAuthRefresh = `touch ${join(where.home, 'ran')}`
    writeFileSync(join(where.home, '.claude/settings.json'), JSON.stringify({ awsAuthRefresh, env }))
    const {
      outcomes: [outcome],
    } = await call(where)
    expect(outcome?.error?.command).toBe('npm install @aws-sdk/credential-provider-node')
    expect(existsSync(join(where.home, 'ran'))).toBe(false)
  })

  test('awsCredentialExport runs silently, with the merged environment', async () => {
    const bedrock = await serve()
    const { fake } = bedrock
    const where = place({
      'home/export.mjs': `console.error('hush'); ${printer(`{ Credentials: {
        AccessKeyId: process.env.EXPORTED, SecretAccessKey: ${JSON.stringify(fake.identity.secretAccessKey)} } }`)}`,
    })
    const awsCredentialExport = `"${process.execPath}" "${join(where.home, 'export.mjs')}"`
    const env = variables(bedrock, { EXPORTED: fake.identity.accessKeyId, AWS_ACCESS_KEY_ID: 'AKIDOFNOBODY' })
    mkdirSync(join(where.home, '.claude'))
    writeFileSync(join(where.home, '.claude/settings.json'), JSON.stringify({ awsCredentialExport, env }))
    const { outcomes, stderr } = await call(where)
    expect(outcomes).toMatchObject([{ text: 'Fine.' }])
    expect(stderr).not.toContain('hush')
  })

  describe("with AWS's package", () => {
    // Users install the optional peer themselves; here, the project's own copy serves.
    beforeAll(() => {
      const name = 'node_modules/@aws-sdk/credential-provider-node'
      mkdirSync(join(consumer.directory, 'node_modules/@aws-sdk'), { recursive: true })
      symlinkSync(join(root, name), join(consumer.directory, name))
    })
    const keysOf = ({ fake }: { fake: FakeBedrock }, profile = 'dev'): string =>
      `[${profile}]\naws_access_key_id = ${fake.identity.accessKeyId}\naws_secret_access_key = ${fake.identity.secretAccessKey}\n`
    const noKeys = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_PROFILE: 'dev' }

    test('aws configure, and AWS_PROFILE in the env block', async () => {
      const bedrock = await serve()
      const where = place({ [user]: { env: variables(bedrock, noKeys) }, 'home/.aws/credentials': keysOf(bedrock) })
      expect((await call(where)).outcomes).toMatchObject([{ text: 'Fine.' }])
    })

    test('credential_process sees the env block', async () => {
      const bedrock = await serve()
      const { accessKeyId, secretAccessKey } = bedrock.fake.identity
      const where = place({
        [user]: { env: variables(bedrock, { ...noKeys, OF_THE_BLOCK: secretAccessKey }) },
        'home/process.mjs': printer(
          `{ Version: 1, AccessKeyId: '${accessKeyId}', SecretAccessKey: process.env.OF_THE_BLOCK }`,
        ),
      })
      mkdirSync(join(where.home, '.aws'))
      const command = `"${process.execPath}" "${join(where.home, 'process.mjs')}"`
      writeFileSync(join(where.home, '.aws/config'), `[profile dev]\ncredential_process = ${command}\n`)
      expect((await call(where)).outcomes).toMatchObject([{ text: 'Fine.' }])
    })

    test('awsAuthRefresh runs for a profile without credentials, and its output is shown', async () => {
      const bedrock = await serve()
      const where = place({ 'home/.aws/config': '[profile dev]\nregion = us-east-1\n' })
      writeFileSync(
        join(where.home, 'login.mjs'),
        `import { writeFileSync } from 'node:fs'
         console.log('Open https://login.example and enter ABCD')
         writeFileSync(process.env.HOME + '/.aws/credentials', ${JSON.stringify(keysOf(bedrock))})`,
      )
      const awsAuthRefresh = `"${process.execPath}" "${join(where.home, 'login.mjs')}"`
      mkdirSync(join(where.home, '.claude'))
      const settings = { awsAuthRefresh, env: variables(bedrock, noKeys) }
      writeFileSync(join(where.home, '.claude/settings.json'), JSON.stringify(settings))
      const { outcomes, stderr } = await call(where, [{}, {}])
      expect(outcomes).toMatchObject([{ text: 'Fine.' }, { text: 'Fine.' }])
      expect(stderr.match(/enter ABCD/g)).toHaveLength(1)
    })

    test('from CommonJS, by name and by default', async () => {
      const bedrock = await serve()
      consumer.write(
        'chain.cjs',
        `const { fromNodeProviderChain } = require('outcrop/credentials/node')
         const { createBedrockClient } = require('outcrop')
         const params = { model: 'sonnet', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] }
         const call = async (options) => {
           const { content } = await createBedrockClient(options).messages.create(params)
           return content[0].text
         }
         const run = async () => {
           const { accessKeyId, source } = await fromNodeProviderChain({ profile: 'dev' })()
           const own = await call({ credentials: fromNodeProviderChain({ profile: 'dev' }) })
           console.log(JSON.stringify({ accessKeyId, source, own, found: await call({}) }))
         }
         run()`,
      )
      const where = place({ 'home/.aws/credentials': keysOf(bedrock) })
      const env = { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: bedrock.url, AWS_PROFILE: 'dev' }
      const { stdout, stderr } = await run('chain.cjs', where, env)
      expect({ stderr, ...(stdout ? JSON.parse(stdout) : {}) }).toMatchObject({
        accessKeyId: bedrock.fake.identity.accessKeyId,
        source: { profile: 'dev' },
        own: 'Fine.',
        found: 'Fine.',
      })
    })
  })
})

test('availableModels keeps default and small; an untrusted project can only restrict it', async () => {
  const bedrock = await serve()
  const where = place({
    [user]: { availableModels: ['haiku', 'opus'], env: variables(bedrock) },
    'project/.claude/settings.json': { availableModels: ['haiku', 'sonnet'] },
  })
  const { outcomes } = await call(where, [
    {},
    { model: 'small' },
    { model: 'haiku' },
    { model: 'opus' },
    { model: 'sonnet' },
  ])
  expect(outcomes.map(({ text, error }) => text ?? error?.name)).toEqual([
    ...['Fine.', 'Fine.', 'Fine.'],
    ...['ModelResolutionError', 'ModelResolutionError'],
  ])
})

describe('the doctor', () => {
  test('looks up every configured name, and warns about missing pins and a guardrail that stays in its Region', async () => {
    const bedrock = await serve()
    const where = place({
      [user]: {
        modelOverrides: { 'claude-opus-4-6': sonnet },
        env: variables(bedrock, {
          ANTHROPIC_DEFAULT_HAIKU_MODEL: 'eu.anthropic.claude-haiku-4-5-20251001-v1:0',
          ANTHROPIC_CUSTOM_HEADERS: guardrailHeaders,
        }),
      },
      'project/.claude/settings.json': { env: { AWS_PROFILE: 'of-the-project' } },
    })
    const { stdout, code } = await outcrop(where, ['doctor', '--json'])
    const { results } = JSON.parse(stdout) as { results: { check: string; subject?: string; status: string }[] }
    const statusOf = (check: string, subject?: string) =>
      results.find((row) => row.check === check && (subject === undefined || row.subject === subject))?.status
    expect({
      default: statusOf('profile', 'default'),
      haiku: statusOf('profile', 'haiku'),
      override: statusOf('profile', 'claude-opus-4-6'),
      pins: statusOf('pins'),
      guardrail: statusOf('guardrail'),
      project: statusOf('settings', join(where.project, '.claude/settings.json')),
    }).toEqual({
      default: 'ok',
      haiku: 'failure',
      override: 'failure',
      pins: 'warning',
      guardrail: 'warning',
      project: 'note',
    })
    expect(stdout).toContain('--trust-project')
    expect(code).toBe(1)
  })

  test('continues without an invalid file, and without each invalid variable', async () => {
    const bedrock = await serve()
    const where = place({
      [user]: {
        env: variables(bedrock, {
          AWS_DEFAULT_REGION: 'us-east-1',
          AWS_REGION: 'us east 1',
          API_TIMEOUT_MS: 'soon',
          ANTHROPIC_BEDROCK_BASE_URL: 'gateway',
          CLAUDE_CODE_CLIENT_CERT: '/nowhere.pem',
        }),
      },
      'project/.claude/settings.local.json': '{ "model": }',
    })
    const { stdout, code } = await outcrop(where, ['doctor', '--json'])
    const { results } = JSON.parse(stdout) as { results: { check: string; status: string; message: string }[] }
    const broken = results.filter(({ check }) => check === 'setup').map(({ message }) => message)
    expect(broken).toHaveLength(5)
    for (const name of [
      'settings.local.json:1:12 is not JSON',
      'AWS_REGION in ',
      'API_TIMEOUT_MS in ',
      'ANTHROPIC_BEDROCK_BASE_URL in ',
      'CLAUDE_CODE_CLIENT_CERT in ',
    ])
      expect(broken.join('\n')).toContain(name)
    // All that is there is asked all the same, at the Region that is left.
    for (const check of ['endpoint', 'identity', 'inference profiles', 'use-case form', 'model', 'access'])
      expect(results.find((row) => row.check === check)).toMatchObject({ status: 'ok' })
    expect(code).toBe(1)
  })
})

test("init writes a settings file that loads, with the account's pins", async () => {
  const bedrock = await serve()
  const where = place({})
  const env = variables(bedrock) as Record<string, string>
  const args = ['init', '--yes', '--pin', '--small-model', 'haiku', '--file', '.claude/settings.json']
  const { code, stderr } = await outcrop(where, args, env)
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('Written') })
  const written = JSON.parse(readFileSync(join(where.project, '.claude/settings.json'), 'utf8'))
  expect(written.env).toMatchObject({
    CLAUDE_CODE_USE_BEDROCK: '1',
    ANTHROPIC_DEFAULT_SONNET_MODEL: expect.stringMatching(/^us\.anthropic\.claude-sonnet-/),
  })
  mkdirSync(join(where.home, '.claude'), { recursive: true })
  writeFileSync(join(where.home, '.claude/settings.json'), JSON.stringify(written))
  const {
    outcomes: [outcome],
  } = await call(where, [{ model: 'sonnet' }], env)
  expect(outcome?.model?.id).toBe(written.env.ANTHROPIC_DEFAULT_SONNET_MODEL)
})

test("iam-policy --from-settings covers the page's modelOverrides, with every destination", async () => {
  const bedrock = await serve()
  const arn = (name: string): string => `arn:aws:bedrock:us-east-2:123456789012:application-inference-profile/${name}`
  const modelOverrides = {
    'claude-opus-4-6': arn('opus-46-prod'),
    'claude-opus-4-5-20251101': arn('opus-45-prod'),
    'claude-opus-4-1-20250805': arn('opus-41-prod'),
  }
  const where = place({ [user]: { modelOverrides, env: variables(bedrock) } })
  const { stdout, code } = await outcrop(where, ['iam-policy', '--from-settings'])
  const { Statement } = JSON.parse(stdout) as { Statement: { Resource: string | string[] }[] }
  const resources = Statement.flatMap(({ Resource }) => Resource)
  expect(resources).toEqual(expect.arrayContaining(Object.values(modelOverrides)))
  for (const region of ['us-east-1', 'us-east-2', 'us-west-2'])
    expect(resources).toContain(`arn:aws:bedrock:${region}::foundation-model/anthropic.claude-opus-4-1-20250805-v1:0`)
  expect(code).toBe(0)
})

test.each(['start', 'middle', 'end'] as const)(
  "the page's guardrail headers apply; an intervention at the %s",
  async (at) => {
    const bedrock = await serve({ guardrails: [{ ...guardrail, place: at }], reply: 'It is granite.' })
    const headers = { ANTHROPIC_CUSTOM_HEADERS: guardrailHeaders }
    const where = place({ [user]: { env: variables(bedrock, headers) } })
    consumer.write(
      'guard.mjs',
      `import { createBedrockClient } from 'outcrop'
     import { loadClientOptions } from 'outcrop/settings/node'
     const bedrock = createBedrockClient(await loadClientOptions())
     const params = { model: 'sonnet', max_tokens: 50, messages: [{ role: 'user', content: 'What is it?' }] }
     const { metadata } = await bedrock.messages.create(params)
     const stream = bedrock.messages.stream(params, { guardrail: { onIntervention: 'throw' } })
     const code = await stream.finalMessage().then(() => 'none', (error) => error.code)
     console.log(JSON.stringify({ action: metadata.guardrail.action, code }))`,
    )
    const { stdout } = await run('guard.mjs', where)
    expect(JSON.parse(stdout)).toEqual({ action: 'INTERVENED', code: 'guardrail_intervened' })
  },
)

test('learning finds a rejected beta, removes two unknown fields, and keeps a misspelled one', async () => {
  const bedrock = await serve()
  const where = place({ [user]: { env: variables(bedrock) } })
  const {
    outcomes: [betas, unknown, misspelt],
  } = await call(where, [
    { model: 'sonnet', betas: ['interleaved-thinking-2025-05-14', 'files-api-2025-04-14', 'token-efficient-tools'] },
    { model: 'sonnet', speed: 'fast', inference_geo: 'us' },
    { model: 'sonnet', sytem: 'Never reveal it.' },
  ])
  expect(betas?.adaptations).toMatchObject([{ field: 'anthropic_beta:files-api-2025-04-14' }])
  expect(unknown?.adaptations?.map(({ field }) => field).sort()).toEqual(['inference_geo', 'speed'])
  expect(misspelt?.error?.hint).toContain('Did you mean system?')
})

test('an InternalServerException has a hint with an existing page', async () => {
  const bedrock = await serve()
  bedrock.fake.fail('internal')
  const where = place({ [user]: { env: variables(bedrock) } })
  const {
    outcomes: [outcome],
  } = await call(where)
  expect(outcome?.error?.hint).toEqual(expect.any(String))
  expect(outcome?.error?.hint).not.toMatch(/this region|where they are set/i)
})

test('the response cache treats an incomplete entry as a miss', async () => {
  const bedrock = await serve()
  const where = place({ [user]: { env: variables(bedrock) } })
  consumer.write(
    'cache.mjs',
    `import { createBedrockClient } from 'outcrop'
     import { responseCaching } from 'outcrop/caching'
     import { loadClientOptions } from 'outcrop/settings/node'
     const options = await loadClientOptions()
     const statuses = []
     for (const entry of ['{}', '[]', '{"version":1}']) {
       const caching = responseCaching({ store: { get: async () => entry, set: async () => {} } })
       const bedrock = createBedrockClient({ ...options, middleware: [caching, ...options.middleware] })
       const params = { model: 'sonnet', max_tokens: 50, temperature: 0, messages: [{ role: 'user', content: 'Hi' }] }
       statuses.push((await bedrock.messages.create(params)).metadata.cache.status)
     }
     console.log(statuses.join())`,
  )
  expect((await run('cache.mjs', where)).stdout.trim()).toBe('miss,miss,miss')
})

test("the fake serves AWS's own SDK over HTTP/2, its default", async () => {
  const { fake, url } = await serve()
  const aws = new BedrockRuntimeClient({
    region: fake.region,
    credentials: { ...fake.identity },
    endpoint: url,
  } as never)
  const messages = [{ role: 'user', content: 'Hi' }]
  const { body } = await aws.send(
    new InvokeModelCommand({
      modelId: 'us.anthropic.claude-sonnet-4-6',
      body: JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 10, messages }),
    }),
  )
  expect(JSON.parse(new TextDecoder().decode(body))).toMatchObject({ content: [{ text: 'Fine.' }] })
  aws.destroy()
})
