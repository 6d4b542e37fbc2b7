import { createBedrockClient, type ModelResolverOptions } from 'outcrop'
import { createFakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'
import type { Clock } from '../../src/core/types.ts'
import { recordingLogger } from './support.ts'

const account = '123456789012'
const arn = `arn:aws:bedrock:eu-west-1:${account}:application-inference-profile/team-a`
const base = 'anthropic.claude-sonnet-4-6'
const question = { max_tokens: 16, messages: [{ role: 'user' as const, content: 'Hi' }] }

function setUp(models: ModelResolverOptions, fakeOptions: FakeBedrockOptions = {}) {
  const fake = createFakeBedrock({ models: { applicationProfiles: { [arn]: base } }, ...fakeOptions })
  const { logger, lines } = recordingLogger()
  const bedrock = createBedrockClient({
    region: 'us-east-1',
    credentials: fake.identity,
    fetch: fake.fetch,
    models,
    logger,
  })
  const ask = (model: string) => bedrock.messages.create({ ...question, model })
  const operations = () => fake.calls.map(({ operation }) => operation)
  return { fake, bedrock, ask, lines, operations }
}

describe('models of a client', () => {
  test.each([
    ['sonnet', 'us.anthropic.claude-sonnet-4-6'],
    ['default', 'global.anthropic.claude-sonnet-4-6'],
    ['small', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
  ])('calls %s through %s', async (name, id) => {
    const { fake, ask } = setUp({})
    await ask(name)
    expect(fake.calls).toMatchObject([
      { operation: 'InvokeModel', model: id, region: 'us-east-1', signature: { valid: true }, status: 200 },
    ])
  })

  test('calls an ARN in its own Region, and signs for it', async () => {
    const { fake, ask, bedrock } = setUp({ profiles: { [arn]: base } })
    await ask(arn)
    expect(fake.calls).toMatchObject([{ model: arn, region: 'eu-west-1', signature: { valid: true }, status: 200 }])
    expect(fake.calls[0]?.headers.host ?? '').toMatch(/^(bedrock-runtime\.eu-west-1\.amazonaws\.com)?$/)
    expect(await bedrock.models.resolve(arn)).toMatchObject({ base, region: 'eu-west-1' })
  })

  test('shares lookups with clients of withOptions, unless they have their own models', async () => {
    const { bedrock, operations } = setUp({ discovery: true })
    await bedrock.models.resolve(arn)
    await bedrock.withOptions({ headers: { 'x-app': 'a' } }).models.resolve(arn)
    expect(operations()).toEqual(['GetInferenceProfile'])
    await bedrock.withOptions({ models: { discovery: true } }).models.resolve(arn)
    expect(operations()).toEqual(['GetInferenceProfile', 'GetInferenceProfile'])
  })

  test('looks an opaque ARN up once, in its own Region, and keeps its base model', async () => {
    const { fake, bedrock, operations } = setUp({ discovery: true })
    for (let i = 0; i < 2; i++) {
      const { metadata } = await bedrock.invoke({
        model: arn,
        body: { anthropic_version: 'bedrock-2023-05-31', ...question },
      })
      expect(metadata.model).toMatchObject({ id: arn, base, family: 'sonnet', version: '4.6', region: 'eu-west-1' })
    }
    expect(operations()).toEqual(['GetInferenceProfile', 'InvokeModel', 'InvokeModel'])
    expect(fake.calls.every(({ region, signature }) => region === 'eu-west-1' && signature.valid)).toBe(true)
  })

  test('calls the small model in its Region', async () => {
    const { fake, ask } = setUp({ smallModelRegion: 'eu-central-1' })
    await ask('haiku')
    expect(fake.calls).toMatchObject([
      { model: 'eu.anthropic.claude-haiku-4-5-20251001-v1:0', region: 'eu-central-1', signature: { valid: true } },
    ])
  })

  test('names the profile to use when Bedrock refuses a base ID', async () => {
    const { ask } = setUp({})
    await expect(ask(base)).rejects.toMatchObject({
      code: 'service',
      status: 400,
      hint: expect.stringContaining(`us.${base}`),
    })
  })

  test('explains and lists', async () => {
    const { bedrock, fake } = setUp({ pins: { opus: 'claude-opus-4-8' } })
    const explanation = await bedrock.models.explain('opus')
    expect(String(explanation)).toContain('= us.anthropic.claude-opus-4-8 in us-east-1 (pin)')
    expect(await bedrock.models.list()).toContainEqual(
      expect.objectContaining({ id: 'us.anthropic.claude-opus-4-8', base: 'anthropic.claude-opus-4-8' }),
    )
    expect(fake.calls).toEqual([])
  })

  test('explains by a custom resolver, as it resolves', async () => {
    const fake = createFakeBedrock()
    const own = {
      resolve: (name: string) => {
        if (name !== 'ours') throw new Error('only ours')
        return { id: `us.${base}`, base, source: 'alias' as const }
      },
    }
    const bedrock = createBedrockClient({
      region: 'us-east-1',
      credentials: fake.identity,
      fetch: fake.fetch,
      models: own,
    })
    const explanation = await bedrock.models.explain('ours')
    expect(explanation.model).toEqual(await bedrock.models.resolve('ours'))
    expect(String(explanation)).toContain(`= us.${base} in us-east-1 (alias), which is ${base}`)
    // The catalog knows it; the resolver does not.
    expect(await bedrock.models.explain('sonnet')).toMatchObject({ error: { message: 'only ours' } })
    await expect(bedrock.models.resolve('sonnet')).rejects.toThrow('only ours')
  })

  test('sends nothing that would leave the residency', async () => {
    const { fake, ask } = setUp({ residency: 'eu' })
    await expect(ask('sonnet')).rejects.toMatchObject({ code: 'model_resolution' })
    await expect(ask('global.anthropic.claude-sonnet-4-6')).rejects.toMatchObject({ code: 'model_resolution' })
    expect(fake.calls).toEqual([])
  })
})

describe('discovery with a client', () => {
  const newer = 'us.anthropic.claude-sonnet-5-5'

  test('reads all pages of both types once for many calls', async () => {
    const systemProfiles = [...Array.from({ length: 1500 }, (_, i) => `us.meta.llama-${i}`), newer]
    const { ask, fake, operations } = setUp({ discovery: true }, { models: { systemProfiles, strict: true } })
    await Promise.all([ask('sonnet'), ask('sonnet'), ask('claude-sonnet-5-5')])
    expect(operations().filter((operation) => operation === 'ListInferenceProfiles')).toHaveLength(3)
    expect(fake.calls.filter(({ operation, model }) => operation === 'InvokeModel' && model === newer)).toHaveLength(3)
  })

  test('continues with the catalog if permission is denied', async () => {
    const denied = ['bedrock:ListInferenceProfiles', 'bedrock:GetInferenceProfile']
    const { ask, fake, lines } = setUp(
      { discovery: true },
      { models: { applicationProfiles: { [arn]: base }, denied } },
    )
    await ask('sonnet')
    await ask('opus')
    await ask(arn)
    await ask(arn)
    const asked = fake.calls.filter(({ operation }) => operation !== 'InvokeModel')
    expect(asked.map(({ operation }) => operation)).toEqual([
      'ListInferenceProfiles',
      'ListInferenceProfiles',
      'GetInferenceProfile',
    ])
    expect(fake.calls.filter(({ operation, status }) => operation === 'InvokeModel' && status === 200)).toHaveLength(4)
    expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(2)
  })
})

describe('discovery as a fallback with a client', () => {
  test('adapts, caches and counts by the model behind an ARN, which is looked up once', async () => {
    const { fake, bedrock, ask, operations } = setUp({ discovery: 'fallback' })
    const message = await ask(arn)
    await bedrock.messages.countTokens({ model: arn, messages: question.messages })
    expect(message.metadata.model).toMatchObject({ id: arn, base, family: 'sonnet', version: '4.6' })
    expect(operations()).toEqual(['GetInferenceProfile', 'InvokeModel', 'CountTokens'])
    expect(fake.calls.map(({ model }) => model)).toEqual([arn, arn, base])
  })

  test('waits for an unresponsive control plane once, for ten seconds', async () => {
    const fake = createFakeBedrock({ models: { applicationProfiles: { [arn]: base } } })
    const timers = new Map<object, { callback: () => void; milliseconds: number }>()
    const clock: Clock = {
      now: () => Date.now(),
      setTimeout: (callback, milliseconds) => {
        const handle = {}
        timers.set(handle, { callback, milliseconds })
        return handle
      },
      clearTimeout: (handle) => void timers.delete(handle as object),
    }
    let asked = 0
    const bedrock = createBedrockClient({
      region: 'us-east-1',
      credentials: fake.identity,
      clock,
      models: { discovery: 'fallback' },
      fetch: (input, init) => {
        if (!String(input).includes('/inference-profiles/')) return fake.fetch(input, init)
        asked++
        for (const { callback, milliseconds } of timers.values()) if (milliseconds === 10_000) callback()
        return new Promise(() => {})
      },
    })
    for (let i = 0; i < 2; i++) {
      const { metadata } = await bedrock.messages.create({ ...question, model: arn })
      expect(metadata.model).toMatchObject({ id: arn, base: undefined })
    }
    expect(asked).toBe(1)
  })

  test('looks up nothing that the catalog has', async () => {
    const { ask, operations } = setUp({ discovery: 'fallback' })
    for (const model of ['sonnet', 'default', 'small', 'claude-opus-5', `us.${base}`]) await ask(model)
    expect(new Set(operations())).toEqual(new Set(['InvokeModel']))
  })
})

describe('autoProfile with a client', () => {
  test.each(['create', 'stream'] as const)('repeats a refused base ID through its profile: %s', async (method) => {
    const { fake, bedrock, lines } = setUp({ autoProfile: true })
    const call = async () => {
      const params = { ...question, model: base }
      await (method === 'create' ? bedrock.messages.create(params) : bedrock.messages.stream(params).finalMessage())
    }
    await call()
    await call()
    const sent = [base, `us.${base}`, base, `us.${base}`]
    expect(fake.calls.map(({ model }) => model)).toEqual(sent)
    expect(fake.calls.map(({ status }) => status)).toEqual([400, 200, 400, 200])
    expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(1)
  })
})
