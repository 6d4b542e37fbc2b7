import { createBedrockClient } from 'outcrop/core'
import { createFakeBedrock } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}
const circular: Record<string, unknown> = {}
circular.self = circular

const bad: [name: string, params: object | undefined, message: RegExp][] = [
  ['no parameters', undefined, /parameters are missing/],
  ['no model', { ...params, model: undefined }, /model is missing/],
  ['an empty model', { ...params, model: '' }, /model is missing/],
  ['no messages', { ...params, messages: undefined }, /messages must be a list/],
  ['an empty list of messages', { ...params, messages: [] }, /messages must be a list/],
  ['no max_tokens', { ...params, max_tokens: undefined }, /max_tokens is missing/],
  ['max_tokens that is no number', { ...params, max_tokens: '10' }, /max_tokens must be a whole number/],
  ['negative max_tokens', { ...params, max_tokens: -1 }, /max_tokens must be a whole number/],
  ['betas that are no list', { ...params, betas: 'a' }, /betas must be a list/],
  ['a model that would escape its path segment', { ...params, model: 'us.anthropic.claude/../x' }, /./],
  ['a circular body', { ...params, metadata: circular }, /body\.metadata\.self refers back/],
  ['a BigInt', { ...params, top_k: 1n }, /body\.top_k is not JSON: bigint/],
  ['NaN', { ...params, temperature: Number.NaN }, /body\.temperature is not JSON: NaN/],
  ['a function', { ...params, metadata: { a: () => {} } }, /body\.metadata\.a is not JSON: function/],
  ['a Map', { ...params, metadata: new Map() }, /body\.metadata is not JSON: Map/],
  [
    'bytes',
    { ...params, messages: [{ role: 'user', content: [{ data: new Uint8Array(2) }] }] },
    /content\[0\]\.data is not JSON: Uint8Array/,
  ],
  ['a body that is too large', { ...params, system: 'x'.repeat(25_000_001) }, /at most 25000000/],
]

describe.each(['create', 'stream'] as const)('messages.%s', (way) => {
  test.each(bad)('rejects %s before anything is sent', async (_, given, message) => {
    const fake = createFakeBedrock()
    const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })
    // A stream never throws; what is wrong rejects on use.
    const call =
      way === 'create'
        ? bedrock.messages.create(given as never)
        : bedrock.messages.stream(given as never).finalMessage()
    const error = await call.then(
      () => expect.unreachable('it should have been refused'),
      (error) => error,
    )
    expect(error.message).toMatch(message)
    expect(['configuration', 'model_resolution']).toContain(error.code)
    expect(fake.calls).toHaveLength(0)
  })
})

test.each([
  ['timeout.total', { timeout: { total: -1 } }],
  ['timeout.connect', { timeout: { connect: Number.NaN } }],
  ['timeout', { timeout: -1 }],
  ['retry', { retry: 3 }],
  ['attempts', { retry: { attempts: -1 } }],
  ['signal', { signal: 'abort' }],
  ['signal', { signal: {} }],
  ['options', null],
])('every method refuses a call with an invalid %s', async (name, options) => {
  const fake = createFakeBedrock()
  const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })
  const given = options as never
  const { model, ...body } = params
  for (const call of [
    () => bedrock.messages.create(params, given),
    () => bedrock.messages.stream(params, given).finalMessage(),
    () => bedrock.messages.countTokens(params, given),
    () => bedrock.invoke({ model, body }, given),
    () => bedrock.invokeStream({ model, body }, given),
    () => bedrock.fetch('/inference-profiles', given),
  ])
    await expect(call()).rejects.toMatchObject({ code: 'configuration', message: expect.stringContaining(name) })
  expect(fake.calls).toHaveLength(0)
})

test.each(['..', '.', ';x.y', 'a.b\nc', `a.${'b'.repeat(3000)}`])('rejects the model %j', async (model) => {
  const fake = createFakeBedrock()
  const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })
  await expect(bedrock.invoke({ model: { id: model, source: 'explicit' }, body: {} })).rejects.toMatchObject({
    code: 'configuration',
  })
  expect(fake.calls).toHaveLength(0)
})

test.each([
  [{ 'x-a': 'a\r\nx-b: b' }, /x-a has a value/],
  [{ 'x-a': '東京' }, /x-a has a value/],
  [{ 'x a': 'b' }, /Not a header name/],
])('rejects the headers %j', async (headers, message) => {
  const fake = createFakeBedrock()
  const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })
  await expect(bedrock.messages.create(params, { headers })).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringMatching(message),
  })
  expect(() => createBedrockClient({ headers })).toThrow(message)
  expect(fake.calls).toHaveLength(0)
})

test.each([
  ['half a pair of keys', { credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: '' } }],
  ['an invalid Region', { region: 'Frankfurt' }],
  ['an invalid endpoint', { endpoint: 'bedrock' }],
])('rejects a client with %s at once', (_, options) => {
  expect(() => createBedrockClient(options)).toThrow(expect.objectContaining({ code: 'configuration' }))
})

test('rejects the first call without a Region, and says how to set one', async () => {
  const before = { ...process.env }
  delete process.env.AWS_REGION
  delete process.env.AWS_DEFAULT_REGION
  try {
    const bedrock = createBedrockClient({ credentials: { token: 'api-key-example' } })
    const error = await bedrock.messages.create(params).then(
      () => expect.unreachable(),
      (error) => error,
    )
    expect(error.code).toBe('configuration')
    expect(error.message + error.hint).toMatch(/region.*AWS_REGION.*AWS_DEFAULT_REGION/s)
  } finally {
    Object.assign(process.env, before)
  }
})

test('every method names a middleware that answers with the wrong type', async () => {
  const fake = createFakeBedrock()
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    middleware: [
      (request, next) => {
        const isStream = request.operation === 'InvokeModelWithResponseStream'
        return next({ ...request, operation: isStream ? 'InvokeModel' : 'InvokeModelWithResponseStream' })
      },
    ],
  })
  const { model, ...rest } = params
  const raw = { model, body: { anthropic_version: 'bedrock-2023-05-31', ...rest } }
  for (const call of [
    () => bedrock.messages.create(params),
    () => bedrock.messages.create({ ...params, stream: true }),
    () => bedrock.messages.stream(params).finalMessage(),
    () => bedrock.messages.countTokens(params),
    () => bedrock.invoke(raw),
    () => bedrock.invokeStream(raw),
  ])
    await expect(call()).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(/^A middleware answered \w+ with type (json|stream), not (json|stream)$/),
    })
})

describe.each([
  ['a number', 42],
  ['an object without an ID', {}],
  ['an ID that is a number', { id: 42, source: 'explicit' }],
  ['null', null],
  ['a list', ['us.anthropic.claude-sonnet-4-6']],
  ['a lone surrogate', 'us.anthropic.claude-\ud800'],
  ['a lone surrogate in an ID', { id: 'us.anthropic.claude-\ud800', source: 'explicit' }],
])('a model that is %s', (_, model) => {
  const fake = createFakeBedrock()
  const given = { region: fake.region, credentials: fake.identity, fetch: fake.fetch }
  const refused = { code: expect.stringMatching(/^(configuration|model_resolution)$/) }
  const odd = model as never
  const { model: good, ...body } = params

  test('is rejected by every method', async () => {
    const bedrock = createBedrockClient(given)
    await expect(bedrock.messages.create({ ...params, model: odd })).rejects.toMatchObject(refused)
    await expect(bedrock.messages.stream({ ...params, model: odd }).finalMessage()).rejects.toMatchObject(refused)
    await expect(bedrock.messages.countTokens({ ...params, model: odd })).rejects.toMatchObject(refused)
    await expect(bedrock.invoke({ model: odd, body })).rejects.toMatchObject(refused)
    await expect(bedrock.invokeStream({ model: odd, body })).rejects.toMatchObject(refused)
    // An object that looks like a model is returned unchanged, and rejected when it is called.
    if (typeof model !== 'object' || !model || !('id' in model) || typeof model.id !== 'string')
      await expect(bedrock.models.resolve(odd)).rejects.toMatchObject(refused)
    expect(fake.calls).toHaveLength(0)
  })

  test('is rejected from a resolver or a middleware', async () => {
    const byResolver = createBedrockClient({ ...given, models: { resolve: () => odd } })
    await expect(byResolver.messages.create({ ...params, model: 'x' })).rejects.toMatchObject(refused)
    const byMiddleware = createBedrockClient({
      ...given,
      middleware: [(request, next) => next({ ...request, model: odd })],
    })
    await expect(byMiddleware.messages.create({ ...params, model: good })).rejects.toMatchObject(refused)
    expect(fake.calls).toHaveLength(0)
  })
})
