import { readFileSync } from 'node:fs'
import { setupServer } from 'msw/node'
import { createBedrockClient, type MessageParam } from 'outcrop'
import { signRequest } from 'outcrop/sigv4'
import { createFakeBedrock, type FakeBedrock, type FakeBedrockOptions, type FakeReply } from 'outcrop/testing'
import { bedrockHandlers } from 'outcrop/testing/msw'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { describe, expect, test } from 'vitest'
import { faults } from '../../src/testing/faults.ts'

const params = { model: 'sonnet', max_tokens: 200, messages: [{ role: 'user' as const, content: 'Hi' }] }
const client = (fake: ReturnType<typeof createFakeBedrock>, options = {}) =>
  createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch, retry: false, ...options })

/** A request signed by hand, for what no method of the client sends. */
async function signed(fake: FakeBedrock, path: string, signal?: AbortSignal): Promise<Response> {
  const url = `https://bedrock-runtime.${fake.region}.amazonaws.com${path}`
  const body = JSON.stringify({ ...params, model: undefined, anthropic_version: 'bedrock-2023-05-31' })
  const request = { method: 'POST', url, headers: { 'content-type': 'application/json' }, body }
  const { headers } = await signRequest(request, { identity: fake.identity, region: fake.region, service: 'bedrock' })
  return fake.fetch(url, { method: 'POST', headers, body, ...(signal && { signal }) })
}

const signedGet = (fake: FakeBedrock, path: string): Promise<Response> => {
  const { region, identity, fetch } = fake
  return createBedrockClient({ region, credentials: { ...identity }, fetch, retry: false })
    .fetch(path)
    .catch((error) => {
      if (error.status === undefined) throw error
      return Response.json({ message: error.message }, { status: error.status })
    })
}

test('docs/testing.md lists every fault', () => {
  const rows = [
    ...readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8').matchAll(/^\| `([a-z0-9-]+)` +\|/gm),
  ].map((match) => match[1])
  expect(rows.filter((name) => name && name in faults).sort()).toEqual(Object.keys(faults).sort())
})

describe('replies', () => {
  const message = { content: [{ type: 'text', text: 'A message' }], stop_reason: 'max_tokens' }
  test.each<[string, FakeReply, string]>([
    ['a string', 'A text', 'A text'],
    ['a message', message, 'A message'],
    ['a function', ({ body }) => `You sent ${(body.messages as unknown[]).length}`, 'You sent 1'],
  ])('%s, the same for streams and complete responses', async (_, reply, text) => {
    const bedrock = client(createFakeBedrock({ reply }))
    const { content } = await bedrock.messages.create(params)
    expect(content[0]).toMatchObject({ text })
    expect(await bedrock.messages.stream(params).finalText()).toBe(text)
  })

  test('fit the request by default: thinking, tools', async () => {
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

test('call a tool once by default and answer its result, so that an agent ends', async () => {
  const bedrock = client(createFakeBedrock())
  const tools = ['now', 'weather'].map((name) => ({ name, input_schema: { type: 'object' as const } }))
  const messages: MessageParam[] = [{ role: 'user', content: 'Ask now, and then weather.' }]
  const agent = async (tool_choice?: { type: 'any' }): Promise<string[]> => {
    const called: string[] = []
    for (let turns = 0; turns < 10; turns++) {
      const answer = await bedrock.messages.create({ ...params, messages, tools, ...(tool_choice && { tool_choice }) })
      messages.push({ role: 'assistant', content: answer.content })
      const calls = answer.content.filter((block) => block.type === 'tool_use')
      if (calls.length === 0) return called
      called.push(...calls.map(({ name }) => name))
      // Some agents add a reminder that names the tools again.
      messages.push({
        role: 'user',
        content: [
          ...calls.map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: 'It is noon.' })),
          { type: 'text', text: 'Remember now and weather.' },
        ],
      })
    }
    return [...called, 'for ever']
  }
  expect(await agent()).toEqual(['now', 'weather'])
  expect(messages.at(-1)?.content).toEqual([{ type: 'text', text: 'The tool answered: It is noon.' }])
  // A new question may call it again; a choice of any tool ends too.
  messages.push({ role: 'user', content: 'And now?' })
  expect(await agent()).toEqual(['now', 'weather'])
  messages.push({ role: 'user', content: 'Something else.' })
  expect(await agent({ type: 'any' })).toEqual(['now', 'weather'])
})

test('call a reply function once per call, streamed or not', async () => {
  let asked = 0
  const bedrock = client(createFakeBedrock({ reply: () => `Answer ${++asked}` }))
  expect(await bedrock.messages.stream(params).finalText()).toBe('Answer 1')
  expect((await bedrock.messages.create(params)).content[0]).toMatchObject({ text: 'Answer 2' })
})

describe('an abort', () => {
  test('ends each wait, before, during and after the response', async () => {
    const fake = createFakeBedrock()
    const bedrock = client(fake)
    fake.fail('stall', { times: 2 })
    const reason = new Error('changed my mind')
    const stop = new AbortController()
    const waiting = bedrock.messages.create(params, { signal: stop.signal })
    stop.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await expect(fake.fetch(new Request('https://a.example', { signal: stop.signal }))).rejects.toBe(reason)
    expect(fake.calls.every(({ aborted }) => aborted)).toBe(true)
  })

  test('leaves no listener on the signal', async () => {
    const fake = createFakeBedrock()
    const { signal } = new AbortController()
    const added: unknown[] = []
    const [add, remove] = [signal.addEventListener, signal.removeEventListener]
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      added.push(given[1])
      add.apply(signal, given)
    }
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      added.splice(added.indexOf(given[1]), 1)
      remove.apply(signal, given)
    }
    const { body } = await signed(fake, '/model/us.anthropic.claude-sonnet-4-6/invoke-with-response-stream', signal)
    for await (const chunk of body ?? []) expect(chunk.length).toBeGreaterThan(0)
    expect(added).toEqual([])
  })
})

describe('authentication', () => {
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
      'a wrong session token',
      { credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example-of-the-fake', sessionToken: 'x' } },
      'UnrecognizedClientException',
    ],
    ['no credentials', { credentials: 'none' }, undefined],
    ['an unknown API key', { credentials: { token: 'nonsense' } }, undefined],
  ])('refuses or accepts %s', async (_, options, type) => {
    const error = await call(options)
    expect(error).toMatchObject({ code: 'service', status: 403 })
    if (type) expect(error.type).toBe(type)
  })
})

test("another provider's model is not checked against Anthropic's schema, and counts no tokens", async () => {
  const fake = createFakeBedrock()
  const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })
  const model = 'amazon.nova-lite-v1:0'
  const body = { schemaVersion: 'messages-v1', messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }
  expect((await bedrock.invoke({ model, body })).metadata.status).toBe(200)
  expect(fake.calls[0]?.body).toEqual(body)
  const { events } = await bedrock.invokeStream({ model, body })
  for await (const _ of events);
  const counted = bedrock.messages.countTokens({ model, messages: [{ role: 'user', content: 'Hi' }] })
  await expect(counted).rejects.toMatchObject({ status: 400 })
  await expect(bedrock.invoke({ model: 'us.anthropic.claude-sonnet-4-6', body })).rejects.toMatchObject({
    message: expect.stringContaining('anthropic_version'),
  })
})

describe('the control plane', () => {
  test('lists profiles in pages', async () => {
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

  test('answers an unknown path with 200 and UnknownOperationException, like AWS', async () => {
    const response = await client(createFakeBedrock()).fetch('/model/a/b/c')
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('UnknownOperationException')
  })
})

describe('models of the account', () => {
  const read = async (path: string, options: FakeBedrockOptions = {}) => {
    const response = await signedGet(createFakeBedrock(options), path)
    return { status: response.status, body: (await response.json()) as Record<string, never> }
  }

  test.each([
    ['byProvider=Anthropic', true],
    ['byProvider=anthropic', true],
    ['byProvider=amazon', false],
    ['byOutputModality=TEXT', true],
    ['byOutputModality=EMBEDDING', false],
    ['byInferenceType=ON_DEMAND', false],
    ['byCustomizationType=FINE_TUNING', false],
  ])('ListFoundationModels: %s', async (query, some) => {
    const { modelSummaries } = (await read(`/foundation-models?${query}`)).body as unknown as { modelSummaries: [] }
    expect(modelSummaries.length > 0).toBe(some)
    expect(JSON.stringify(modelSummaries)).not.toContain('claude-3-haiku')
  })

  test('ListFoundationModels: ON_DEMAND for callable base IDs, and an invalid filter', async () => {
    const fake = createFakeBedrock({ region: 'eu-west-2' })
    const answer = await (await signedGet(fake, '/foundation-models?byInferenceType=ON_DEMAND')).json()
    expect(JSON.stringify(answer)).toContain('anthropic.claude-opus-5-5')
    expect(await read('/foundation-models?byInferenceType=LATER')).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('enum value set: [ON_DEMAND, PROVISIONED]') },
    })
  })

  test('ListGuardrails: drafts, or the versions of one, in pages', async () => {
    const guardrails = [
      { identifier: 'gr1', versions: ['1', '2'], blockedWords: ['x'], crossRegionProfile: 'us.guardrail.v1:0' },
      { identifier: 'gr2', name: 'second', versions: ['1'], blockedWords: [] },
    ]
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1'
    const { body } = await read('/guardrails', { guardrails })
    expect(body.guardrails).toMatchObject([
      {
        id: 'gr1',
        arn,
        name: 'gr1',
        status: 'READY',
        version: 'DRAFT',
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
        crossRegionDetails: { guardrailProfileId: 'us.guardrail.v1:0', guardrailProfileArn: expect.any(String) },
      },
      { id: 'gr2', name: 'second', version: 'DRAFT' },
    ])
    for (const id of ['gr1', encodeURIComponent(arn)]) {
      const versions = (await read(`/guardrails?guardrailIdentifier=${id}`, { guardrails })).body.guardrails
      expect(versions).toMatchObject([{ version: 'DRAFT' }, { version: '1' }, { version: '2' }])
    }
    expect((await read('/guardrails?maxResults=1', { guardrails })).body).toMatchObject({ nextToken: '1' })
    expect((await read('/guardrails?guardrailIdentifier=gr3', { guardrails })).status).toBe(404)
    expect((await read('/guardrails/gr1?guardrailVersion=2', { guardrails })).body).toMatchObject({
      guardrailArn: arn,
      wordPolicy: { words: [{ text: 'x' }] },
      blockedInputMessaging: expect.any(String),
      crossRegionDetails: expect.any(Object),
    })
  })

  test.each(['create', 'stream'] as const)("refuses Anthropic's models without the use-case form: %s", async (way) => {
    const bedrock = client(createFakeBedrock({ models: { useCaseForm: false } }))
    const { create, stream } = bedrock.messages
    await expect(way === 'create' ? create(params) : stream(params).finalText()).rejects.toMatchObject({
      status: 404,
      type: 'ResourceNotFoundException',
      message: expect.stringContaining('use case details have not been submitted'),
    })
    // A model that is none is told of first.
    await expect(create({ ...params, model: 'us.anthropic.claude-nothing-9' })).rejects.toMatchObject({ status: 400 })
  })

  test("refuses the runtime's Anthropic endpoint, in its own format", async () => {
    const fake = createFakeBedrock()
    const post = async (path: string) => {
      const response = await signed(fake, path)
      return [response.status, await response.text()]
    }
    expect(await post('/anthropic/v1/messages')).toEqual([404, expect.stringContaining('"type":"not_found_error"')])
    expect(await post('/anthropic/v1/messages/count_tokens')).toEqual([
      200,
      expect.stringContaining('UnknownOperationException'),
    ])
    expect(await post('/anthropic/v1/messages/batches')).toEqual([403, '{"Message":"Authorization header is missing"}'])
  })
})

test('STS answers in XML, including errors', async () => {
  const fake = createFakeBedrock()
  const response = await fake.fetch('https://sts.us-east-1.amazonaws.com/', {
    method: 'POST',
    body: 'Action=GetCallerIdentity&Version=2011-06-15',
  })
  expect(response.status).toBe(403)
  expect(await response.text()).toMatch(/<ErrorResponse .*<Code>MissingAuthenticationToken<\/Code><Message>/)
})

test('reset clears calls and faults', async () => {
  const fake = createFakeBedrock()
  fake.fail('throttling', { times: 9 })
  await client(fake)
    .messages.create(params)
    .catch(() => {})
  fake.reset()
  await client(fake).messages.create(params)
  expect(fake.calls).toHaveLength(1)
})

test('rejects an unknown fault, and names the nearest or all', () => {
  const failure = (name: string) => {
    try {
      return createFakeBedrock().fail(name as never)
    } catch (error) {
      return error
    }
  }
  expect(failure('throtling')).toMatchObject({ code: 'configuration', hint: 'Did you mean throttling?' })
  expect(failure('nonsense')).toMatchObject({ hint: expect.stringContaining('connection-reset, ') })
})

test.each(['versions', 'blockedWords'])('rejects a guardrail without %s', (missing) => {
  const guardrail = { identifier: 'gr1abc2def3g', versions: ['1'], blockedWords: [], [missing]: undefined }
  expect(() => createFakeBedrock({ guardrails: [guardrail as never] })).toThrow(`guardrail.${missing} must be a list`)
})

test('serves HTTP and msw', async () => {
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
