import { readFileSync } from 'node:fs'
import { setupServer } from 'msw/node'
import { createBedrockClient } from 'outcrop'
import { createFakeBedrock, type FakeReply } from 'outcrop/testing'
import { bedrockHandlers } from 'outcrop/testing/msw'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { describe, expect, test } from 'vitest'
import { faults } from '../../src/testing/faults.ts'

const params = { model: 'sonnet', max_tokens: 200, messages: [{ role: 'user' as const, content: 'Hi' }] }
const client = (fake: ReturnType<typeof createFakeBedrock>, options = {}) =>
  createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch, retry: false, ...options })

test('docs/testing.md lists every fault', () => {
  const rows = [
    ...readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8').matchAll(/^\| `([a-z0-9-]+)` +\|/gm),
  ].map((match) => match[1])
  expect(rows.filter((name) => name && name in faults).sort()).toEqual(Object.keys(faults).sort())
})

describe('replies', () => {
  const message = { content: [{ type: 'text', text: 'A message' }], stop_reason: 'max_tokens' }
  test.each<[string, FakeReply, string]>([
    ['text', 'A text', 'A text'],
    ['a message', message, 'A message'],
    ['a function of the call', ({ body }) => `You sent ${(body.messages as unknown[]).length}`, 'You sent 1'],
  ])('%s, the same streamed or not', async (_, reply, text) => {
    const bedrock = client(createFakeBedrock({ reply }))
    const { content } = await bedrock.messages.create(params)
    expect(content[0]).toMatchObject({ text })
    expect(await bedrock.messages.stream(params).finalText()).toBe(text)
  })

  test('the default fits the request: thinking, tools', async () => {
    const bedrock = client(createFakeBedrock())
    const thought = await bedrock.messages.create({ ...params, max_tokens: 4000, thinking: { type: 'adaptive' } })
    expect(thought.content.map(({ type }) => type)).toEqual(['thinking', 'text'])
    const called = await bedrock.messages.create({
      ...params,
      tools: [{ name: 'now', input_schema: { type: 'object' } }],
      tool_choice: { type: 'any' },
    })
    expect(called).toMatchObject({ stop_reason: 'tool_use' })
  })
})

describe('who may call', () => {
  const call = (options: object) => {
    const fake = createFakeBedrock()
    return client(fake, options)
      .messages.create(params)
      .then(
        () => undefined,
        (error) => error,
      )
  }
  test.each([
    [
      'unknown keys',
      { credentials: { accessKeyId: 'AKIDOTHER', secretAccessKey: 'x' } },
      'UnrecognizedClientException',
    ],
    [
      'a wrong secret',
      { credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wrong' } },
      'InvalidSignatureException',
    ],
    [
      'a session token that is not theirs',
      { credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example-of-the-fake', sessionToken: 'x' } },
      'UnrecognizedClientException',
    ],
    ['nobody', { credentials: 'none' }, undefined],
    ['an unknown API key', { credentials: { token: 'nonsense' } }, undefined],
  ])('%s', async (_, options, type) => {
    const error = await call(options)
    expect(error).toMatchObject({ code: 'service', status: 403 })
    if (type) expect(error.type).toBe(type)
  })
})

describe('the control plane', () => {
  test('profiles come in pages', async () => {
    const fake = createFakeBedrock()
    const bedrock = client(fake)
    const ids: string[] = []
    let token = ''
    do {
      const page = (await (
        await bedrock.fetch(`/inference-profiles?maxResults=7${token && `&nextToken=${token}`}`)
      ).json()) as { inferenceProfileSummaries: { inferenceProfileId: string }[]; nextToken?: string }
      expect(page.inferenceProfileSummaries.length).toBeLessThanOrEqual(7)
      ids.push(...page.inferenceProfileSummaries.map(({ inferenceProfileId }) => inferenceProfileId))
      token = page.nextToken ?? ''
    } while (token)
    expect(ids).toContain('us.anthropic.claude-sonnet-4-6')
    expect(new Set(ids).size).toBe(ids.length)
    const one = await (await bedrock.fetch('/inference-profiles/us.anthropic.claude-sonnet-4-6')).json()
    expect(one).toMatchObject({ status: 'ACTIVE', models: expect.any(Array) })
    expect(await (await bedrock.fetch('/foundation-models')).json()).toMatchObject({
      modelSummaries: expect.any(Array),
    })
  })

  test('an unknown path is 200 with UnknownOperationException, as at AWS', async () => {
    const response = await client(createFakeBedrock()).fetch('/model/a/b/c')
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('UnknownOperationException')
  })
})

test('reset forgets calls and faults', async () => {
  const fake = createFakeBedrock()
  fake.fail('throttling', { times: 9 })
  await client(fake)
    .messages.create(params)
    .catch(() => {})
  fake.reset()
  await client(fake).messages.create(params)
  expect(fake.calls).toHaveLength(1)
})

test('a fault that does not exist is refused, with the names of those that do', () => {
  expect(() => createFakeBedrock().fail('nonsense' as never)).toThrow(/throttling/)
})

test('over HTTP, and through msw', async () => {
  const fake = createFakeBedrock({ reply: 'Over there' })
  const server = await serveFakeBedrock(fake)
  expect(await client(fake, { fetch: undefined, endpoint: server.url }).messages.stream(params).finalText()).toBe(
    'Over there',
  )
  await server.close()

  const worker = setupServer(...bedrockHandlers(fake))
  worker.listen({ onUnhandledRequest: 'error' })
  const { content } = await createBedrockClient({ region: fake.region, credentials: fake.identity }).messages.create(
    params,
  )
  expect(content[0]).toMatchObject({ text: 'Over there' })
  worker.close()
  expect(fake.calls.every(({ signature }) => signature.valid)).toBe(true)
})
