import { createHash } from 'node:crypto'
import type { CredentialProvider } from 'outcrop'
import { loadClientOptions } from 'outcrop/settings/node'
import { createFakeBedrock, type FakeBedrock } from 'outcrop/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type StandIn, startStandIn } from '../credentials/node/stand-in.ts'
import { expectVerified, rejectionOf } from '../credentials/support.ts'
import { useFolder } from './support.ts'

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example-of-the-block' }
const wrong = { AWS_ACCESS_KEY_ID: 'AKIDWRONG', AWS_SECRET_ACCESS_KEY: 'secret-example-wrong' }
const staticKeys = `aws_access_key_id = ${keys.accessKeyId}\naws_secret_access_key = ${keys.secretAccessKey}\n`
const role = 'arn:aws:iam::123456789012:role/example'

// The process has another home, other keys and another profile. None of them may be used.
const { path, write, places } = useFolder((path) => ({ HOME: path('other-home'), ...wrong }))
let fake: FakeBedrock
let standIn: StandIn
beforeEach(async () => {
  fake = createFakeBedrock({ identities: [keys] })
  standIn = await startStandIn(fake)
})
afterEach(async () => {
  await standIn.close()
})

const selected = { PATH: process.env.PATH, CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1' }

/** Returns the credentials for a user's settings file with an `env` block, in a new home folder. */
async function credentialsOf(block: object): Promise<CredentialProvider> {
  write('home/.claude/settings.json', { env: { AWS_EC2_METADATA_DISABLED: 'true', ...block } })
  const { credentials } = await loadClientOptions({
    ...places(),
    home: path('home'),
    env: selected,
  })
  return credentials as CredentialProvider
}

describe("the env block in AWS's chain", () => {
  test('sets AWS_PROFILE, below the given home', async () => {
    write('home/.aws/credentials', `[dev]\n${staticKeys}`)
    await expectVerified(fake, await credentialsOf({ AWS_PROFILE: 'dev' }))
    expect(process.env.AWS_PROFILE).toBeUndefined()
  })

  test('credential_process sees the merged environment', async () => {
    const helper = write(
      'helper.mjs',
      `console.log(JSON.stringify({ Version: 1, AccessKeyId: process.env.MY_KEY, SecretAccessKey: process.env.MY_SECRET,
        SessionToken: [process.env.HOME, process.env.AWS_ACCESS_KEY_ID].join() }))`,
    )
    write('home/.aws/config', `[profile helper]\ncredential_process = "${process.execPath}" "${helper}"\n`)
    const credentials = await credentialsOf({
      AWS_PROFILE: 'helper',
      MY_KEY: keys.accessKeyId,
      MY_SECRET: keys.secretAccessKey,
    })
    expect(await credentials()).toMatchObject({
      ...keys,
      sessionToken: `${path('home')},`,
      source: { name: 'process', profile: 'helper' },
    })
  })

  test('sets AWS_CONFIG_FILE with an SSO session, whose login command is known', async () => {
    const config = write(
      'elsewhere/config',
      '[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example.com/start\n',
    )
    write(`home/.aws/sso/cache/${createHash('sha1').update('corp').digest('hex')}.json`, {
      accessToken: 'sso-token-example',
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      region: 'us-east-1',
      startUrl: 'https://corp.example.com/start',
    })
    const credentials = await credentialsOf({
      AWS_CONFIG_FILE: config,
      AWS_PROFILE: 'sso',
      AWS_ENDPOINT_URL_SSO: standIn.url,
    })
    await expectVerified(fake, credentials)
    expect((await credentials()).source).toEqual({
      name: 'sso',
      profile: 'sso',
      command: 'aws sso login --profile sso',
    })
  })

  test('sets a role with a source profile, and its STS endpoint', async () => {
    write('home/.aws/credentials', `[base]\n${staticKeys}`)
    write('home/.aws/config', `[profile role]\nrole_arn = ${role}\nsource_profile = base\nregion = us-east-1\n`)
    const block = { AWS_PROFILE: 'role', AWS_ENDPOINT_URL_STS: `${standIn.url}/sts` }
    await expectVerified(fake, await credentialsOf(block))
  })

  test('sets a web identity', async () => {
    const block = {
      AWS_WEB_IDENTITY_TOKEN_FILE: write('token', 'web-identity-token-example'),
      AWS_ROLE_ARN: role,
      AWS_ENDPOINT_URL_STS: `${standIn.url}/sts`,
    }
    const credentials = await credentialsOf(block)
    await expectVerified(fake, credentials)
    expect((await credentials()).source?.name).toBe('web-identity')
  })

  test('sets a container', async () => {
    const block = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${standIn.url}/container`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'container-token-example',
    }
    await expectVerified(fake, await credentialsOf(block))
  })

  test('reports a missing profile instead of using the keys of the process', async () => {
    const credentials = await credentialsOf({ AWS_PROFILE: 'nobody' })
    expect(await rejectionOf(credentials())).toMatchObject({
      code: 'credentials',
      message: expect.stringContaining('profile nobody'),
    })
  })

  test('names the command of an expired login', async () => {
    write(
      'home/.aws/config',
      '[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example.com/start\n',
    )
    const credentials = await credentialsOf({ AWS_PROFILE: 'sso' })
    expect(await rejectionOf(credentials())).toMatchObject({ command: 'aws sso login --profile sso' })
  })

  test("ends a hanging credential_process at the chain's own time limit", async () => {
    const helper = write('hang.mjs', 'setInterval(() => {}, 1000)')
    write('home/.aws/config', `[profile hangs]\ncredential_process = "${process.execPath}" "${helper}"\n`)
    const block = { AWS_PROFILE: 'hangs', CLAUDE_CODE_AWS_CHAIN_RESOLVE_TIMEOUT_MS: '900' }
    expect(await rejectionOf((await credentialsOf(block))())).toMatchObject({
      code: 'credentials',
      message: expect.stringContaining('within 900 ms'),
    })
  })
})
