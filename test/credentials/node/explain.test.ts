import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBedrockApiKey, explainCredentials as explainAnywhere, fromStatic } from 'outcrop/credentials'
import { explainCredentials } from 'outcrop/credentials/node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { everythingOf, setEnvironment } from '../support.ts'

const secret = 'secret-example-of-the-keys'
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: secret }
const pair = { AWS_ACCESS_KEY_ID: 'AKIDOTHEREXAMPLE', AWS_SECRET_ACCESS_KEY: secret }

let home: string
let restore: () => void
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'outcrop-explain-'))
  mkdirSync(join(home, '.aws'))
  writeFileSync(
    join(home, '.aws/credentials'),
    `[dev]\naws_access_key_id = ${keys.accessKeyId}\naws_secret_access_key = ${secret}\n`,
  )
  restore = setEnvironment({ HOME: home, AWS_EC2_METADATA_DISABLED: 'true' })
})
afterEach(() => {
  restore()
  rmSync(home, { recursive: true, force: true })
})

describe('the winning source', () => {
  const winnerOf = async (options: Parameters<typeof explainCredentials>[0]): Promise<string | undefined> =>
    (await explainCredentials(options)).steps.find(({ wins }) => wins)?.step
  const all = { ...pair, AWS_BEARER_TOKEN_BEDROCK: 'api-key-example', AWS_PROFILE: 'dev' }

  test.each([
    ['options', { credentials: keys, env: all }],
    ['options', { credentials: 'none', env: all }],
    ['AWS_BEARER_TOKEN_BEDROCK', { env: all }],
    ['AWS_PROFILE', { env: { ...pair, AWS_PROFILE: 'dev' } }],
    ['AWS_ACCESS_KEY_ID', { env: pair }],
    ['chain', { env: {} }],
  ] as const)('is %s', async (step, options) => {
    expect(await winnerOf(options)).toBe(step)
  })

  test('ignores AWS_PROFILE without the chain', async () => {
    const { steps, identity } = await explainAnywhere({ env: { ...pair, AWS_PROFILE: 'dev' } })
    expect(steps.find(({ wins }) => wins)?.step).toBe('AWS_ACCESS_KEY_ID')
    expect(identity).toMatchObject({ accessKeyId: 'AKID…MPLE' })
  })
})

describe('conflicts', () => {
  const conflictsOf = async (options: Parameters<typeof explainCredentials>[0]): Promise<string> =>
    (await explainCredentials(options)).conflicts.join('\n')

  test.each([
    ['AWS_PROFILE beside keys', { env: { ...pair, AWS_PROFILE: 'dev' } }, /AWS_PROFILE wins.*AWS CLI uses the keys/],
    ['an API key beside keys', { env: { ...pair, AWS_BEARER_TOKEN_BEDROCK: 'x' } }, /AWS_BEARER_TOKEN_BEDROCK wins/],
    [
      'an ambient API key beside explicit keys',
      { credentials: keys, env: { AWS_BEARER_TOKEN_BEDROCK: 'x' } },
      /AWS_BEARER_TOKEN_BEDROCK is set but not used/,
    ],
    [
      'an ambient session token beside explicit keys',
      { credentials: keys, env: { AWS_SESSION_TOKEN: 'x' } },
      /AWS_SESSION_TOKEN is set but not used with/,
    ],
    ['half a pair', { env: { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE' } }, /Only half of the pair/],
    ['an empty API key', { env: { ...pair, AWS_BEARER_TOKEN_BEDROCK: '' } }, /is empty and counts as unset/],
    [
      'temporary keys without a session token',
      { env: { ...pair, AWS_ACCESS_KEY_ID: 'ASIAEXAMPLE' } },
      /session token is missing/,
    ],
    [
      'expired keys',
      { credentials: { ...keys, expiration: new Date('2020-01-01T00:00:00Z') }, env: {} },
      /expired at 2020-01-01/,
    ],
  ])('reports %s', async (_, options, message) => {
    expect(await conflictsOf(options)).toMatch(message)
  })

  test('reports an API key for another Region', async () => {
    const token = await createBedrockApiKey({ credentials: keys, region: 'us-east-1' })
    const env = { AWS_BEARER_TOKEN_BEDROCK: token }
    expect(await conflictsOf({ env, region: 'eu-west-1' })).toMatch(
      /created for us-east-1 and does not work in eu-west-1/,
    )
    expect(await conflictsOf({ env, region: 'us-east-1' })).toBe('')
  })

  test('reports nothing without a conflict', async () => {
    expect(await conflictsOf({ credentials: fromStatic(keys), env: {} })).toBe('')
  })
})

test('shows the identity without its secrets', async () => {
  const expiration = new Date('2099-01-01T00:00:00Z')
  const explanation = await explainCredentials({
    credentials: { ...keys, sessionToken: 'session-example', accountId: '123456789012', expiration },
    env: {},
  })
  expect(explanation.identity).toEqual({
    kind: 'aws-keys',
    accessKeyId: 'AKID…MPLE',
    accountId: '123456789012',
    expiration,
  })
  expect(everythingOf(explanation)).not.toMatch(/secret-example|session-example/)
})

test('reads the profile in the environment, and lists all sources', async () => {
  const explanation = await explainCredentials({ env: { ...pair, AWS_PROFILE: 'dev' } })
  expect(String(explanation)).toBe(
    [
      'credentials',
      '  options                   not given',
      '  AWS_BEARER_TOKEN_BEDROCK  not set',
      '> AWS_PROFILE               dev',
      '  AWS_ACCESS_KEY_ID         AKID…MPLE',
      '  chain                     not asked',
      '  = AWS keys AKID…MPLE from profile dev',
      '  ! AWS_PROFILE wins over the keys in AWS_ACCESS_KEY_ID, as in the AWS SDK for JavaScript. The AWS CLI uses the keys.',
    ].join('\n'),
  )
  expect(everythingOf(explanation)).not.toContain(secret)
})

test('reports errors instead of throwing them', async () => {
  const explanation = await explainCredentials()
  expect(explanation.identity).toBeUndefined()
  expect(explanation.error).toMatchObject({ code: 'credentials' })
  expect(String(explanation)).toContain('No source has credentials')
})
