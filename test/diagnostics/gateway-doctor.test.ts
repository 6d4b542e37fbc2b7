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

test('a gateway in order', async () => {
  const rows = await check(await gatewayWith(), { invoke: true })
  expect(rows.map(({ check, status }) => `${check} ${status}`)).toEqual([
    'gateway ok',
    'Bedrock ok',
    'strangers ok',
    'key ok',
    'models ok',
    'call ok',
  ])
  expect(isHealthy(rows)).toBe(true)
  expect(row(rows, 'models')?.message).toContain('claude-sonnet-4-6')
})

test('without --invoke nothing is sent to a model, and it says so', async () => {
  const fake = createFakeBedrock()
  const { fetch, identity: credentials, region } = fake
  const gateway = createGateway(createBedrockClient({ region, credentials, fetch }), {
    authenticate: apiKeys([{ id: 'doctor', sha256: await hashApiKey(key) }]),
  })
  expect(row(await check(gateway), 'call')).toMatchObject({ status: 'note' })
  expect(fake.calls.filter(({ operation }) => operation.startsWith('Invoke'))).toEqual([])
})

test('a key that is not known', async () => {
  const rows = await check(await gatewayWith(), { key: 'another-key-of-somebody' })
  expect(row(rows, 'key')).toMatchObject({ status: 'failure', next: expect.stringContaining('gateway key add') })
  expect(JSON.stringify(rows)).not.toContain('another-key')
})

test('no key: what is open is checked, and the rest is not claimed', async () => {
  const rows = await check(await gatewayWith(), { key: undefined })
  expect(row(rows, 'key')).toMatchObject({ status: 'note' })
  expect(row(rows, 'models')).toBeUndefined()
})

test('a gateway that lets everybody in', async () => {
  const rows = await check(await gatewayWith({ authenticate: () => ({ id: 'anybody' }) }))
  expect(row(rows, 'strangers')).toMatchObject({ status: 'failure', message: expect.stringContaining('200') })
})

test('metrics that are open', async () => {
  expect(row(await check(await gatewayWith({ openMetrics: true })), 'metrics')).toMatchObject({ status: 'note' })
})

test('credentials of the gateway that Bedrock refuses', async () => {
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

test('one that shuts down', async () => {
  const gateway = await gatewayWith()
  await gateway.drain()
  expect(row(await check(gateway), 'gateway')).toMatchObject({ status: 'warning' })
})

test('plain http beyond this machine', async () => {
  const gateway = await gatewayWith()
  expect(row(await check(gateway, { url: 'http://claude.example' }), 'TLS')).toMatchObject({ status: 'warning' })
  expect(row(await check(gateway, { url: 'http://localhost:8787' }), 'TLS')).toBeUndefined()
})

test('a path that it is mounted under', async () => {
  const gateway = await gatewayWith({ basePath: '/claude' })
  expect(isHealthy(await check(gateway, { url: 'https://example.com/claude/' }))).toBe(true)
  expect(row(await check(gateway), 'gateway')).toMatchObject({
    status: 'failure',
    next: expect.stringContaining('path'),
  })
})

test('a list of models that takes longer than Claude Code waits', async () => {
  const times = [0, 0, 0, 0, 0, 0, 0, 0, 0, 3500]
  const rows = await check(await gatewayWith(), { now: () => times.shift() ?? 3500 })
  expect(rows).toContainEqual(expect.objectContaining({ check: 'models', status: 'warning' }))
})

test.each([
  [
    'nobody',
    () => Promise.reject(Object.assign(new TypeError('fetch failed'), { code: 'ECONNREFUSED' })),
    /ECONNREFUSED/,
  ],
  ['another server', async () => new Response('<h1>Welcome</h1>'), /not like an Outcrop gateway/],
  ['a server that has no such page', async () => new Response('Not found', { status: 404 }), /404/],
  ['one that leads elsewhere', async () => Response.redirect('https://elsewhere.example/', 302), /302/],
])('%s at the address', async (_, answer, message) => {
  const rows = await check({ fetch: answer })
  expect(isHealthy(rows)).toBe(false)
  expect(rows[0]?.message).toMatch(message)
})

test.each(['', 'claude.example', 'ftp://claude.example', 'https://me:secret@claude.example'])(
  '%j is no address',
  async (url) => {
    await expect(check(await gatewayWith(), { url })).rejects.toMatchObject({ code: 'configuration' })
  },
)
