import { createBedrockClient } from 'outcrop'
import { failover } from 'outcrop/failover'
import { createFakeBedrock } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { afterAll, expect, test } from 'vitest'
import { params, route } from './support.ts'

const servers: Awaited<ReturnType<typeof serveFakeBedrock>>[] = []
afterAll(() => Promise.all(servers.map((server) => server.close())))

/** Two Bedrocks on loopback, each with a client of its own on Node's transport. */
async function setUp() {
  const [one, two] = [createFakeBedrock(), createFakeBedrock()]
  const [first, second] = await Promise.all([serveFakeBedrock(one), serveFakeBedrock(two)])
  servers.push(first, second)
  const options = { region: 'us-east-1', credentials: one.identity, env: {}, retry: { baseDelay: 0 } }
  const client = createBedrockClient({ ...options, endpoint: second.url })
  const middleware = [failover([{ client, name: 'second' }])]
  return { one, two, first, bedrock: createBedrockClient({ ...options, endpoint: first.url, middleware }) }
}

test('over HTTP, a server that is gone moves messages and streams', async () => {
  const { first, bedrock, two } = await setUp()
  await bedrock.messages.create(params)
  await first.close()
  const { metadata } = await bedrock.messages.create(params)
  expect(route(metadata)).toBe('primary (connection) > second (failed)')
  const message = await bedrock.messages.stream(params).finalMessage()
  expect(route(message.metadata)).toBe('second (moved)')
  expect(two.calls.map(({ signature }) => signature.valid)).toEqual([true, true])
})

test('over HTTP, a connection that breaks moves the call before the first event, but not after it', async () => {
  const { one, two, bedrock } = await setUp()
  one.fail('stream-reset', { after: 0, times: 3 })
  const message = await bedrock.messages.stream(params).finalMessage()
  expect(route(message.metadata)).toBe('primary (connection) > second (failed)')

  two.fail('stream-reset', { after: 2 })
  await expect(bedrock.messages.stream(params).finalMessage()).rejects.toMatchObject({
    code: 'stream_truncated',
    partial: { role: 'assistant' },
  })
  expect(one.calls.length + two.calls.length).toBeLessThanOrEqual(5)
})

test('over HTTP, a 503 cools a target down for its retry-after', async () => {
  const { one, bedrock } = await setUp()
  one.fail('unavailable', { times: 2, headers: { 'retry-after': '120' } })
  const { metadata } = await bedrock.messages.create(params)
  expect(route(metadata)).toBe('primary (unavailable) > second (failed)')
  const other = await bedrock.messages.create({ ...params, system: 'Of another conversation' })
  expect(route(other.metadata)).toBe('second (cooldown)')
  expect(one.calls).toHaveLength(1)
})
