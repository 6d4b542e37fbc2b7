import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFakeBedrock, type FakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Consumer, installPacked, runOutcrop } from './packed.ts'

let consumer: Consumer
beforeAll(() => {
  consumer = installPacked()
})
afterAll(() => consumer?.remove())

interface Row {
  readonly check: string
  readonly subject?: string
  readonly status: string
  readonly next?: string
}

/** The built command's report of a fake Bedrock over HTTP. */
async function examine(
  options: FakeBedrockOptions,
  {
    args = [],
    env = {},
    prepare = () => {},
  }: { args?: string[]; env?: Record<string, string>; prepare?: (fake: FakeBedrock) => void } = {},
): Promise<{ rows: readonly Row[]; code: number | null; healthy: boolean }> {
  const fake = createFakeBedrock(options)
  prepare(fake)
  const server = await serveFakeBedrock(fake)
  try {
    const { stdout, code } = await runOutcrop(consumer, ['doctor', '--json', '--models', 'sonnet', ...args], {
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: server.url,
      AWS_ENDPOINT_URL_STS: `${server.url}/sts`,
      AWS_ACCESS_KEY_ID: fake.identity.accessKeyId,
      AWS_SECRET_ACCESS_KEY: fake.identity.secretAccessKey,
      ...env,
    })
    const { results, healthy } = JSON.parse(stdout) as { results: Row[]; healthy: boolean }
    return { rows: results, code, healthy }
  } finally {
    await server.close()
  }
}

const base = 'anthropic.claude-sonnet-4-6'
const guardrail = { identifier: 'gr1', versions: ['1'], blockedWords: [] }
const guardrails = [{ ...guardrail, crossRegionProfile: 'us.guardrail.v1:0' }]
const availability = (answer: object): FakeBedrockOptions => ({ models: { availability: { [base]: answer as never } } })
const denied = (action: string): FakeBedrockOptions => ({ models: { denied: [`bedrock:${action}`] } })
const soon = (milliseconds: number): Record<string, string> => ({
  AWS_CREDENTIAL_EXPIRATION: new Date(Date.now() + milliseconds).toISOString(),
})

test.each<[check: string, status: string, options: FakeBedrockOptions, how?: Parameters<typeof examine>[1]]>([
  ['region', 'ok', {}],
  ['endpoint', 'ok', {}],
  ['endpoint', 'failure', {}, { env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' } }],
  ['clock', 'ok', {}],
  ['identity', 'ok', {}],
  ['identity', 'warning', {}, { env: soon(300_000) }],
  ['identity', 'failure', {}, { env: soon(-60_000) }],
  ['identity', 'failure', {}, { env: { AWS_SECRET_ACCESS_KEY: 'wrong' } }],
  ['inference profiles', 'ok', {}],
  ['inference profiles', 'warning', { models: { systemProfiles: [] } }],
  [
    'inference profiles',
    'failure',
    {},
    { prepare: (fake) => fake.fail('internal', { operation: 'ListInferenceProfiles' }) },
  ],
  ['inference profiles', 'note', denied('ListInferenceProfiles')],
  ['use-case form', 'ok', {}],
  ['use-case form', 'failure', { models: { useCaseForm: false } }],
  ['use-case form', 'note', denied('GetUseCaseForModelAccess')],
  ['model', 'ok', {}],
  ['model', 'warning', {}, { args: ['--models', 'us.anthropic.claude-opus-4-1-20250805-v1:0'] }],
  ['model', 'failure', {}, { args: ['--models', 'us.anthropic.claude-sonnet-4-20250514-v1:0'] }],
  ['model', 'failure', {}, { args: ['--models', 'sonet'] }],
  ['profile', 'ok', {}],
  ['profile', 'failure', {}, { args: ['--models', 'eu.anthropic.claude-sonnet-4-6'] }],
  ['profile', 'note', denied('ListInferenceProfiles')],
  ['access', 'ok', {}],
  ['access', 'warning', availability({ agreementAvailability: { status: 'PENDING' } })],
  ['access', 'failure', availability({ agreementAvailability: { status: 'NOT_AVAILABLE' } })],
  ['access', 'failure', availability({ authorizationStatus: 'NOT_AUTHORIZED' })],
  ['access', 'note', denied('GetFoundationModelAvailability')],
  ['call', 'ok', {}, { args: ['--invoke'] }],
  [
    'call',
    'failure',
    {},
    { args: ['--invoke'], prepare: (fake) => fake.fail('model-access', { operation: 'InvokeModel' }) },
  ],
  ['guardrail', 'ok', { guardrails }, { args: ['--guardrail', 'gr1:1'] }],
  ['guardrail', 'warning', { guardrails: [guardrail] }, { args: ['--guardrail', 'gr1:1'] }],
  ['guardrail', 'failure', { guardrails }, { args: ['--guardrail', 'gr1:2'] }],
  ['guardrail', 'note', { guardrails, ...denied('GetGuardrail') }, { args: ['--guardrail', 'gr1:1'] }],
])('%s: %s', async (check, status, options, how) => {
  const { rows, code, healthy } = await examine(options, how)
  const row = rows.find((each) => each.check === check)
  expect(row).toMatchObject({ check, status })
  if (status === 'failure' || status === 'warning') expect(row?.next).toBeTruthy()
  expect(code).toBe(healthy ? 0 : 1)
  expect(healthy).toBe(!rows.some((each) => each.status === 'failure'))
})

test('clock: warning', async () => {
  // A server whose `Date` is an hour ahead, and which says nothing else.
  const server = createServer((_, response) =>
    response.writeHead(404, { date: new Date(Date.now() + 3_600_000).toUTCString() }).end('{}'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { rows } = await examine(
    {},
    { env: { AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } },
  )
  expect(rows.find(({ check }) => check === 'clock')).toMatchObject({
    status: 'warning',
    next: expect.stringContaining('clock'),
  })
  server.closeAllConnections()
  server.close()
})
