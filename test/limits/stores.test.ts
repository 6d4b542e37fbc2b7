import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis as Upstash } from '@upstash/redis'
import { Redis as Ioredis } from 'ioredis'
import { type LimitStore, memoryLimitStore, redisLimitStore, upstashLimitStore } from 'outcrop/limits'
import { limitStoreContract, type LimitStoreSetting } from 'outcrop/testing'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasRedis, type RedisServer, startRedis } from '../redis-server.ts'

function setting(makeStore: (clock: { now(): number }) => LimitStore): LimitStoreSetting {
  let time = 1_800_000_000_000
  const now = (): number => time
  return {
    store: makeStore({ now }),
    now,
    advance: (milliseconds) => {
      time += milliseconds
    },
  }
}

describe('memoryLimitStore', () => {
  for (const { name, run } of limitStoreContract(() => setting(() => memoryLimitStore()))) test(name, run)
})

test('rejects a value that is not a Redis client', () => {
  expect(() => redisLimitStore({} as never)).toThrow(expect.objectContaining({ code: 'configuration' }))
  expect(() => upstashLimitStore(undefined as never)).toThrow(expect.objectContaining({ code: 'configuration' }))
})

describe.skipIf(!hasRedis)('a real Redis', () => {
  let redis: RedisServer
  let ioredis: Ioredis
  const nodeRedis = () => createClient({ socket: { port: redis.port, host: '127.0.0.1' } })
  let node: ReturnType<typeof nodeRedis>
  let rest: ReturnType<typeof serveRest>
  let upstash: Upstash
  beforeAll(async () => {
    redis = await startRedis()
    ioredis = new Ioredis(redis.port, '127.0.0.1')
    node = nodeRedis()
    await node.connect()
    rest = serveRest(() => ioredis)
    upstash = new Upstash({ url: await rest.url, token: 'example', enableTelemetry: false })
  })
  afterAll(async () => {
    ioredis?.disconnect()
    node?.destroy()
    await rest?.close()
    await redis?.kill()
  })

  let count = 0
  const options = (clock: { now(): number }) => ({ clock, prefix: `contract-${count++}` })
  const stores: Record<string, (clock: { now(): number }) => LimitStore> = {
    ioredis: (clock) => redisLimitStore(ioredis, options(clock)),
    'node-redis': (clock) => redisLimitStore(node, options(clock)),
    '@upstash/redis': (clock) => upstashLimitStore(upstash, options(clock)),
  }
  describe.each(Object.entries(stores))('by %s', (_, makeStore) => {
    for (const { name, run } of limitStoreContract(() => setting(makeStore))) test(name, run)
  })

  test('the scripts and the memory store calculate the same', async () => {
    let seed = 42
    const random = (): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return seed / 2 ** 32
    }
    let time = 1_800_000_000_000
    const clock = { now: () => time }
    const memory = memoryLimitStore()
    const shared = redisLimitStore(ioredis, { clock, prefix: 'same' })
    const rules = [
      { limit: 6_000, window: 60_000, burst: 10_000 },
      { window: 60_000, burst: 5_000 },
      { limit: 900, window: 30_000, burst: 30_000, concurrency: 4 },
    ]
    const open: [Awaited<ReturnType<LimitStore['reserve']>>, Awaited<ReturnType<LimitStore['reserve']>>][] = []
    const compare = (a: object, b: object): void => expect(rounded(a)).toEqual(rounded(b))
    for (let i = 0; i < 400; i++) {
      time += Math.floor(random() * 2_000)
      const options = { now: time, lease: 40_000 }
      if (random() < 0.6) {
        const charges = rules.map((rule, k) => ({
          key: String(k),
          rule,
          hold: random() < 0.2 ? 0 : Math.floor(random() * 800),
          expected: Math.floor(random() * 500),
        }))
        const [a, b] = [await memory.reserve(charges, options), await shared.reserve(charges, options)]
        const { sharers: _a, ...one } = a
        const { sharers: _b, ...two } = b
        compare({ ...one, ticket: 0 }, { ...two, ticket: 0 })
        if (a.granted) open.push([a, b])
      } else {
        const [pair] = open.splice(Math.floor(random() * open.length), 1)
        if (!pair) continue
        const [a, b] = pair
        if (!a.granted || !b.granted) throw new Error('Only what was granted is open')
        const outcomes = rules.map(() => ({
          used: random() < 0.1 ? undefined : Math.floor(random() * 900),
          throttled: random() < 0.1,
          pause: random() < 0.02 ? 500 : undefined,
        }))
        compare(await memory.settle(a.ticket, outcomes, options), await shared.settle(b.ticket, outcomes, options))
      }
    }
  })

  test('scripts are sent again to a server that has lost them', async () => {
    const store = redisLimitStore(ioredis, { prefix: 'lost' })
    const charges = [{ key: 'a', rule: { window: 60_000, burst: 10_000 }, hold: 1 }]
    await store.reserve(charges, { now: 0, lease: 1_000 })
    await ioredis.script('FLUSH')
    await expect(store.reserve(charges, { now: 0, lease: 1_000 })).resolves.toMatchObject({ granted: true })
  })

  test('every key expires', async () => {
    const store = redisLimitStore(ioredis, { prefix: 'kept' })
    await store.reserve([{ key: 'a', rule: { window: 60_000, burst: 10_000 }, hold: 1 }], { now: 0, lease: 1_000 })
    const keys = await ioredis.keys('kept*')
    expect(keys).toHaveLength(3)
    for (const key of keys) expect(await ioredis.pttl(key)).toBeGreaterThan(0)
  })
})

function rounded(value: object): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      each === Number.POSITIVE_INFINITY ? 'never' : typeof each === 'number' ? Number(each.toPrecision(9)) : each,
    ),
  )
}

/** Upstash's REST API, as far as scripts need it: a command as a JSON array, or several of them to `/pipeline`. */
function serveRest(client: () => Ioredis) {
  const run = ([command, ...args]: [string, ...string[]], isEncoded: boolean): Promise<object> =>
    client()
      .call(command, ...args)
      .then(
        (result) => ({ result: isEncoded ? encoded(result) : result }),
        (error: Error) => ({ error: error.message }),
      )
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const body = JSON.parse(text)
    const isEncoded = request.headers['upstash-encoding'] === 'base64'
    const answer =
      request.url === '/pipeline'
        ? await Promise.all(body.map((command: [string]) => run(command, isEncoded)))
        : await run(body, isEncoded)
    response.writeHead('error' in answer ? 400 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer))
  })
  return {
    url: new Promise<string>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
    }),
    close: () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  }
}

const encoded = (result: unknown): unknown =>
  typeof result === 'string' ? Buffer.from(result).toString('base64') : result
