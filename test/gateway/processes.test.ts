import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { keysFile } from 'outcrop/gateway/node'
import { createFakeBedrock } from 'outcrop/testing'
import { type FakeBedrockServer, serveFakeBedrock } from 'outcrop/testing/node'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { hasRedis, startRedis } from '../redis-server.ts'
import { listen } from '../../src/node/listen.ts'
import { endlessBedrock, params } from './support.ts'

const root = resolve(import.meta.dirname, '../..')
let folder: string
let keysPath: string
let alice: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outcrop-gateway-'))
  keysPath = join(folder, 'keys.json')
  alice = await keysFile(keysPath).add({ id: 'alice' })
  await writeFile(join(folder, 'prices.json'), '{"sonnet":{"input":3,"output":15}}')
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs `outcrop gateway` from its source, and waits until it listens. */
async function start(upstream: string, flags: readonly string[] = []) {
  const arguments_ = ['--import', 'tsx', 'src/cli/index.ts', 'gateway', '--port', '0', '--keys', keysPath, ...flags]
  const child = spawn(process.execPath, arguments_, {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      TSX_TSCONFIG_PATH: join(root, 'tsconfig.node.json'),
      AWS_ENDPOINT_URL: upstream,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret-example-of-the-fake',
    },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  child.stdout.resume()
  await expect.poll(() => said, { timeout: 30_000 }).toContain('listening on')
  const url = /http:\/\/[\d.:]+/.exec(said)?.[0] as string
  return { child, url, said: () => said }
}

async function exitOf(child: ChildProcess): Promise<unknown> {
  return child.exitCode ?? (await once(child, 'exit'))[0]
}

function open(url: string, key: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-api-key': key, 'content-type': 'application/json' }
    const sent = request(`${url}/v1/messages`, { method: 'POST', headers })
    sent.once('response', resolve).once('error', reject)
    sent.end(JSON.stringify({ ...params, stream: true }))
  })
}

test('SIGTERM under load finishes every stream before the process exits with 0', async () => {
  const upstream = endlessBedrock()
  const bedrock = await listen({
    port: 0,
    host: '127.0.0.1',
    onRequest: async (_, response) => {
      const { body } = await upstream.fetch()
      response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
      for await (const chunk of body ?? []) {
        if (!(response as { write(chunk: unknown): boolean }).write(chunk)) await once(response, 'drain')
      }
      response.end()
    },
  })
  onTestFinished(() => bedrock.close())
  const { child, url, said } = await start(bedrock.url)
  const streams = await Promise.all(Array.from({ length: 50 }, () => open(url, alice)))
  const ends = streams.map(async (stream) => {
    let end = ''
    for await (const chunk of stream) end = (end + String(chunk)).slice(-200)
    return end
  })
  child.kill('SIGTERM')
  await expect.poll(said).toContain('Draining')
  await expect(open(url, alice)).rejects.toThrow()
  expect(child.exitCode).toBeNull()
  upstream.isEnding = true
  for (const end of await Promise.all(ends)) expect(end).toContain('event: message_stop')
  expect(await exitOf(child)).toBe(0)
})

describe.skipIf(!hasRedis)('two processes with one Redis', () => {
  let fake: FakeBedrockServer
  beforeAll(async () => {
    fake = await serveFakeBedrock(createFakeBedrock({ reply: 'word '.repeat(800) }))
  })
  afterAll(() => fake.close())

  test("share a key's limits; without Redis, refuse spending and keep to their share of tokens", async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.kill())
    const keys = keysFile(keysPath)
    const spender = await keys.add({ id: 'spender', limits: { spendPerDay: 0.035 } })
    const talker = await keys.add({ id: 'talker', limits: { tokensPerMinute: 6_000 } })
    const flags = ['--redis', `redis://127.0.0.1:${redis.port}`, '--prices', join(folder, 'prices.json')]
    const gateways = await Promise.all([start(fake.url, flags), start(fake.url, flags)])
    const call = async (i: number, key: string): Promise<number> => {
      const headers = { 'x-api-key': key, 'content-type': 'application/json' }
      const { url } = gateways[i % 2] as { url: string }
      const response = await fetch(`${url}/v1/messages`, { method: 'POST', headers, body: JSON.stringify(params) })
      await response.text()
      return response.status
    }
    const statuses = async (key: string): Promise<number[]> => {
      const all: number[] = []
      for (let i = 0; i < 8; i++) all.push(await call(i, key))
      return all
    }
    // A call costs some 0.015 and has some 1,000 tokens.
    expect(await statuses(spender)).toEqual([200, 200, 200, 429, 429, 429, 429, 429])
    const granted = (await statuses(talker)).filter((status) => status === 200).length
    expect(granted).toBeGreaterThan(3)
    expect(granted).toBeLessThan(8)
    await redis.kill()
    expect(await call(0, spender)).toBe(529)
    // Half of 6,000 for each of two; without a limit, nothing has changed.
    const shares = (await statuses(talker)).filter((status) => status === 200).length
    expect(shares).toBeGreaterThan(1)
    expect(shares).toBeLessThan(8)
    expect(await call(0, alice)).toBe(200)
    expect(gateways[0]?.said()).toContain('the store for spend limits is unavailable')
    for (const { child } of gateways) {
      child.kill('SIGTERM')
      expect(await exitOf(child)).toBe(0)
    }
  })
})
