import { type BedrockClient, createBedrockClient, type JsonObject } from 'outcrop'
import { explainCaching, type PromptCachingOptions, promptCaching } from 'outcrop/caching'
import { createFakeBedrock, type FakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'

const words = (tokens: number, word = 'word'): string => `${word} `.repeat(tokens)
const tool = (name: string, tokens = 10): JsonObject => ({
  name,
  description: words(tokens),
  input_schema: { type: 'object' },
})
const user = (content: string | JsonObject[]): JsonObject => ({ role: 'user', content })
const assistant = (content: string | JsonObject[]): JsonObject => ({ role: 'assistant', content })
const text = (tokens: number, extra: JsonObject = {}): JsonObject => ({ type: 'text', text: words(tokens), ...extra })
const point = { type: 'ephemeral' }
const image: JsonObject = {
  type: 'image',
  source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(40_000) },
}

interface Setup {
  readonly fake: FakeBedrock
  readonly bedrock: BedrockClient
  call(body: JsonObject, model?: string): Promise<JsonObject>
}

function setUp(options: PromptCachingOptions = {}, fakeOptions: FakeBedrockOptions = {}): Setup {
  const fake = createFakeBedrock(fakeOptions)
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    retry: false,
    middleware: [promptCaching(options)],
  })
  return {
    fake,
    bedrock,
    call: async (body, model = 'sonnet') => {
      await bedrock.messages.create({ model, max_tokens: 10, ...body } as never)
      return fake.calls.at(-1)?.body as JsonObject
    },
  }
}

/** Where a body has points, and for how long. */
function pointsOf(body: JsonObject): string[] {
  const found: string[] = []
  const look = (blocks: unknown, path: string): void => {
    if (!Array.isArray(blocks)) return
    blocks.forEach((block, i) => {
      if (block.cache_control)
        found.push(`${path}[${i}]${block.cache_control.ttl ? ` ${block.cache_control.ttl}` : ''}`)
    })
  }
  look(body.tools, 'tools')
  look(body.system, 'system')
  ;(body.messages as { content: unknown }[]).forEach(({ content }, i) => {
    look(content, `messages[${i}].content`)
  })
  return found
}

// Sonnet 4.6 caches from 1,024 tokens on.
const rows: [name: string, body: JsonObject, points: string[], options?: PromptCachingOptions][] = [
  [
    'tools only',
    { tools: [tool('a', 3000), tool('b')], messages: [user('Hi')] },
    ['tools[1]', 'messages[0].content[0]'],
  ],
  [
    'a long system prompt as text',
    { system: words(3000), messages: [user('Hi')] },
    ['system[0]', 'messages[0].content[0]'],
  ],
  [
    'tools, system, a conversation',
    { tools: [tool('a', 3000)], system: [text(100)], messages: [user('Hi'), assistant('Hello'), user('Go on')] },
    ['tools[0]', 'system[0]', 'messages[0].content[0]', 'messages[2].content[0]'],
  ],
  ['too small', { system: 'Be brief.', messages: [user('Hi')] }, []],
  [
    'a conversation that has grown',
    { messages: [user(words(3000)), assistant('Yes'), user('More')] },
    ['messages[0].content[0]', 'messages[2].content[0]'],
  ],
  ['an image counts as what it costs', { messages: [user([image, text(100)])] }, ['messages[0].content[1]']],
  ['an image can carry a point', { messages: [user([text(3000), image])] }, ['messages[0].content[1]']],
  [
    'thinking blocks cannot carry one',
    {
      messages: [
        user(words(3000)),
        assistant([text(5), { type: 'thinking', thinking: 'Hm', signature: 's' }]),
        user([{ type: 'text', text: '' }]),
      ],
    },
    ['messages[0].content[0]', 'messages[1].content[0]'],
  ],
  [
    'neither can empty text',
    { messages: [user([text(3000), { type: 'text', text: '' }])] },
    ['messages[0].content[0]'],
  ],
  [
    'nor a tool that is loaded later',
    { tools: [tool('a', 3000), { ...tool('b'), defer_loading: true }], messages: [user('Hi')] },
    ['tools[0]', 'messages[0].content[0]'],
  ],
  [
    "the caller's points stay, and count",
    {
      system: [text(3000, { cache_control: point }), text(100)],
      messages: [user('Hi'), assistant('Yes'), user('More')],
    },
    ['system[0]', 'messages[0].content[0]', 'messages[2].content[0]'],
  ],
  [
    "four points of the caller's leave none",
    {
      tools: [{ ...tool('a', 3000), cache_control: point }],
      system: [
        text(10, { cache_control: point }),
        text(10, { cache_control: point }),
        text(10, { cache_control: point }),
      ],
      messages: [user('Hi')],
    },
    ['tools[0]', 'system[0]', 'system[1]', 'system[2]'],
  ],
  [
    'an hour',
    { system: words(3000), messages: [user('Hi')] },
    ['system[0] 1h', 'messages[0].content[0] 1h'],
    { ttl: '1h' },
  ],
  [
    "a TTL never grows: five minutes after the caller's five minutes",
    { system: [text(3000, { cache_control: point })], messages: [user('Hi')] },
    ['system[0]', 'messages[0].content[0]'],
    { ttl: '1h' },
  ],
  [
    "a TTL never grows: an hour before the caller's hour",
    {
      tools: [tool('a', 3000)],
      system: [text(10, { cache_control: { ...point, ttl: '1h' } })],
      messages: [user('Hi')],
    },
    ['tools[0] 1h', 'system[0] 1h', 'messages[0].content[0]'],
  ],
  [
    'one point goes where it saves most',
    { tools: [tool('a', 3000)], system: 'x', messages: [user('Hi')] },
    ['messages[0].content[0]'],
    { breakpoints: 1 },
  ],
  ['switched off', { system: words(3000), messages: [user('Hi')] }, [], { disabled: true }],
  ['switched off for this family', { system: words(3000), messages: [user('Hi')] }, [], { disabled: ['sonnet'] }],
  [
    'switched off for another family',
    { system: words(3000), messages: [user('Hi')] },
    ['system[0]', 'messages[0].content[0]'],
    { disabled: ['haiku'] },
  ],
]

test.each(rows)('places the points: %s', async (_, body, points, options) => {
  const before = structuredClone(body)
  const { call } = setUp(options)
  expect(pointsOf(await call(body))).toEqual(points)
  expect(body).toEqual(before)
})

test('uses the minimum of the base model, also for an application profile', async () => {
  const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/opus'
  const body = { system: words(1500), messages: [user('Hi')] }
  const models = { applicationProfiles: { [arn]: 'anthropic.claude-opus-4-6-v1' } }
  const { fake, call } = setUp({}, { models })
  expect(pointsOf(await call(body, 'sonnet'))).toHaveLength(2)
  // Opus 4.6 caches from 4,096 tokens on.
  expect(pointsOf(await call(body, 'us.anthropic.claude-opus-4-6-v1'))).toHaveLength(0)
  const known = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    models: { profiles: { [arn]: 'anthropic.claude-opus-4-6-v1' } },
    middleware: [promptCaching()],
  })
  await known.messages.create({ model: arn, max_tokens: 1, ...body } as never)
  expect(pointsOf(fake.calls.at(-1)?.body as JsonObject)).toHaveLength(0)
  // Nobody knows what is behind it: the least that any model asks for.
  expect(pointsOf(await call(body, arn))).toHaveLength(2)
})

test("leaves other providers' bodies alone", async () => {
  const { fake, bedrock } = setUp()
  const body = { system: [{ text: words(3000) }], messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }
  // The fake does not serve it; what it was asked is all that counts here.
  await bedrock.invoke({ model: 'amazon.nova-lite-v1:0', body }).catch(() => {})
  expect(fake.calls.at(-1)?.body).toEqual(body)
})

test('falls back to five minutes for a model without an hour, and reports it', async () => {
  const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x'
  const { bedrock } = setUp(
    { ttl: '1h' },
    { models: { applicationProfiles: { [arn]: 'anthropic.claude-sonnet-4-6' } } },
  )
  const { metadata } = await bedrock.messages.create({
    model: arn,
    max_tokens: 1,
    system: words(3000),
    messages: [{ role: 'user', content: 'Hi' }],
  })
  expect(metadata.adaptations).toEqual([expect.objectContaining({ field: 'cache_control', action: 'replaced' })])
})

describe('a conversation of 30 turns', () => {
  test.each([1, 25])('hits the cache with %d blocks per turn', async (blocks) => {
    const { fake, bedrock } = setUp()
    const messages: JsonObject[] = []
    let read = 0
    let total = 0
    for (let turn = 0; turn < 30; turn++) {
      messages.push(
        user(
          Array.from({ length: blocks }, (_, i) => ({
            type: 'text',
            text: `Turn ${turn}, block ${i}. ${words(200 / blocks)}`,
          })),
        ),
      )
      const stream = bedrock.messages.stream({
        model: 'sonnet',
        max_tokens: 50,
        system: words(1500),
        messages: messages as never,
      })
      const { content, metadata } = await stream.finalMessage()
      const { inputTokens = 0, cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = metadata.usage
      if (turn > 0) {
        expect(cacheReadInputTokens, `turn ${turn}`).toBeGreaterThan(0)
        read += cacheReadInputTokens
        total += inputTokens + cacheReadInputTokens + cacheWriteInputTokens
      }
      expect(pointsOf(fake.calls.at(-1)?.body as JsonObject).length).toBeLessThanOrEqual(4)
      messages.push(assistant(content as unknown as JsonObject[]))
    }
    expect(read / total).toBeGreaterThan(0.9)
  })
})

describe('a model without prompt caching', () => {
  test('is called again without it, and remembered', async () => {
    const { fake, bedrock } = setUp()
    const params = {
      model: 'sonnet',
      max_tokens: 1,
      system: [{ type: 'text' as const, text: words(3000), cache_control: { type: 'ephemeral' as const } }],
      messages: [{ role: 'user' as const, content: 'Hi' }],
    }
    fake.fail('caching-unavailable')
    const { metadata } = await bedrock.messages.create(params)
    expect(metadata.adaptations).toEqual([expect.objectContaining({ field: 'cache_control', action: 'removed' })])
    await bedrock.messages.create(params)
    expect(fake.calls.map(({ status }) => status)).toEqual([400, 200, 200])
    expect(fake.calls.map(({ body }) => pointsOf(body).length)).toEqual([2, 0, 0])
    // Another model is another pair.
    await bedrock.messages.create({ ...params, model: 'us.anthropic.claude-sonnet-5' })
    expect(pointsOf(fake.calls.at(-1)?.body as JsonObject)).toHaveLength(2)
  })

  test('is not inferred from other errors', async () => {
    const { fake, call } = setUp()
    fake.fail('extra-inputs')
    await expect(call({ system: words(3000), messages: [user('Hi')] })).rejects.toMatchObject({
      code: 'service',
      status: 400,
    })
    expect(fake.calls).toHaveLength(1)
  })
})

test('explainCaching reports the points, and why there are no others', () => {
  const explanation = explainCaching(
    { system: 'Be brief.', messages: [user(words(3000))] },
    'anthropic.claude-sonnet-4-6',
  )
  expect(explanation.points).toEqual([
    { path: 'messages[0].content[0]', ttl: '5m', own: false, tokens: expect.any(Number) },
  ])
  expect(explanation.omissions).toEqual([
    expect.stringMatching(/^system: about \d+ tokens so far, and the model needs at least 1024$/),
  ])
  expect(String(explanation)).toContain('anthropic.claude-sonnet-4-6 caches prefixes of at least 1024 tokens')
})

test.each([{ ttl: '2h' }, { breakpoints: 0 }, { breakpoints: 5 }])('rejects %j at once', (options) => {
  expect(() => promptCaching(options as never)).toThrow(expect.objectContaining({ code: 'configuration' }))
})
