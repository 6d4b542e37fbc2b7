import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createBedrockClient, type JsonObject } from 'outcrop'
import { adaptBody, compatibility, compatibilityTable, estimateTokens } from 'outcrop/compatibility'
import { createFakeBedrock, type FakeBedrock } from 'outcrop/testing'
import { catalog } from '../../src/models/catalog.ts'
import { describe, expect, test } from 'vitest'

const messages = [{ role: 'user' as const, content: 'Hi' }]
const tool = { name: 'now', input_schema: { type: 'object' } }

function setUp(options: Parameters<typeof createBedrockClient>[0] = {}): {
  fake: FakeBedrock
  bedrock: ReturnType<typeof createBedrockClient>
} {
  const fake = createFakeBedrock()
  return {
    fake,
    bedrock: createBedrockClient({
      region: 'us-east-1',
      credentials: fake.identity,
      fetch: fake.fetch,
      retry: false,
      ...options,
    }),
  }
}

/** The features of a body that models differ in. */
const features: Record<string, JsonObject> = {
  'budget thinking': { thinking: { type: 'enabled', budget_tokens: 2000 } },
  'adaptive thinking': { thinking: { type: 'adaptive' } },
  'disabled thinking': { thinking: { type: 'disabled' } },
  effort: { output_config: { effort: 'high' } },
  'output format': { output_config: { format: { type: 'json_schema', schema: {} } } },
  'strict tools': { tools: [{ ...tool, strict: true }] },
  'eager tools': { tools: [{ ...tool, eager_input_streaming: true }] },
  temperature: { temperature: 0.5 },
  'temperature and top_p': { temperature: 0.5, top_p: 0.9 },
  'top-level caching': { cache_control: { type: 'ephemeral' } },
  'another version': { anthropic_version: '2026-10-21' },
  'temperature under another version': { anthropic_version: '2026-10-21', temperature: 0.5 },
  'top_p under another version': { anthropic_version: '2026-10-21', top_p: 0.9 },
  'a beta of another model': { anthropic_beta: ['compact-2026-09-04', 'effort-2025-11-24', 'context-1m-2025-08-07'] },
}
// Of each model that can be called from us-east-1 through a profile.
const models = catalog
  .filter(({ profiles, lifecycle }) => profiles.us?.includes('us-east-1') && lifecycle.state !== 'retired')
  // The fake knows what is documented, and not what is assumed.
  .filter((model) => !compatibilityTable[`${model.family}-${model.version}`]?.source)
  .map(({ base }) => `us.${base}`)

describe.each(models)('each model: %s', (model) => {
  test.each(Object.entries(features))('accepts the adapted body with %s', async (_, feature) => {
    const params = { model, max_tokens: 4096, messages, ...feature } as never
    // `adapt`: whatever was asked for, it goes out acceptable, and what was changed is told.
    const { fake, bedrock } = setUp()
    const { metadata } = await bedrock.messages.create(params)
    const sent = fake.calls.at(-1)?.body as JsonObject
    const asked = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 4096, messages, ...feature }
    const isChanged =
      JSON.stringify(sent) !== JSON.stringify(asked) &&
      Object.keys(asked).some((key) => JSON.stringify(sent[key]) !== JSON.stringify((asked as JsonObject)[key]))
    expect(metadata.adaptations !== undefined).toBe(isChanged || Object.keys(sent).length !== Object.keys(asked).length)

    // `pass`: exactly as it is; Bedrock's refusal is the caller's.
    const pass = setUp({ compatibility: { policy: 'pass' } })
    const passed = await pass.bedrock.messages.create(params).then(
      () => true,
      () => false,
    )
    expect(pass.fake.calls.at(-1)?.body).toMatchObject(feature)
    // An acceptable body was not changed, except for additions and moves to equivalent fields.
    const removes = metadata.adaptations?.some(({ action }) => action !== 'added') ?? false
    expect(passed).toBe(
      !removes && !(metadata.adaptations ?? []).some(({ field }) => field === 'anthropic_beta:effort-2025-11-24'),
    )

    // `strict`: refused before anything is sent, naming field and model.
    const strict = setUp({ compatibility: { policy: 'strict' } })
    const outcome = await strict.bedrock.messages.create(params).then(
      () => undefined,
      (error) => error,
    )
    if (!removes) return expect(outcome).toBeUndefined()
    expect(outcome).toMatchObject({ code: 'configuration', message: expect.stringContaining(model) })
    expect(strict.fake.calls).toHaveLength(0)
  })
})

test('adapts a body for Sonnet 4.5 with four betas, effort and strict tools', async () => {
  const { fake, bedrock } = setUp()
  const { metadata } = await bedrock.messages.create({
    model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    max_tokens: 4096,
    messages,
    betas: ['interleaved-thinking-2025-05-14', 'effort-2025-11-24', 'context-1m-2025-08-07', 'compact-2026-09-04'],
    output_config: { effort: 'high' },
    tools: [{ ...tool, strict: true, eager_input_streaming: true }],
  } as never)
  const { body } = fake.calls[0] as (typeof fake.calls)[number]
  expect(body.anthropic_beta).toEqual(['interleaved-thinking-2025-05-14', 'fine-grained-tool-streaming-2025-05-14'])
  expect(body).not.toHaveProperty('output_config')
  expect(body.tools).toEqual([{ ...tool, strict: true }])
  expect(metadata.adaptations?.map(({ action, field }) => `${action} ${field}`)).toEqual([
    'removed output_config.effort',
    'added anthropic_beta:fine-grained-tool-streaming-2025-05-14',
    'removed tools.eager_input_streaming',
    'removed anthropic_beta:effort-2025-11-24',
    'removed anthropic_beta:context-1m-2025-08-07',
    'removed anthropic_beta:compact-2026-09-04',
  ])
})

describe('adapted fields', () => {
  test.each<[string, JsonObject, { family: string; version: string }, JsonObject]>([
    [
      'a budget becomes adaptive thinking',
      { thinking: { type: 'enabled', budget_tokens: 1024 } },
      { family: 'opus', version: '4.8' },
      { thinking: { type: 'adaptive' } },
    ],
    [
      'adaptive thinking becomes half a budget',
      { max_tokens: 8000, thinking: { type: 'adaptive' } },
      { family: 'sonnet', version: '4.5' },
      { max_tokens: 8000, thinking: { type: 'enabled', budget_tokens: 4000 } },
    ],
    [
      'adaptive thinking is removed without room',
      { max_tokens: 100, thinking: { type: 'adaptive' } },
      { family: 'sonnet', version: '4.5' },
      { max_tokens: 100 },
    ],
    [
      'effort gets its beta',
      { output_config: { effort: 'low' } },
      { family: 'opus', version: '4.5' },
      { output_config: { effort: 'low' }, anthropic_beta: ['effort-2025-11-24'] },
    ],
    [
      'a top-level cache point moves to the last block',
      { cache_control: { type: 'ephemeral' }, messages },
      { family: 'sonnet', version: '4.6' },
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }] }] },
    ],
    [
      'tool search gets its beta',
      { tools: [{ type: 'tool_search_tool_regex_20251119', name: 'x' }] },
      { family: 'opus', version: '4.6' },
      {
        tools: [{ type: 'tool_search_tool_regex_20251119', name: 'x' }],
        anthropic_beta: ['tool-search-tool-2025-10-19'],
      },
    ],
    [
      'compaction gets its betas',
      { context_management: { edits: [{ type: 'compact_20260112' }] } },
      { family: 'opus', version: '4.6' },
      {
        context_management: { edits: [{ type: 'compact_20260112' }] },
        anthropic_beta: ['context-management-2025-06-27', 'compact-2026-01-12'],
      },
    ],
  ])('%s', (_, body, target, expected) => {
    const before = structuredClone(body)
    expect(adaptBody(body, target).body).toEqual(expected)
    expect(body).toEqual(before)
  })

  test('passes a body for an unknown model', () => {
    const body = { thinking: { type: 'enabled' }, output_config: { effort: 'x' }, temperature: 1, top_p: 1 }
    expect(adaptBody(body, { family: 'sonnet', version: '99' })).toEqual({ body, adaptations: [] })
  })

  test("passes another provider's body", async () => {
    const { fake, bedrock } = setUp()
    const body = {
      messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
      cache_control: { type: 'x' },
      tools: [{ strict: true }],
    }
    await bedrock.invoke({ model: 'amazon.nova-lite-v1:0', body }).catch(() => {})
    expect(fake.calls[0]?.body).toEqual(body)
  })
})

test('rejects estimate where nothing is counted', async () => {
  const { fake, bedrock } = setUp()
  const call = bedrock.messages.create({ model: 'sonnet', max_tokens: 10, messages, estimate: true } as never)
  await expect(call).rejects.toMatchObject({ code: 'configuration' })
  expect(fake.calls).toHaveLength(0)
})

describe('learning from a 400', () => {
  test('never removes the thread, without which the next turn would lose the conversation', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('extra-inputs', { message: 'thread: Extra inputs are not permitted', times: 5 })
    const thread = { type: 'create' }
    const call = bedrock.messages.create({
      model: 'us.anthropic.claude-sonnet-5',
      max_tokens: 10,
      messages,
      thread,
    } as never)
    await expect(call).rejects.toMatchObject({ code: 'service', status: 400 })
    expect(fake.calls).toHaveLength(1)
  })

  const model = 'us.anthropic.claude-sonnet-5'
  const good = ['interleaved-thinking-2025-05-14', 'context-management-2025-06-27', 'a-2026-01-01', 'b-2026-01-01']
  const betasOf = ({ calls }: FakeBedrock): unknown[] => calls.map(({ body }) => body.anthropic_beta)

  test.each([0, 1, 2, 3, 4])('finds an unnamed invalid beta by bisection: number %i', async (at) => {
    const { fake, bedrock } = setUp()
    const betas = good.toSpliced(at, 0, 'files-api-2025-04-14')
    const params = { model, max_tokens: 10, messages, betas }
    const { metadata } = await bedrock.messages.create(params)
    expect(metadata.adaptations).toEqual([
      { field: 'anthropic_beta:files-api-2025-04-14', action: 'removed', reason: expect.any(String) },
    ])
    expect(fake.calls.at(-1)?.body).toMatchObject({ anthropic_beta: good, messages, max_tokens: 10 })
    // Refused, at most three calls of one token, and the call itself.
    expect(fake.calls.length).toBeLessThanOrEqual(5)
    expect(fake.calls.slice(1, -1).every(({ body }) => body.max_tokens === 1)).toBe(true)
    const before = fake.calls.length
    await bedrock.messages.create(params)
    expect(betasOf(fake).slice(before)).toEqual([good])
  })

  test('finds two invalid betas', async () => {
    const { fake, bedrock } = setUp()
    const betas = ['files-api-2025-04-14', ...good, 'skills-2025-10-02']
    const { metadata } = await bedrock.messages.create({ model, max_tokens: 10, messages, betas })
    expect(metadata.adaptations).toHaveLength(2)
    expect(betasOf(fake).at(-1)).toEqual(good)
  })

  test('searches once for many concurrent calls', async () => {
    const { fake, bedrock } = setUp()
    const betas = [...good, 'skills-2025-10-02']
    await Promise.all(
      Array.from({ length: 10 }, () => bedrock.messages.create({ model, max_tokens: 10, messages, betas })),
    )
    expect(fake.calls.filter(({ body }) => body.max_tokens === 1).length).toBeLessThanOrEqual(3)
    expect(fake.calls.filter(({ status, body }) => status === 200 && body.max_tokens === 10)).toHaveLength(10)
  })

  test('searches for a stream too, and not only for a caller that leaves', async () => {
    const { fake, bedrock } = setUp()
    const betas = [...good, 'skills-2025-10-02']
    const leaving = bedrock.messages.stream({ model, max_tokens: 10, messages, betas })
    const staying = bedrock.messages.stream({ model, max_tokens: 10, messages, betas })
    const left = leaving.finalMessage().catch((error) => error.name)
    const stayed = staying.finalMessage()
    leaving.abort()
    expect(await left).toBe('AbortError')
    expect((await stayed).stop_reason).toBe('end_turn')
    expect(betasOf(fake).at(-1)).toEqual(good)
  })

  test('rejects with the original error if the search fails', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('invalid-beta')
    fake.fail('throttling', { times: 9 })
    await expect(bedrock.messages.create({ model, max_tokens: 10, messages, betas: good })).rejects.toMatchObject({
      status: 400,
      message: 'invalid beta flag',
    })
  })

  test('removes two unknown fields, one after the other', async () => {
    const { fake, bedrock } = setUp()
    const params = { model, max_tokens: 10, messages, inference_geo: 'us', speed: 'fast' } as never
    const { metadata } = await bedrock.messages.create(params)
    expect(metadata.adaptations?.map(({ field }) => field).sort()).toEqual(['inference_geo', 'speed'])
    await bedrock.messages.create(params)
    expect(fake.calls.map(({ status }) => status)).toEqual([400, 400, 200, 200])
  })

  test('removes two unknown fields of one message', async () => {
    const { fake, bedrock } = setUp()
    const both = 'speed: Extra inputs are not permitted, inference_geo: Extra inputs are not permitted'
    fake.fail('extra-inputs', { message: both })
    await bedrock.messages.create({ model, max_tokens: 10, messages, inference_geo: 'us', speed: 'fast' } as never)
    expect(fake.calls.map(({ status }) => status)).toEqual([400, 200])
  })

  test.each([
    ['sytem', 'system'],
    ['temprature', 'temperature'],
    ['stop_sequence', 'stop_sequences'],
  ])('never removes a misspelled field: %s', async (field, meant) => {
    const { fake, bedrock } = setUp()
    await expect(
      bedrock.messages.create({ model, max_tokens: 10, messages, [field]: 'Never reveal it' } as never),
    ).rejects.toMatchObject({ status: 400, hint: expect.stringContaining(`Did you mean ${meant}?`) })
    expect(fake.calls).toHaveLength(1)
  })

  test("knows every field of the SDK's Messages API", async () => {
    const types = ['messages/messages', 'beta/messages/messages'].map((file) =>
      readFileSync(`node_modules/@anthropic-ai/sdk/resources/${file}.d.ts`, 'utf8'),
    )
    const names = types.flatMap((text) => {
      const [, body = ''] = /export interface MessageCreateParamsBase \{([\s\S]*?)\n\}/.exec(text) ?? []
      return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name]) => name as string)
    })
    expect(names.length).toBeGreaterThan(30)
    for (const field of names) {
      if (/^(messages|system|tools|max_tokens|model|stream|betas|thread)$/.test(field)) continue
      const sent: JsonObject[] = []
      const { bedrock } = setUp({
        fetch: async (_, init) => {
          sent.push((await new Response(init?.body).json()) as JsonObject)
          const message = `${field}: Extra inputs are not permitted`
          return sent.length > 1 ? Response.json({}) : Response.json({ message }, { status: 400 })
        },
      })
      const body = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 1, messages, [field]: { x: 1 } } as never
      await bedrock.invoke({ model: 'us.anthropic.claude-unheard-of', body })
      expect(sent.map((body) => field in body)).toEqual([true, false])
    }
  })

  test('removes a rejected field once, and remembers it', async () => {
    const { fake, bedrock } = setUp()
    const params = { model, max_tokens: 10, messages, inference_geo: 'us' } as never
    const { metadata } = await bedrock.messages.create(params)
    expect(metadata.adaptations).toEqual([{ field: 'inference_geo', action: 'removed', reason: expect.any(String) }])
    const again = await bedrock.messages.create(params)
    expect(fake.calls.map(({ status }) => status)).toEqual([400, 200, 200])
    expect(again.metadata.adaptations).toHaveLength(1)
    // For this model alone.
    await bedrock.messages.create({ ...(params as object), model: 'us.anthropic.claude-opus-4-6-v1' } as never)
    expect(fake.calls.map(({ status }) => status)).toEqual([400, 200, 200, 400, 200])
  })

  test('is shared by clients of withOptions', async () => {
    const { fake, bedrock } = setUp()
    const params = { model, max_tokens: 10, messages, inference_geo: 'us' } as never
    await bedrock.messages.create(params)
    await bedrock.withOptions({ headers: { 'x-app': 'b' } }).messages.create(params)
    expect(fake.calls.map(({ status }) => status)).toEqual([400, 200, 200])
  })

  test('removes a rejected beta', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('invalid-beta', { message: 'invalid beta flag: new-thing-2026-11-01' })
    await bedrock.messages.create({ model, max_tokens: 10, messages, betas: ['new-thing-2026-11-01', 'other-2026'] })
    expect(fake.calls.map(({ body }) => body.anthropic_beta)).toEqual([
      ['new-thing-2026-11-01', 'other-2026'],
      ['other-2026'],
    ])
  })

  test.each([
    ['messages', 'messages.0.content.0.text.extra: Extra inputs are not permitted'],
    ['system', 'system: Extra inputs are not permitted'],
    ['tools', 'tools: Extra inputs are not permitted'],
    ['an unnamed field', 'invalid beta flag'],
    ['a missing field', 'something_else: Extra inputs are not permitted'],
  ])('never removes %s', async (_, message) => {
    const { fake, bedrock } = setUp()
    fake.fail('extra-inputs', { message, times: 5 })
    await expect(
      bedrock.messages.create({ model, max_tokens: 10, messages, system: 'x', tools: [tool] } as never),
    ).rejects.toMatchObject({ code: 'service', status: 400 })
    expect(fake.calls).toHaveLength(1)
  })

  test('can be turned off', async () => {
    const { fake, bedrock } = setUp({ compatibility: { learn: false } })
    await expect(
      bedrock.messages.create({ model, max_tokens: 10, messages, inference_geo: 'us' } as never),
    ).rejects.toMatchObject({ status: 400 })
    expect(fake.calls).toHaveLength(1)
  })
})

describe('countTokens', () => {
  test('uses the base model of a profile, without extra fields of tools', async () => {
    const { fake, bedrock } = setUp()
    const { input_tokens } = await bedrock.messages.countTokens({
      model: 'sonnet',
      messages,
      tools: [{ ...tool, strict: true, defer_loading: true }] as never,
    })
    expect(input_tokens).toBeGreaterThan(0)
    expect(fake.calls[0]).toMatchObject({ operation: 'CountTokens', model: 'anthropic.claude-sonnet-4-6' })
    expect(fake.calls[0]?.body).toMatchObject({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 1, tools: [tool] })
    expect(fake.calls[0]?.body.tools).toEqual([tool])
  })

  test('rejects a model that Bedrock does not count, and says what to do', async () => {
    const { fake, bedrock } = setUp()
    await expect(
      bedrock.messages.countTokens({ model: 'us.anthropic.claude-opus-5-5', messages }),
    ).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('does not count tokens for anthropic.claude-opus-5-5'),
      hint: expect.stringContaining('estimate: true'),
    })
    expect(fake.calls).toHaveLength(0)
  })

  test('estimates locally, and marks the result', async () => {
    const { fake, bedrock } = setUp()
    const counted = await bedrock.messages.countTokens({
      model: 'us.anthropic.claude-opus-5-5',
      messages: [{ role: 'user', content: 'word '.repeat(1000) }],
      estimate: true,
    })
    expect(counted).toEqual({ input_tokens: expect.any(Number), estimated: true })
    expect(counted.input_tokens).toBeGreaterThan(1000)
    expect(counted.input_tokens).toBeLessThan(1500)
    expect(fake.calls).toHaveLength(0)
    expect(
      estimateTokens({
        messages: [{ role: 'user', content: [{ type: 'image', source: { data: 'A'.repeat(1_000_000) } }] }],
      }),
    ).toBeLessThan(3000)
  })
})

test('removes sampling parameters that the API version rejects', async () => {
  const { fake, bedrock } = setUp()
  const sampling = { temperature: 0.5, top_p: 0.9, top_k: 5 }
  const params = { model: 'claude-sonnet-5-5', max_tokens: 10, messages, ...sampling }
  await bedrock.messages.create(params)
  expect(fake.calls.at(-1)?.body).toMatchObject(sampling)
  const { metadata } = await bedrock.messages.create({ ...params, anthropic_version: '2026-10-21' } as never)
  expect(fake.calls.at(-1)?.body).not.toHaveProperty('temperature')
  expect(metadata.adaptations).toEqual(
    Object.keys(sampling).map((field) => ({
      action: 'removed',
      field,
      reason: '2026-10-21 accepts no sampling parameters',
    })),
  )
})

test('rejects an invalid policy at once', () => {
  expect(() => compatibility({ policy: 'maybe' as never })).toThrow(expect.objectContaining({ code: 'configuration' }))
})

test('the table has every active model of the catalog, and docs/compatibility.md is generated from it', () => {
  const known = catalog
    .filter(({ lifecycle }) => lifecycle.state === 'active' || lifecycle.state === 'gated')
    .map(({ family, version }) => `${family}-${version}`)
  expect(known.filter((key) => !compatibilityTable[key])).toEqual([])
  const assumed = Object.entries(compatibilityTable).flatMap(([key, { source }]) => (source ? `${key}: ${source}` : []))
  expect(assumed).toEqual([
    'fable-5.1: assumed from Fable 5',
    'mythos-5.1: assumed from Fable 5',
    'mythos-5: assumed from Fable 5',
    'haiku-5.5: assumed from Sonnet 5.5',
  ])
  const generated = execFileSync(process.execPath, ['node_modules/tsx/dist/cli.mjs', 'scripts/compatibility-docs.ts'], {
    encoding: 'utf8',
  })
  expect(readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8')).toBe(generated)
})

test("an anthropic-beta header is merged into the body's betas", async () => {
  const { fake, bedrock } = setUp()
  const headers = { 'anthropic-beta': 'a-2026-01-01, interleaved-thinking-2025-05-14' }
  const betas = ['a-2026-01-01']
  const { metadata } = await bedrock.messages.create(
    { model: 'us.anthropic.claude-sonnet-4-6', max_tokens: 10, messages, betas },
    { headers },
  )
  expect(fake.calls[0]?.body.anthropic_beta).toEqual(['a-2026-01-01', 'interleaved-thinking-2025-05-14'])
  expect(fake.calls[0]?.headers).not.toHaveProperty('anthropic-beta')
  expect(metadata.adaptations?.map(({ field }) => field)).toEqual(['anthropic_beta:interleaved-thinking-2025-05-14'])
})

describe("'strict'", () => {
  const strict = { compatibility: { policy: 'strict' as const } }

  test('rejects prefill', async () => {
    const { fake, bedrock } = setUp(strict)
    const prefilled = [...messages, { role: 'assistant' as const, content: 'Sure' }]
    await expect(
      bedrock.messages.create({ model: 'us.anthropic.claude-sonnet-4-6', max_tokens: 10, messages: prefilled }),
    ).rejects.toMatchObject({ code: 'configuration', message: expect.stringContaining('prefill') })
    expect(fake.calls).toHaveLength(0)
    await bedrock.messages.create({
      model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
      max_tokens: 10,
      messages: prefilled,
    })
  })

  test("accepts the client's own additions", async () => {
    const { fake, bedrock } = setUp(strict)
    await bedrock.messages.create({
      model: 'us.anthropic.claude-sonnet-5',
      max_tokens: 10,
      messages,
      context_management: { edits: [{ type: 'compact_20260112' }] },
    } as never)
    expect(fake.calls[0]?.body.anthropic_beta).toEqual(['context-management-2025-06-27'])
  })

  test('checks betas of a header', async () => {
    const { fake, bedrock } = setUp(strict)
    await bedrock.messages.create(
      { model: 'us.anthropic.claude-sonnet-4-6', max_tokens: 10, messages },
      { headers: { 'anthropic-beta': 'a-2026-01-01' } },
    )
    expect(fake.calls[0]?.body.anthropic_beta).toEqual(['a-2026-01-01'])
  })
})
