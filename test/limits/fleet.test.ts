import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { createBedrockClient } from 'outcrop'
import { limits, redisLimitStore } from 'outcrop/limits'
import { createFakeBedrock } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasRedis, type RedisServer, startRedis } from '../redis-server.ts'
import { base, params, quota } from './support.ts'

const run = promisify(execFile)
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

describe.skipIf(!hasRedis)('a fleet with a real Redis', () => {
  let redis: RedisServer
  const clients: Redis[] = []
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(async () => {
    for (const client of clients) client.disconnect()
    await redis?.kill()
  })

  test('two processes share one quota', async () => {
    // Each call counts for 49,000 tokens, of 100,000 that there are in any minute.
    const reply = { content: [{ type: 'text', text: 'Hi' }], usage: { input_tokens: 10, output_tokens: 9_798 } }
    const fake = createFakeBedrock({ reply, quotas: [{ model: base, tokensPerMinute: 100_000 }] })
    const server = await serveFakeBedrock(fake, { port: 0 })
    const start = () =>
      run(process.execPath, [
        path('../../node_modules/tsx/dist/cli.mjs'),
        path('fleet-process.ts'),
        String(redis.port),
        server.url,
        '8',
      ])
    try {
      const reports = (await Promise.all([start(), start()])).map(({ stdout }) => JSON.parse(stdout))
      const sum = (name: string): number => reports.reduce((total, { outcomes }) => total + (outcomes[name] ?? 0), 0)
      expect(sum('answered')).toBe(2)
      expect(sum('QuotaError')).toBe(14)
      expect(fake.calls.map(({ status }) => status)).toEqual([200, 200])
      expect(reports.map(({ store }) => store)).toEqual(['shared', 'shared'])
      expect(Math.max(...reports.map(({ instances }) => instances))).toBe(2)
    } finally {
      await server.close()
    }
  })

  test('no call fails when Redis dies: the share applies until it is back', async () => {
    const fake = createFakeBedrock()
    let ahead = 0
    const clock = {
      now: () => Date.now() + ahead,
      setTimeout: (callback: () => void, milliseconds: number) => setTimeout(callback, milliseconds),
      clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
    }
    const warnings: string[] = []
    const quiet = (): void => {}
    const connect = () => {
      const client = new Redis(redis.port, '127.0.0.1', { retryStrategy: () => 50 })
      client.on('error', quiet)
      clients.push(client)
      return client
    }
    const limiter = limits({
      quotas: quota(1_000_000),
      store: redisLimitStore(connect(), { prefix: 'dies' }),
      storeTimeout: 2_000,
    })
    const bedrock = createBedrockClient({
      region: fake.region,
      credentials: fake.identity,
      fetch: fake.fetch,
      clock,
      middleware: [limiter],
      logger: { debug: quiet, info: quiet, warn: (message) => void warnings.push(message), error: quiet },
    })
    // Another process has been seen at the store.
    const other = redisLimitStore(connect(), { prefix: 'dies' })
    await other.reserve([{ key: 'a', rule: { window: 60_000, burst: 1 }, hold: 0 }], { now: 0, lease: 1_000 })
    await bedrock.messages.create(params)
    expect(limiter.snapshot()).toMatchObject({ store: 'shared', instances: 2 })

    const stream = bedrock.messages.stream(params)
    await stream[Symbol.asyncIterator]().next()
    await redis.kill()
    for (let i = 0; i < 3; i++) await bedrock.messages.create(params)
    expect(limiter.snapshot()).toMatchObject({ store: 'share', instances: 2 })
    expect(warnings).toEqual([expect.stringContaining('keeps to 1/2 of each limit')])
    // Reservations of the dead server cannot be settled.
    stream.abort()

    await redis.restart()
    await expect
      .poll(async () => {
        ahead += 6_000
        await bedrock.messages.create(params)
        return limiter.snapshot().store
      })
      .toBe('shared')
  })
})
