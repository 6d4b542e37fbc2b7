import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createBedrockClient } from 'outcrop'
import { fromNodeProviderChain } from 'outcrop/credentials/node'
import { createFakeBedrock, type FakeBedrock } from 'outcrop/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestClock, everythingOf, expectVerified, setEnvironment } from '../support.ts'
import { type StandIn, startStandIn } from './stand-in.ts'

const keys = { accessKeyId: 'AKIDEXAMPLEFILE', secretAccessKey: 'secret-example-of-the-file' }
const role = 'arn:aws:iam::123456789012:role/example'

let home: string
let fake: FakeBedrock
let standIn: StandIn
let restore: () => void

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'outcrop-home-'))
  mkdirSync(join(home, '.aws'))
  fake = createFakeBedrock({ identities: [keys] })
  standIn = await startStandIn(fake)
  restore = setEnvironment({
    HOME: home,
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_STS: `${standIn.url}/sts`,
    AWS_ENDPOINT_URL_SSO: standIn.url,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: standIn.url,
  })
})
afterEach(async () => {
  restore()
  await standIn.close()
  rmSync(home, { recursive: true, force: true })
})

const write = (name: string, text: string): string => {
  const path = join(home, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}
const script = (name: string, code: string): string => `${process.execPath} ${write(name, code)}`
const staticKeys = `aws_access_key_id = ${keys.accessKeyId}\naws_secret_access_key = ${keys.secretAccessKey}\n`

describe("the Region of a profile in AWS's files", () => {
  test.each([
    ['a comment after the value', 'region = eu-west-1 # where the data is'],
    ['a semicolon comment after a tab', 'region = eu-west-1\t; where the data is'],
    ['a comment after the section name', 'output = json', '[profile dev] # mine\nregion = eu-west-1'],
    ['comment lines', '# region = us-east-2\n; region = us-east-2\nregion = eu-west-1\n#region = us-east-2'],
    ['a commented section', 'region = eu-west-1\n#[profile other]\noutput = json'],
    ['keys of another section', 's3 =\n  region = us-east-2\nregion = eu-west-1'],
    ['a section in two parts', 'output = json', '[profile dev]\nregion = eu-west-1'],
    ['missing spaces, capitals, and Windows line endings', 'REGION=eu-west-1\r\noutput=json\r'],
    ['a quoted name', '', '[profile "dev"]\nregion = eu-west-1'],
    ['keys before the first section', 'region = eu-west-1', '', 'region = us-east-2'],
    ['other sections', 'region = eu-west-1', '[profile devel]\nregion = us-east-2\n[dev]\nregion = us-east-2'],
  ])('is read with %s', async (_, keys, others = '', before = '') => {
    write('.aws/config', `${before}\n[profile dev]\n${keys}\n${others}\n`)
    const hosts: string[] = []
    const bedrock = createBedrockClient({
      env: { HOME: home, AWS_PROFILE: 'dev' },
      credentials: 'none',
      fetch: async (url) => {
        hosts.push(new URL(String(url)).host)
        return Response.json({})
      },
    })
    await bedrock.fetch('/inference-profiles')
    expect(hosts).toEqual(['bedrock.eu-west-1.amazonaws.com'])
  })

  test('includes a # within a value', async () => {
    write('.aws/config', '[profile dev]\nregion = eu-west-1#2\n')
    const bedrock = createBedrockClient({
      env: { HOME: home, AWS_PROFILE: 'dev' },
      credentials: 'none',
      fetch: async () => Response.json({}),
    })
    await expect(bedrock.fetch('/x')).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('eu-west-1#2'),
    })
  })
})

describe('each source yields keys that the fake verifies', () => {
  test('the shared credentials file', async () => {
    write('.aws/credentials', `[dev]\n${staticKeys}`)
    const provider = fromNodeProviderChain({ profile: 'dev' })
    await expectVerified(fake, provider)
    expect((await provider()).source).toEqual({ name: 'profile', profile: 'dev' })
  })

  test('the environment', async () => {
    process.env.AWS_ACCESS_KEY_ID = keys.accessKeyId
    process.env.AWS_SECRET_ACCESS_KEY = keys.secretAccessKey
    const provider = fromNodeProviderChain()
    await expectVerified(fake, provider)
    expect((await provider()).source).toEqual({ name: 'environment' })
  })

  test.each([
    [
      'sso_session',
      '[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example.com/start\n',
      'corp',
    ],
    [
      'legacy',
      '[profile sso]\nsso_start_url = https://corp.example.com/start\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = dev\n',
      'https://corp.example.com/start',
    ],
  ])('SSO with %s', async (_, config, cacheKey) => {
    write('.aws/config', config)
    const name = createHash('sha1').update(cacheKey).digest('hex')
    const token = { accessToken: 'sso-token-example', expiresAt: new Date(Date.now() + 3_600_000).toISOString() }
    write(
      `.aws/sso/cache/${name}.json`,
      JSON.stringify({ ...token, region: 'us-east-1', startUrl: 'https://corp.example.com/start' }),
    )
    const provider = fromNodeProviderChain({ profile: 'sso' })
    await expectVerified(fake, provider)
    const command = 'aws sso login --profile sso'
    expect((await provider()).source).toEqual({ name: 'sso', profile: 'sso', command })
    // The login renews credentials that Bedrock refuses.
    fake.fail('expired-token', { times: 5 })
    await expect(expectVerified(fake, provider)).rejects.toMatchObject({
      hint: expect.stringContaining(`The credentials from sso sso have expired. Run \`${command}\`.`),
    })
  })

  test('credential_process runs once for five calls', async () => {
    const output = JSON.stringify({ Version: 1, AccessKeyId: keys.accessKeyId, SecretAccessKey: keys.secretAccessKey })
    const log = join(home, 'runs')
    const command = script(
      'process.mjs',
      `import { appendFileSync } from 'node:fs'; appendFileSync(${JSON.stringify(log)}, 'run\\n'); console.log(${JSON.stringify(output)})`,
    )
    write('.aws/config', `[profile process]\ncredential_process = ${command}\n`)
    const provider = fromNodeProviderChain({ profile: 'process' })
    await Promise.all([1, 2, 3].map(() => expectVerified(fake, provider)))
    await expectVerified(fake, provider)
    await expectVerified(fake, provider)
    expect(readFileSync(log, 'utf8')).toBe('run\n')
    expect((await provider()).source).toEqual({ name: 'process', profile: 'process' })
  })

  test('a role with a source profile', async () => {
    write('.aws/credentials', `[base]\n${staticKeys}`)
    write('.aws/config', `[profile role]\nrole_arn = ${role}\nsource_profile = base\nregion = us-east-1\n`)
    const provider = fromNodeProviderChain({ profile: 'role' })
    await expectVerified(fake, provider)
    expect((await provider()).source).toMatchObject({ name: 'assume-role', profile: 'role' })
  })

  test('a role that requires an MFA code', async () => {
    write('.aws/credentials', `[base]\n${staticKeys}`)
    write(
      '.aws/config',
      `[profile role]\nrole_arn = ${role}\nsource_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me\nregion = us-east-1\n`,
    )
    const asked: string[] = []
    const mfaCode = (serial: string): string => {
      asked.push(serial)
      return '123456'
    }
    await expectVerified(fake, fromNodeProviderChain({ profile: 'role', mfaCode }))
    expect(asked).toEqual(['arn:aws:iam::123456789012:mfa/me'])
  })

  test('a web identity token file', async () => {
    process.env.AWS_WEB_IDENTITY_TOKEN_FILE = write('token', 'web-identity-token-example')
    process.env.AWS_ROLE_ARN = role
    const provider = fromNodeProviderChain()
    await expectVerified(fake, provider)
    expect((await provider()).source).toMatchObject({ name: 'web-identity' })
  })

  test('a container', async () => {
    process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = `${standIn.url}/container`
    process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN = 'container-token-example'
    const provider = fromNodeProviderChain()
    await expectVerified(fake, provider)
    expect((await provider()).source).toEqual({ name: 'container' })
  })

  test('an `aws login` session', async () => {
    const session = 'arn:aws:iam::123456789012:user/me'
    write('.aws/config', `[profile console]\nlogin_session = ${session}\nregion = us-east-1\n`)
    const file = createHash('sha256').update(session).digest('hex')
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    write(
      `.aws/login/cache/${file}.json`,
      JSON.stringify({
        accessToken: { ...keys, sessionToken: 'session-example', accountId: '123456789012', expiresAt },
        clientId: 'client-example',
        refreshToken: 'refresh-example',
        dpopKey: 'key-example',
      }),
    )
    fake.identities.unshift({ ...keys, sessionToken: 'session-example' })
    const provider = fromNodeProviderChain({ profile: 'console' })
    await expectVerified(fake, provider)
    expect(await provider()).toMatchObject({
      source: { name: 'login', profile: 'console' },
      accountId: '123456789012',
      expiration: new Date(expiresAt),
    })
  })

  test('a role with a credential source', async () => {
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    })
    write('.aws/config', `[profile role]\nrole_arn = ${role}\ncredential_source = Environment\n`)
    const provider = fromNodeProviderChain({ profile: 'role' })
    await expectVerified(fake, provider)
    expect((await provider()).source).toEqual({ name: 'assume-role', profile: 'role' })
  })

  test('instance metadata', async () => {
    const provider = fromNodeProviderChain()
    await expectVerified(fake, provider)
    expect(standIn.requests).toContain('PUT /latest/api/token')
    expect((await provider()).source).toEqual({ name: 'instance-metadata' })
  })
})

// https://github.com/anthropics/claude-code/issues/596 and its kin
test("SSO uses the Region of its session, not Bedrock's", async () => {
  write(
    '.aws/config',
    '[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\nregion = us-west-2\n[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example.com/start\n',
  )
  const name = createHash('sha1').update('corp').digest('hex')
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
  write(`.aws/sso/cache/${name}.json`, JSON.stringify({ accessToken: 'sso-token-example', expiresAt }))
  delete process.env.AWS_ENDPOINT_URL_SSO
  const asked: string[] = []
  // The hosts that a proxy is asked for.
  const requestHandler = {
    handle: async ({ hostname }: { hostname: string }) => {
      asked.push(hostname)
      const roleCredentials = { ...keys, sessionToken: 'session-example', expiration: Date.now() + 3_600_000 }
      return {
        response: { statusCode: 200, headers: {}, body: Readable.from([JSON.stringify({ roleCredentials })]) },
      }
    },
  }
  fake.identities.unshift({ ...keys, sessionToken: 'session-example' })
  await expectVerified(fake, fromNodeProviderChain({ profile: 'sso', clientConfig: { requestHandler } }))
  expect(asked).toEqual(['portal.sso.eu-west-1.amazonaws.com'])
})

test('STS uses the Region of the profile, else of the client, through the given proxy', async () => {
  write('.aws/credentials', `[base]\n${staticKeys}`)
  const token = write('token', 'web-identity-token-example')
  write(
    '.aws/config',
    `[profile plain]\nrole_arn = ${role}\nsource_profile = base\n[profile there]\nrole_arn = ${role}\nsource_profile = base\nregion = eu-west-3\n[profile web]\nrole_arn = ${role}\nweb_identity_token_file = ${token}\n`,
  )
  delete process.env.AWS_ENDPOINT_URL_STS
  process.env.AWS_EC2_METADATA_DISABLED = 'true'
  const asked: string[] = []
  const requestHandler = {
    handle: async ({ hostname }: { hostname: string }) => {
      asked.push(hostname)
      throw new Error('the proxy refuses')
    },
  }
  for (const profile of ['plain', 'there', 'web']) {
    const provider = fromNodeProviderChain({ profile, clientConfig: { requestHandler, maxAttempts: 1 } })
    await expect(provider({ region: 'eu-central-1' })).rejects.toThrow(/^the proxy refuses/)
  }
  expect(asked).toEqual(['eu-central-1', 'eu-west-3', 'eu-central-1'].map((region) => `sts.${region}.amazonaws.com`))
})

test('an AWS package that does not report the source', async () => {
  write('.aws/config', `[profile dev]\nregion = us-east-1\n`)
  const announcing = (link: string) => async () => ({
    defaultProvider: ({ logger }: { logger: { debug(message: string): void } }) => {
      logger.debug(`@aws-sdk/credential-provider-node - defaultProvider::${link}`)
      return async () => keys
    },
  })
  expect(await fromNodeProviderChain({ profile: 'dev', loader: announcing('fromIni') })()).toMatchObject({
    ...keys,
    source: { name: 'profile', profile: 'dev' },
  })
  await expect(fromNodeProviderChain({ profile: 'dev', loader: announcing('remoteProvider') })()).rejects.toMatchObject(
    {
      code: 'credentials',
    },
  )
})

describe('the default credentials of a client', () => {
  const call = async (): Promise<string | undefined> => {
    const bedrock = createBedrockClient({ fetch: fake.fetch, retry: false })
    await bedrock.messages.create({ model: 'sonnet', max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] })
    return fake.calls.at(-1)?.identity
  }
  const other = { accessKeyId: 'AKIDEXAMPLEENV', secretAccessKey: 'secret-example-of-the-environment' }

  test('prefer an API key, then keys in the environment before files, and AWS_PROFILE before keys', async () => {
    fake.identities.push(other, { token: 'api-key-example' })
    write('.aws/credentials', `[dev]\n${staticKeys}`)
    Object.assign(process.env, {
      AWS_BEARER_TOKEN_BEDROCK: 'api-key-example',
      AWS_ACCESS_KEY_ID: other.accessKeyId,
      AWS_SECRET_ACCESS_KEY: other.secretAccessKey,
    })
    expect(await call()).toBe('api-key')
    process.env.AWS_BEARER_TOKEN_BEDROCK = ''
    expect(await call()).toBe(other.accessKeyId)
    process.env.AWS_PROFILE = 'dev'
    expect(await call()).toBe(keys.accessKeyId)
  })

  test("use the profile's Region after AWS_REGION and AWS_DEFAULT_REGION", async () => {
    write('.aws/config', '[default]\nregion = eu-west-1\n')
    write('.aws/credentials', `[default]\n${staticKeys}`)
    delete process.env.AWS_REGION
    await call()
    expect(fake.calls.at(-1)?.region).toBe('eu-west-1')
    process.env.AWS_DEFAULT_REGION = 'us-west-2'
    await call()
    expect(fake.calls.at(-1)?.region).toBe('us-west-2')
  })

  test('reject half a pair of keys instead of looking elsewhere', async () => {
    write('.aws/credentials', `[default]\n${staticKeys}`)
    process.env.AWS_ACCESS_KEY_ID = other.accessKeyId
    await expect(call()).rejects.toMatchObject({
      code: 'credentials',
      message: expect.stringContaining('AWS_SECRET_ACCESS_KEY'),
    })
  })
})

test('keys without an expiry are read again when the files change', async () => {
  const clock = createTestClock()
  const file = write('.aws/credentials', `[dev]\n${staticKeys}`)
  const provider = fromNodeProviderChain({ profile: 'dev', clock })
  expect(await provider()).toMatchObject(keys)
  clock.advance(2000)
  expect(await provider()).toMatchObject(keys)
  writeFileSync(file, '[dev]\naws_access_key_id = AKIDEXAMPLENEW\naws_secret_access_key = secret-example-new\n')
  utimesSync(file, new Date(), new Date(Date.now() + 5000))
  clock.advance(2000)
  expect(await provider()).toMatchObject({ accessKeyId: 'AKIDEXAMPLENEW' })
})

test('a half-written file does not affect valid credentials', async () => {
  const clock = createTestClock()
  const file = write('.aws/credentials', `[dev]\n${staticKeys}`)
  const provider = fromNodeProviderChain({ profile: 'dev', clock })
  await provider()
  const change = async (text: string): Promise<void> => {
    writeFileSync(file, text)
    clock.advance(2000)
  }
  await change('[dev]\naws_access_key_id = AKID')
  expect(await provider()).toMatchObject(keys)
  expect(await provider()).toMatchObject(keys)
  await change('[dev]\naws_access_key_id = AKIDEXAMPLENEW\naws_secret_access_key = secret-example-new\n')
  expect(await provider()).toMatchObject({ accessKeyId: 'AKIDEXAMPLENEW' })
})

describe("errors of AWS's chain", () => {
  const errorOf = async (profile?: string): Promise<Error & { command?: string; hint?: string }> =>
    fromNodeProviderChain(profile === undefined ? {} : { profile })().then(
      () => expect.unreachable(),
      (error) => error,
    )

  test.each([
    [
      '[profile x]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = dev\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example.com\n',
      'aws sso login --profile x',
    ],
    ['[profile x]\nlogin_session = arn:aws:iam::123456789012:user/me\n', 'aws login --profile x'],
  ])('name the command to run', async (config, command) => {
    write('.aws/config', config)
    const error = await errorOf('x')
    expect(error).toMatchObject({ code: 'credentials', command, hint: `Run \`${command}\`.` })
  })

  test('name the command for the source profile of a role', async () => {
    write(
      '.aws/config',
      `[profile role]\nrole_arn = ${role}\nsource_profile = base\n[profile base]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = dev\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example.com\n`,
    )
    expect(await errorOf('role')).toMatchObject({ command: 'aws sso login --profile base' })
  })

  test('name no login that would not help', async () => {
    write(
      '.aws/config',
      '[profile x]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = dev\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example.com\n',
    )
    const name = createHash('sha1').update('corp').digest('hex')
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    write(`.aws/sso/cache/${name}.json`, JSON.stringify({ accessToken: 'sso-token-example', expiresAt }))
    process.env.AWS_ENDPOINT_URL_SSO = 'http://127.0.0.1:1'
    const error = await errorOf('x')
    expect(error.message).toMatch(/^(?!.*login).*profile x/s)
    expect(error.command).toBeUndefined()
  })

  test('name a missing profile', async () => {
    expect(await errorOf('missing')).toMatchObject({ code: 'credentials', message: expect.stringContaining('missing') })
  })

  test('report a default profile that is set up but broken', async () => {
    process.env.AWS_EC2_METADATA_DISABLED = 'true'
    const command = script('fails.mjs', `console.error('the vault is sealed'); process.exit(1)`)
    write('.aws/config', `[default]\ncredential_process = ${command}\n`)
    const error = await errorOf()
    expect(error.message).toMatch(/^credential_process failed: the vault is sealed/)
    expect(error).not.toHaveProperty('tryNextLink', true)
  })

  test('end a chain that hangs', async () => {
    write('.aws/config', `[profile x]\ncredential_process = ${script('hangs.mjs', 'setTimeout(() => {}, 2000)')}\n`)
    await expect(fromNodeProviderChain({ profile: 'x', timeout: 50 })()).rejects.toMatchObject({
      code: 'credentials',
      message: expect.stringContaining('within 50 ms'),
    })
  })

  test('list the sources that were tried', async () => {
    process.env.AWS_EC2_METADATA_DISABLED = 'true'
    const error = await errorOf()
    expect(error).toMatchObject({ code: 'credentials', tryNextLink: true })
    expect(error.message).toMatch(/environment, shared files, web identity, container and instance metadata/)
  })

  test('contain no secret of a failed credential_process', async () => {
    const command = script(
      'fails.mjs',
      `console.error('aws_secret_access_key = ${keys.secretAccessKey}'); process.exit(3)`,
    )
    write('.aws/config', `[profile x]\ncredential_process = ${command}\n`)
    const error = await errorOf('x')
    // And not the keys of the machine that AWS's chain would have gone on to.
    expect(error).toMatchObject({
      code: 'credentials',
      message: expect.stringMatching(/^credential_process failed: .*profile x/s),
    })
    expect(everythingOf(error)).not.toContain(keys.secretAccessKey)
  })
})
