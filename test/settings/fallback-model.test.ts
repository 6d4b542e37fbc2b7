import { type BedrockClientOptions, createBedrockClient } from 'outcrop'
import { runDoctor } from 'outcrop/diagnostics'
import { explainSettings, settingsFromFile, toClientOptions } from 'outcrop/settings'
import { loadSettings } from 'outcrop/settings/node'
import { createFakeBedrock, type FaultName } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'
import { useFolder } from './support.ts'

const opus = 'us.anthropic.claude-opus-4-8'
const haiku = 'us.anthropic.claude-haiku-4-5-20251001-v1:0'
const params = { model: 'default', max_tokens: 5, messages: [{ role: 'user' as const, content: 'Hi' }] }
const { write, places } = useFolder()

/** A client of a user's settings file, its fake, and what is logged. */
function setUp(file: object, options: BedrockClientOptions = {}) {
  const env = {
    CLAUDE_CODE_USE_BEDROCK: '1',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret-example-of-the-fake',
    CLAUDE_CODE_MAX_RETRIES: '3',
  }
  const fake = createFakeBedrock()
  const log: string[] = []
  const write = (message: string) => void log.push(message)
  const settings = settingsFromFile(
    { model: opus, env, ...file } as never,
    { kind: 'user', path: 'settings.json' },
    true,
  )
  const configured = toClientOptions(settings)
  const bedrock = createBedrockClient({
    ...configured,
    fetch: fake.fetch,
    retry: { ...configured.retry, baseDelay: 0 },
    logger: { debug: () => {}, info: () => {}, warn: write, error: write },
    ...options,
  })
  const sent = (): string[] => fake.calls.filter(({ model }) => model).map(({ model = '' }) => model)
  return { bedrock, fake, log, sent }
}

describe('fallbackModel', () => {
  const leaving: FaultName[] = [
    'unavailable',
    'internal',
    'bad-gateway',
    'model-access',
    'iam-denied',
    'not-found',
    'retired-model',
    'invalid-model',
    'on-demand',
  ]
  test.each(leaving)('moves to the next model at once after %s, for this call only', async (fault) => {
    const { bedrock, fake, sent } = setUp({ fallbackModel: ['haiku'] })
    fake.fail(fault, { model: 'opus', times: 1 })
    const { metadata } = await bedrock.messages.create(params)
    expect(metadata.failover).toMatchObject({ target: 'fallbackModel[0]', tried: [{ target: 'primary' }] })
    await bedrock.messages.create(params)
    expect(sent()).toEqual([opus, haiku, opus])
  })

  const staying: FaultName[] = ['throttling', 'model-not-ready', 'connection-refused']
  test.each(staying)('retries the model itself after %s', async (fault) => {
    const { bedrock, fake, sent } = setUp({ fallbackModel: ['haiku'] })
    fake.fail(fault, { times: 9 })
    await expect(bedrock.messages.create(params)).rejects.toThrow()
    expect(sent()).toEqual([opus, opus, opus, opus])
  })

  test.each(['throttling-per-day', 'input-too-long', 'expired-token'] as const)(
    'uses no other model after %s',
    async (fault) => {
      const { bedrock, fake, sent } = setUp({ fallbackModel: ['haiku'] })
      fake.fail(fault, { times: 9 })
      await expect(bedrock.messages.create(params)).rejects.toThrow()
      expect(new Set(sent())).toEqual(new Set([opus]))
    },
  )

  test('moves a stream to the next model', async () => {
    const { bedrock, fake } = setUp({ fallbackModel: ['haiku'] })
    fake.fail('stream-unavailable', { after: 0, model: 'opus' })
    const message = await bedrock.messages.stream(params).finalMessage()
    expect(message.metadata.model.id).toBe(haiku)
  })

  test('tries at most three models, each once; the last one follows the retries', async () => {
    const names = ['haiku', opus, 'haiku', 'us.anthropic.claude-opus-4-7', 'us.anthropic.claude-opus-4-6-v1']
    const { bedrock, fake, sent } = setUp({ fallbackModel: names })
    fake.fail('unavailable', { times: 99 })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ status: 503, attempts: 4 })
    expect(sent()).toEqual([opus, haiku, ...Array(4).fill('us.anthropic.claude-opus-4-7')])
  })

  test('skips an unknown or forbidden name with a warning', async () => {
    const { bedrock, fake, log, sent } = setUp({
      fallbackModel: ['nonsense', 'sonnet', 'haiku'],
      availableModels: ['opus', 'haiku'],
    })
    fake.fail('unavailable', { model: 'opus' })
    await bedrock.messages.create(params)
    expect(sent().filter((name) => name.includes('anthropic'))).toEqual([opus, haiku])
    expect(log).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/fallbackModel\[0\]: nonsense is not a model.*; it is left out/),
        expect.stringMatching(/fallbackModel\[1\]: .*not among the available models; it is left out/),
      ]),
    )
  })

  test('keeps a name within the geography, but not an ID', async () => {
    for (const [name, answered] of [
      ['fable', undefined],
      ['global.anthropic.claude-fable-5-1', 'global.anthropic.claude-fable-5-1'],
    ] as const) {
      const { bedrock, fake } = setUp({ model: 'claude-opus-4-8', fallbackModel: [name] }, { region: 'eu-central-1' })
      fake.fail('unavailable', { times: 9, model: 'opus' })
      const result = await bedrock.messages.create(params).catch(() => undefined)
      expect(result?.metadata.model.id).toBe(answered)
    }
  })

  test('takes the whole list of the file with the highest precedence', async () => {
    const env = { HOME: places().home }
    write('.claude/settings.json', { fallbackModel: ['sonnet', 'opus'] })
    write('project/.claude/settings.local.json', { fallbackModel: ['haiku'] })
    const trusted = await loadSettings({ ...places(), env, trustProject: true })
    expect(trusted.fallbackModel).toMatchObject({ value: ['haiku'], overrode: [{ value: ['sonnet', 'opus'] }] })
    expect(String(explainSettings(trusted))).toMatch(/^fallbackModel = \["haiku"\], from .*; over \["sonnet","opus"\]/m)
    const untrusted = await loadSettings({ ...places(), env })
    expect(untrusted.fallbackModel?.value).toEqual(['sonnet', 'opus'])
    expect(String(explainSettings(untrusted))).toMatch(/^fallbackModel, .*ignored, because the project is not trusted/m)
  })

  test.each(['haiku', [5], { 0: 'haiku' }])('rejects %j as a list of names', (fallbackModel) => {
    expect(() => setUp({ fallbackModel })).toThrow(/^fallbackModel in settings.json \(user\) is not a list/)
  })

  test('ignores an empty list', async () => {
    const { bedrock } = setUp({ fallbackModel: [] })
    expect((await bedrock.messages.create(params)).metadata.failover).toBeUndefined()
  })

  test('the doctor checks the model itself, not its fallback', async () => {
    const { bedrock, fake } = setUp({ fallbackModel: ['haiku'] })
    fake.fail('unavailable', { model: 'opus', operation: 'InvokeModel' })
    const results = []
    for await (const result of runDoctor({
      client: bedrock,
      region: 'us-east-1',
      models: ['default'],
      invoke: true,
      fetch: fake.fetch,
    }))
      results.push(result)
    const row = results.find(({ check }) => check.endsWith('call'))
    expect(row).toMatchObject({ status: 'failure', message: expect.stringContaining(`${haiku} answered`) })
  })
})
