import { createBedrockClient } from 'outcrop'
import { type CheckResult, type GatewayDoctorOptions, isHealthy, runGatewayDoctor } from 'outcrop/diagnostics'
import { apiKeys, createGateway, type Gateway, type GatewayOptions, hashApiKey } from 'outcrop/gateway'
import { createFakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'
import { expect, test } from 'vitest'

const key = 'key-of-the-doctor'

async function gatewayWith(options: Partial<GatewayOptions> = {}, bedrock: FakeBedrockOptions = {}): Promise<Gateway> {
  const fake = createFakeBedrock({ reply: 'Hello!', ...bedrock })
  const { fetch, identity: credentials, region } = fake
  return createGateway(createBedrockClient({ region, credentials, fetch, retry: false }), {
    authenticate: apiKeys([{ id: 'doctor', sha256: await hashApiKey(key) }]),
    ...options,
  })
}

async function check(
  gateway: Pick<Gateway, 'fetch'>,
  options: Partial<GatewayDoctorOptions> = {},
): Promise<CheckResult[]> {
  const rows: CheckResult[] = []
  const fetch = ((input: string, init: RequestInit) =>
    gateway.fetch(new Request(input, init))) as typeof globalThis.fetch
  for await (const row of runGatewayDoctor({ url: 'https://claude.example', key, fetch, ...options })) rows.push(row)
  return rows
}

const row = (rows: readonly CheckResult[], check: string) => rows.find((each) => each.check === check)

test('a healthy gateway passes every check', async () => {
  const rows = await check(await gatewayWith(), { invoke: true })
  expect(rows.map(({ check, status }) => `${check} ${status}`)).toEqual([
    'gateway ok',
    'Bedrock ok',
    'authentication ok',
    'key ok',
    'models ok',
    'call ok',
  ])
  expect(isHealthy(rows)).toBe(true)
  expect(row(rows, 'models')?.message).toContain('claude-sonnet-4-6')
})

test('sends nothing to a model without --invoke, and says so', async () => {
  const fake = createFakeBedrock()
  const { fetch, identity: credentials, region } = fake
  const gateway = createGateway(createBedrockClient({ region, credentials, fetch }), {
    authenticate: apiKeys([{ id: 'doctor', sha256: await hashApiKey(key) }]),
  })
  expect(row(await check(gateway), 'call')).toMatchObject({ status: 'note' })
  expect(fake.calls.filter(({ operation }) => operation.startsWith('Invoke'))).toEqual([])
})

test('rejects an unknown key', async () => {
  const rows = await check(await gatewayWith(), { key: 'another-key-of-somebody' })
  expect(row(rows, 'key')).toMatchObject({ status: 'failure', next: expect.stringContaining('gateway key add') })
  expect(JSON.stringify(rows)).not.toContain('another-key')
})

test('checks the open routes without a key, and leaves the rest out', async () => {
  const rows = await check(await gatewayWith(), { key: undefined })
  expect(row(rows, 'key')).toMatchObject({ status: 'note' })
  expect(row(rows, 'models')).toBeUndefined()
})

test('fails for a gateway without authentication', async () => {
  const rows = await check(await gatewayWith({ authenticate: () => ({ id: 'anybody' }) }))
  expect(row(rows, 'authentication')).toMatchObject({ status: 'failure', message: expect.stringContaining('200') })
})

test('notes open metrics', async () => {
  expect(row(await check(await gatewayWith({ openMetrics: true })), 'metrics')).toMatchObject({ status: 'note' })
})

test("reports that Bedrock refuses the gateway's credentials", async () => {
  const fake = createFakeBedrock()
  const { fetch, region } = fake
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-the-secret-example' }
  const gateway = createGateway(createBedrockClient({ region, credentials, fetch, retry: false }), {
    authenticate: apiKeys([{ id: 'doctor', sha256: await hashApiKey(key) }]),
  })
  const rows = await check(gateway, { invoke: true })
  expect(row(rows, 'Bedrock')).toMatchObject({ status: 'failure', next: expect.stringContaining('on its machine') })
  expect(row(rows, 'call')).toMatchObject({ status: 'failure' })
})

test('warns about a gateway that is shutting down', async () => {
  const gateway = await gatewayWith()
  await gateway.drain()
  expect(row(await check(gateway), 'gateway')).toMatchObject({ status: 'warning' })
})

test('warns about plain http beyond this machine', async () => {
  const gateway = await gatewayWith()
  expect(row(await check(gateway, { url: 'http://claude.example' }), 'TLS')).toMatchObject({ status: 'warning' })
  expect(row(await check(gateway, { url: 'http://localhost:8787' }), 'TLS')).toBeUndefined()
})

test('keeps the base path of the URL', async () => {
  const gateway = await gatewayWith({ basePath: '/claude' })
  expect(isHealthy(await check(gateway, { url: 'https://example.com/claude/' }))).toBe(true)
  expect(row(await check(gateway), 'gateway')).toMatchObject({
    status: 'failure',
    next: expect.stringContaining('path'),
  })
})

test('warns if the list of models takes longer than Claude Code waits', async () => {
  const times = [0, 0, 0, 0, 0, 0, 0, 0, 0, 3500]
  const rows = await check(await gatewayWith(), { now: () => times.shift() ?? 3500 })
  expect(rows).toContainEqual(expect.objectContaining({ check: 'models', status: 'warning' }))
})

test.each([
  [
    'nothing',
    () => Promise.reject(Object.assign(new TypeError('fetch failed'), { code: 'ECONNREFUSED' })),
    /ECONNREFUSED/,
  ],
  ['a server that is not a gateway', async () => new Response('<h1>Welcome</h1>'), /not like an Outcrop gateway/],
  ['a server without the route', async () => new Response('Not found', { status: 404 }), /404/],
  ['a redirect', async () => Response.redirect('https://elsewhere.example/', 302), /302/],
])('fails if the address has %s', async (_, answer, message) => {
  const rows = await check({ fetch: answer })
  expect(isHealthy(rows)).toBe(false)
  expect(rows[0]?.message).toMatch(message)
})

test.each(['', 'claude.example', 'ftp://claude.example', 'https://me:secret@claude.example'])(
  'rejects %j as an address',
  async (url) => {
    await expect(check(await gatewayWith(), { url })).rejects.toMatchObject({ code: 'configuration' })
  },
)
