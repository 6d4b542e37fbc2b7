import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFakeBedrock, type FakeBedrock } from 'outcrop/testing'
import { type FakeBedrockServer, serveFakeBedrock } from 'outcrop/testing/node'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Consumer, installPacked, type Outcome, runOutcrop } from './packed.ts'

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

test('--help, --version, and what is no command', async () => {
  expect((await outcrop(['--help'])).stdout).toContain('doctor')
  expect((await outcrop(['doctor', '--help'])).stdout).toContain('--invoke')
  expect((await outcrop(['--version'])).stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/)
  expect(await outcrop(['fly'])).toMatchObject({ code: 2, stderr: expect.stringContaining('no command "fly"') })
  expect(await outcrop(['doctor', '--fly'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--fly') })
})

describe('doctor', () => {
  test('a set-up in order: code 0, plain text, at most 80 columns', async () => {
    const { code, stdout } = await outcrop(['doctor', '--models', `sonnet,${arn}`, '--invoke'])
    expect(stdout).toContain('arn:aws:iam::123456789012:user/me')
    expect(stdout).toMatch(/^ok +call sonnet: answered in \d+ ms$/m)
    expect(stdout).not.toContain('\u001b')
    // An ARN is longer than a line, and is not broken.
    for (const line of stdout.split('\n').filter((line) => !line.includes('arn:')))
      expect(line.length).toBeLessThanOrEqual(80)
    expect(code).toBe(0)
  })

  test('a failure: code 1, and the rest is looked at all the same', async () => {
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

  test('the settings of Claude Code: where each is from, the pins, the overrides, the guardrail', async () => {
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

  test('no region: a failure that says how to set one', async () => {
    const { code, stdout } = await outcrop(['doctor'], { env: { AWS_REGION: '' } })
    expect(stdout).toContain('No AWS region is set')
    expect(code).toBe(1)
  })

  test('no secret is printed', async () => {
    fake.fail('signature-mismatch', { times: 20 })
    const { stdout, stderr } = await outcrop(['doctor', '--invoke'], { env: { OUTCROP_LOG: 'debug' } })
    expect(stdout).toContain('failure')
    expect(stdout + stderr).not.toContain(fake.identity.secretAccessKey)
  })
})

test('models: what the account has, and the aliases that pick it', async () => {
  const { code, stdout } = await outcrop(['models'])
  expect(stdout).toMatch(/^us\.anthropic\.claude-sonnet-4-6 +active +.*sonnet/m)
  expect(stdout).toContain(arn)
  expect(code).toBe(0)
  const { models } = JSON.parse((await outcrop(['models', '--json', '--all'])).stdout)
  expect(models.length).toBeGreaterThan(10)
})

test('explain: how a name resolves', async () => {
  expect(await outcrop(['explain', 'sonnet'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('us.anthropic.claude-sonnet-4-6 in us-east-1 (alias)'),
  })
  expect((await outcrop(['explain', 'sonet'])).code).toBe(1)
  expect((await outcrop(['explain'])).stderr).toContain('Which model?')
})

describe('iam-policy', () => {
  test('for the defaults, with the account’s own destinations', async () => {
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

  test('without the permission to list, by the catalog', async () => {
    fake.fail('iam-denied', { operation: 'ListInferenceProfiles', times: 5 })
    const { stderr, code } = await outcrop(['iam-policy', '--models', 'sonnet', '--account', '123456789012'])
    expect(stderr).toContain('by catalog')
    expect(code).toBe(0)
  })

  test('as Terraform, and broad', async () => {
    expect((await outcrop(['iam-policy', '--format', 'terraform'])).stdout).toContain('data "aws_iam_policy_document"')
    expect((await outcrop(['iam-policy', '--broad'])).stdout).toContain('foundation-model/*')
    expect((await outcrop(['iam-policy', '--format', 'yaml'])).code).toBe(1)
  })
})

test('chat: a line in, an answer out, and the conversation goes on', async () => {
  const { code, stdout } = await outcrop(['chat', '--model', 'sonnet', '--system', 'Be brief.'], {
    input: 'One\nTwo\n/exit\n',
  })
  expect(stdout.trim().split('\n').length).toBeGreaterThanOrEqual(2)
  expect(code).toBe(0)
  const [first, second] = fake.calls
  expect(first?.body).toMatchObject({ system: 'Be brief.', messages: [{ content: 'One' }] })
  expect(second?.body.messages).toHaveLength(3)
})

describe('init', () => {
  test('writes the environment block after the checks', async () => {
    const file = join(consumer.directory, '.env')
    writeFileSync(file, 'OTHER=1\nAWS_REGION=eu-west-1\n')
    const { code, stdout } = await outcrop(['init', '--yes', '--model', 'sonnet', '--file', file])
    expect(stdout).toContain('ok ')
    expect(code).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(
      'OTHER=1\nCLAUDE_CODE_USE_BEDROCK=1\nAWS_REGION=us-east-1\nANTHROPIC_MODEL=sonnet\n',
    )
  })

  test('writes a settings file, keeping what is in it', async () => {
    const file = join(consumer.directory, 'settings.json')
    writeFileSync(file, JSON.stringify({ model: 'opus', env: { A: '1' } }))
    await outcrop(['init', '--yes', '--no-check', '--file', file])
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      model: 'opus',
      env: { A: '1', CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1' },
    })
  })

  test('writes nothing where the checks fail', async () => {
    fake.fail('use-case-form', { operation: 'GetUseCaseForModelAccess' })
    const { code, stderr } = await outcrop(['init', '--yes', '--file', 'never.env'])
    expect(stderr).toContain('nothing was written')
    expect(code).toBe(1)
  })
})

test('fake: serves, and prints what to set', async () => {
  const child = spawn(join(consumer.directory, 'node_modules/.bin/outcrop'), ['fake', '--port', '0'])
  const printed = await new Promise<string>((resolve) => {
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
      if (text.includes('AWS_SECRET_ACCESS_KEY')) resolve(text)
    })
  })
  const env = Object.fromEntries([...printed.matchAll(/export (\w+)=(\S+)/g)].map(([, name, value]) => [name, value]))
  const { code, stdout } = await outcrop(['doctor', '--models', 'sonnet'], { env: env as Record<string, string> })
  expect(stdout).toContain('user/me')
  expect(code).toBe(0)
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  expect(await gone).toBe(0)
})
