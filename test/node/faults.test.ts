import { type BedrockCoreClient, createBedrockClient, isBedrockError } from 'outcrop/core'
import { createNodeFetch } from 'outcrop/node'
import { createFakeBedrock, type FaultName } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { faults } from '../../src/testing/faults.ts'
import { createCertificate } from './certificate.ts'
import { type Listening, listen, params, passOn } from './support.ts'

// test/core/faults.test.ts says what each fault means, and runs on `node:http` and, in the project `web`, on `fetch`. Here
// each is what it is there over TLS too, on either.

const fake = createFakeBedrock()
const certificate = createCertificate()
let plain: Awaited<ReturnType<typeof serveFakeBedrock>>
let secure: Listening
beforeAll(async () => {
  plain = await serveFakeBedrock(fake)
  secure = await listen((socket) => passOn(socket, Number(new URL(plain.url).port)), certificate)
})
afterAll(async () => {
  await secure.close()
  await plain.close()
})
beforeEach(() => fake.reset())

const own: typeof globalThis.fetch = createNodeFetch({ ca: certificate.cert })
// Node's fetch cannot be given a certificate: for it alone, none is checked.
const unchecked: typeof globalThis.fetch = (input, init) => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  return fetch(input, init).finally(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED)
}
const transports: Record<string, () => { endpoint: string; fetch?: typeof globalThis.fetch }> = {
  'node:http': () => ({ endpoint: plain.url }),
  'node:https': () => ({ endpoint: `https://localhost:${secure.port}`, fetch: own }),
  'fetch over HTTP': () => ({ endpoint: plain.url, fetch: (input, init) => fetch(input, init) }),
  'fetch over TLS': () => ({ endpoint: `https://localhost:${secure.port}`, fetch: unchecked }),
}

// The error with the events before it, without the parts that differ from call to call.
async function outcome(bedrock: BedrockCoreClient, way: 'create' | 'stream'): Promise<unknown> {
  let events = 0
  try {
    if (way === 'create') await bedrock.messages.create(params)
    else for await (const _ of bedrock.messages.stream(params)) events++
    return { events }
  } catch (error) {
    if (!isBedrockError(error)) throw error
    const { code, status, type, retryable, attempts } = error as unknown as Record<string, unknown>
    return { code, status, type, retryable, attempts, events, isBounded: error.message.length < 600 }
  }
}

const names = (Object.keys(faults) as FaultName[]).filter((name) => !/stall/.test(name))
describe.each(['create', 'stream'] as const)('%s', (way) => {
  test.each(names)('%s', async (fault) => {
    const outcomes: unknown[] = []
    for (const transport of Object.values(transports)) {
      fake.fail(fault, { after: 2 })
      const options = { region: fake.region, credentials: fake.identity, retry: false as const, ...transport() }
      outcomes.push(await outcome(createBedrockClient(options), way))
      fake.reset()
    }
    expect(outcomes).toEqual(outcomes.map(() => outcomes[0]))
  })
})

// Silence of any length: the deadlines may be as short as they like.
test.each([
  ['stall', 'create', { response: 30 }, 'response'],
  ['stall', 'stream', { response: 30 }, 'response'],
  ['stream-stall', 'stream', { idle: 30 }, 'idle'],
] as const)('%s, %s', async (fault, way, timeout, phase) => {
  // For every request: one that was given up before it arrived may still arrive, and would use up the next one's fault.
  fake.fail(fault, { after: 2, times: Number.POSITIVE_INFINITY })
  for (const transport of Object.values(transports)) {
    const options = { region: fake.region, credentials: fake.identity, retry: false as const, timeout, ...transport() }
    const { messages } = createBedrockClient(options)
    const call = way === 'create' ? messages.create(params) : messages.stream(params).finalMessage()
    await expect(call).rejects.toMatchObject({ code: 'timeout', phase })
  }
})

test.each(Object.keys(transports))('%s: 100 concurrent streams arrive whole', async (name) => {
  const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, ...transports[name]?.() })
  const texts = await Promise.all(Array.from({ length: 100 }, () => bedrock.messages.stream(params).finalText()))
  expect(new Set(texts).size).toBe(1)
  expect(texts[0]).not.toBe('')
})
