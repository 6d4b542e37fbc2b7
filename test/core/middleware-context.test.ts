import { type BedrockRequest, createBedrockClient, type Middleware, type MiddlewareContext } from 'outcrop/core'
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

test('has the endpoint of the Region that is called', async () => {
  const { call } = setUp()
  expect((await call()).endpoint).toBe('https://bedrock-runtime.eu-west-1.amazonaws.com')
  const arn = 'arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6'
  expect((await call(arn)).endpoint).toBe('https://bedrock-runtime.us-west-2.amazonaws.com')
  const own = setUp({ endpoint: 'https://gateway.example/base/' })
  expect((await own.call()).endpoint).toBe('https://gateway.example/base')
})

test('has the timeouts of the call, and its own inside of them', async () => {
  const { call, pass } = setUp()
  const context = await call(undefined, { timeout: { total: 5000 } })
  expect(context.timeout).toEqual({ idle: 1000, total: 5000 })
  expect(context.inner).toEqual([pass])
})

test('has the retries of the call', async () => {
  const { call } = setUp({ retry: { attempts: 5, baseDelay: 1 } })
  expect((await call()).retry).toEqual({ attempts: 5, baseDelay: 1 })
  expect((await call(undefined, { retry: { attempts: 2 } })).retry).toEqual({ attempts: 2, baseDelay: 1 })
  expect((await call(undefined, { retry: false })).retry).toBe(false)
})

test('resolves names like the client, also for another Region', async () => {
  const asked: string[] = []
  const models = {
    resolve: (name: string, { region }: { readonly region: string }) => {
      asked.push(`${name} in ${region}`)
      return { id: `resolved.${name}`, region, source: 'explicit' as const }
    },
  }
  const { call } = setUp({ models })
  const { resolve } = await call()
  expect(await resolve('one')).toMatchObject({ id: 'resolved.one', region: 'eu-west-1' })
  expect(await resolve('two', 'us-west-2')).toMatchObject({ id: 'resolved.two', region: 'us-west-2' })
  expect(asked.slice(1)).toEqual(['one in eu-west-1', 'two in us-west-2'])
  await expect((await setUp().call()).resolve('sonnet')).rejects.toMatchObject({ code: 'model_resolution' })
})

test('resolves the identity, or rejects with the error of the call', async () => {
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

test('finds the model resolved, however it was given', async () => {
  const seen: BedrockRequest['model'][] = []
  const look: Middleware = (request, next) => {
    seen.push(request.model)
    return next(request)
  }
  const id = 'eu.anthropic.claude-sonnet-4-6'
  const renaming: Middleware = (request, next) => next({ ...request, model: id })
  const { call } = setUp({ middleware: [look, renaming, look] })
  await call('us.anthropic.claude-opus-4-6-v1')
  expect(seen).toMatchObject([
    { id: 'us.anthropic.claude-opus-4-6-v1', geo: 'us', source: 'explicit' },
    { id, geo: 'eu', source: 'explicit' },
  ])
})

test('fetches from the Region of the call, or a given one', async () => {
  const hosts: string[] = []
  const { call } = setUp({
    middleware: [
      async (request, next, { fetch }) => {
        await fetch('/inference-profiles')
        await fetch('/inference-profiles', { region: 'ap-south-1' })
        return next(request)
      },
    ] satisfies Middleware[],
    credentials: 'none',
    fetch: (async (url) => {
      hosts.push(new URL(String(url)).host)
      return Response.json({ type: 'message', content: [] })
    }) as typeof fetch,
  })
  await call('arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6').catch(() => {})
  expect(hosts).toEqual([
    'bedrock.us-west-2.amazonaws.com',
    'bedrock.ap-south-1.amazonaws.com',
    'bedrock-runtime.us-west-2.amazonaws.com',
  ])
})

test('withOptions keeps the resolver, unless it is given another', async () => {
  const fullId = 'us.anthropic.claude-sonnet-4-6'
  const resolver = (id: string) => ({
    resolve: () => ({ id, base: id, region: 'eu-west-1', partition: 'aws', source: 'alias' as const }),
  })
  const bedrock = createBedrockClient({ region: 'eu-west-1', credentials: 'none', models: resolver(fullId) })
  expect((await bedrock.withOptions({ headers: { 'x-app': 'a' } }).models.resolve('mine')).id).toBe(fullId)
  expect((await bedrock.withOptions({ models: resolver('other.model') }).models.resolve('mine')).id).toBe('other.model')
})
