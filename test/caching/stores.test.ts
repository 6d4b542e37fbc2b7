import { createBedrockClient, type Message } from 'outcrop'
import { memoryStore, type ResponseStore, responseCaching, unstorageStore, webCacheStore } from 'outcrop/caching'
import { createFakeBedrock, responseStoreContract } from 'outcrop/testing'
import { createStorage } from 'unstorage'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestClock } from '../credentials/support.ts'
import { hasRedis, type RedisServer, startRedis } from '../redis-server.ts'

/** The part of the Cache API that the store uses, as Workers have it. */
function createWebCache(): Pick<Cache, 'match' | 'put'> {
  const responses = new Map<string, Response>()
  return {
    match: async (request) => responses.get(String(request))?.clone(),
    put: async (request, response) => {
      if (!response.headers.get('cache-control')) throw new TypeError('it has to be cacheable')
      responses.set(String(request), response)
    },
  }
}

describe.each<[string, () => ResponseStore]>([
  ['memoryStore', () => memoryStore()],
  ['unstorageStore, in memory', () => unstorageStore(createStorage())],
  ['webCacheStore', () => webCacheStore(createWebCache())],
])('%s', (_, createStore) => {
  for (const { name, run } of responseStoreContract(createStore)) test(name, run)
})

describe('memoryStore', () => {
  const hour = { ttl: 3_600_000 }
  test('limits its bytes, and removes the least recently used entry', async () => {
    const store = memoryStore({ maxBytes: 100 })
    await store.set('a', 'x'.repeat(20), hour)
    await store.set('b', 'x'.repeat(20), hour)
    await store.get('a')
    await store.set('c', 'x'.repeat(20), hour)
    expect([await store.get('a'), await store.get('b'), await store.get('c')].map(Boolean)).toEqual([true, false, true])
    await store.set('big', 'x'.repeat(100), hour)
    expect(await store.get('big')).toBeUndefined()
    expect(await store.get('c')).toBeDefined()
  })
  test('removes expired entries', async () => {
    const clock = createTestClock()
    const store = memoryStore({ clock })
    await store.set('a', '{}', { ttl: 1000 })
    clock.advance(1001)
    expect(await store.get('a')).toBeUndefined()
  })
  test('rejects an invalid size', () => {
    expect(() => memoryStore({ maxBytes: 0 })).toThrow(expect.objectContaining({ code: 'configuration' }))
  })
})

test('unstorageStore converts the ttl to seconds', async () => {
  const options: unknown[] = []
  const store = unstorageStore({ getItem: () => null, setItem: (_key, _value, given) => void options.push(given) })
  await store.set('a', '{}', { ttl: 1500 })
  expect(options).toEqual([{ ttl: 2 }])
})

describe.skipIf(!hasRedis)('a real Redis', () => {
  let redis: RedisServer
  const clients: { disconnect(): void }[] = []
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(async () => {
    for (const client of clients) client.disconnect()
    await redis?.kill()
  })

  async function redisStore(base: string): Promise<ResponseStore> {
    const { default: redisDriver } = await import('unstorage/drivers/redis')
    const driver = redisDriver({
      host: '127.0.0.1',
      port: redis.port,
      base,
      maxRetriesPerRequest: 1,
      retryStrategy: () => null,
    })
    const instance = driver.getInstance?.() as { disconnect(): void; on(event: string, listener: () => void): void }
    instance.on('error', () => {})
    clients.push(instance)
    return unstorageStore(createStorage({ driver }))
  }

  let count = 0
  for (const { name, run } of responseStoreContract(() => redisStore(`contract-${count++}`))) test(name, run)

  test('is shared by two clients; no call fails when it dies', async () => {
    const fake = createFakeBedrock()
    const client = async (): Promise<ReturnType<typeof createBedrockClient>> =>
      createBedrockClient({
        region: fake.region,
        credentials: fake.identity,
        fetch: fake.fetch,
        middleware: [responseCaching({ store: await redisStore('shared') })],
      })
    const [a, b] = [await client(), await client()]
    const ask = (bedrock: typeof a, content: string): Promise<Message> =>
      bedrock.messages.create({
        model: 'sonnet',
        max_tokens: 10,
        temperature: 0,
        messages: [{ role: 'user', content }],
      })
    await ask(a, 'One')
    await expect.poll(async () => (await ask(b, 'One')).metadata.cache?.status).toBe('hit')
    await redis.kill()
    for (const content of ['One', 'Two', 'Three']) {
      const { metadata } = await ask(b, content)
      expect(metadata.cache?.status).toBe('miss')
    }
  })
})
