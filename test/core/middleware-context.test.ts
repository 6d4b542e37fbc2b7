import { createBedrockClient, type Middleware, type MiddlewareContext } from 'outcrop/core'
import { createFakeBedrock } from 'outcrop/testing'
import { expect, test } from 'vitest'

const body = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }

function setUp(options: object = {}) {
  const fake = createFakeBedrock()
  const seen: MiddlewareContext[] = []
  const look: Middleware = (request, next, context) => {
    seen.push(context)
    return next(request)
  }
  const pass: Middleware = (request, next) => next(request)
  const bedrock = createBedrockClient({
    region: 'eu-west-1',
    credentials: fake.identity,
    fetch: fake.fetch,
    timeout: { idle: 1000, total: 2000 },
    middleware: [look, pass],
    ...options,
  })
  const call = async (model = 'eu.anthropic.claude-sonnet-4-6', callOptions = {}): Promise<MiddlewareContext> => {
    await bedrock.invoke({ model, body }, callOptions)
    return seen.at(-1) as MiddlewareContext
  }
  return { call, fake, pass }
}

test('a middleware is told the endpoint of the region that is called', async () => {
  const { call } = setUp()
  expect((await call()).endpoint).toBe('https://bedrock-runtime.eu-west-1.amazonaws.com')
  const arn = 'arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6'
  expect((await call(arn)).endpoint).toBe('https://bedrock-runtime.us-west-2.amazonaws.com')
  const own = setUp({ endpoint: 'https://gateway.example/base/' })
  expect((await own.call()).endpoint).toBe('https://gateway.example/base')
})

test('a middleware is told the deadlines of the call, and what runs inside of it', async () => {
  const { call, pass } = setUp()
  const context = await call(undefined, { timeout: { total: 5000 } })
  expect(context.timeout).toEqual({ idle: 1000, total: 5000 })
  expect(context.inner).toEqual([pass])
})

test('a middleware can ask who calls, and gets the error that the call would get', async () => {
  const { call, fake } = setUp()
  expect(await (await call()).identity()).toEqual(fake.identity)
  let isDown = false
  const flaky = setUp({
    credentials: async () => {
      if (isDown) throw new Error('the vault is closed')
      return { ...fake.identity, expiration: new Date() }
    },
    fetch: fake.fetch,
  })
  const context = await flaky.call()
  isDown = true
  await expect(context.identity()).rejects.toMatchObject({ code: 'credentials' })
  const unsigned = setUp({
    credentials: 'none',
    fetch: async () => Response.json({ type: 'message', content: [] }),
  })
  expect(await (await unsigned.call()).identity()).toBeUndefined()
})
