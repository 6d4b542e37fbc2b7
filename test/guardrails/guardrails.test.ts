import {
  type BedrockClient,
  type BedrockClientOptions,
  type BedrockResponse,
  createBedrockClient,
  GuardrailError,
  type GuardrailOutcome,
  type JsonObject,
  type Middleware,
} from 'outcrop'
import { applyGuardrail, type GuardrailOptions, guardrails } from 'outcrop/guardrails'
import { createFakeBedrock, type FakeBedrock, type FakeGuardrail } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'

const arn = 'arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1'
const gr1: FakeGuardrail = { identifier: 'gr1', versions: ['1', 'DRAFT'], blockedWords: ['granite'] }
const params = {
  model: 'sonnet',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'What is it made of?' }],
}
const harmless = 'Mostly of limestone.'
const harmful = 'Mostly of granite, as far as one can see from here.'

function setUp(
  options: Partial<GuardrailOptions> | undefined,
  reply: string = harmless,
  guardrail: Partial<FakeGuardrail> = {},
  clientOptions: BedrockClientOptions = {},
): { fake: FakeBedrock; bedrock: BedrockClient } {
  const fake = createFakeBedrock({ reply, guardrails: [{ ...gr1, ...guardrail }] })
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    retry: false,
    ...(options && { middleware: [guardrails({ identifier: 'gr1', version: '1', ...options })] }),
    ...clientOptions,
  })
  return { fake, bedrock }
}

const ways = ['create', 'stream', 'invokeStream'] as const

interface Outcome {
  readonly guardrail: GuardrailOutcome | undefined
  readonly text: string
  readonly stopReason: string | undefined | null
}

async function run(bedrock: BedrockClient, way: (typeof ways)[number], options = {}): Promise<Outcome> {
  if (way === 'invokeStream') {
    const { model, ...body } = params
    const { events, metadata } = await bedrock.invokeStream(
      { model, body: { anthropic_version: 'bedrock-2023-05-31', ...body } },
      options,
    )
    let text = ''
    let stopReason: string | undefined
    for await (const event of events) {
      const delta = event.delta as { text?: string; stop_reason?: string } | undefined
      text += delta?.text ?? ''
      stopReason = delta?.stop_reason ?? stopReason
    }
    return { guardrail: metadata.guardrail, text, stopReason }
  }
  const message =
    way === 'create'
      ? await bedrock.messages.create(params, options)
      : await bedrock.messages.stream(params, options).finalMessage()
  const text = message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
  return { guardrail: message.metadata.guardrail, text, stopReason: message.stop_reason }
}

const nestings = ['guardrail', 'guardrails'] as const
const places = ['start', 'middle', 'end'] as const
const traces = [undefined, 'enabled', 'enabled_full', 'disabled'] as const

describe.each(ways)('%s', (way) => {
  describe.each(nestings)('with the trace under `%s`', (nesting) => {
    describe.each(traces)('and trace: %s', (trace) => {
      const isTraced = trace === 'enabled' || trace === 'enabled_full'
      const options = trace ? { trace } : {}

      test('reports NONE', async () => {
        const { bedrock } = setUp(options, harmless, { nesting })
        const { guardrail, text } = await run(bedrock, way)
        expect(guardrail?.action).toBe('NONE')
        expect(guardrail?.trace !== undefined).toBe(isTraced)
        expect(text).toBe(harmless)
      })

      test.each(places)('returns an intervention reported at the %s', async (place) => {
        const { bedrock } = setUp(options, harmful, { nesting, place })
        const { guardrail, text, stopReason } = await run(bedrock, way)
        expect(guardrail?.action).toBe('INTERVENED')
        expect(text).toBe('Blocked by the guardrail.')
        expect(stopReason).toBe('end_turn')
        expect(guardrail?.assessments).toHaveLength(isTraced ? 1 : 0)
        if (isTraced) {
          expect(guardrail?.trace).toHaveProperty(nesting)
          expect(guardrail?.assessments[0]).toMatchObject({ wordPolicy: { customWords: [{ match: 'granite' }] } })
        }
      })

      test.each(places)('throws an intervention reported at the %s', async (place) => {
        const { bedrock } = setUp({ ...options, onIntervention: 'throw' }, harmful, { nesting, place })
        const error = await run(bedrock, way).then(
          () => expect.unreachable('it should have been thrown'),
          (error) => error,
        )
        expect(error).toBeInstanceOf(GuardrailError)
        expect(error).toMatchObject({ code: 'guardrail_intervened', requestId: expect.any(String) })
        if (way === 'create') expect(error.response.content[0].text).toBe('Blocked by the guardrail.')
        if (way === 'stream') expect(error.response).toMatchObject({ type: 'message', role: 'assistant' })
        // A trace comes with the last event of a stream, and the intervention may be told before.
        if (isTraced && (way === 'create' || place === 'end')) expect(error.trace).toHaveProperty(nesting)
      })

      test('calls a function once for an intervention', async () => {
        const told: GuardrailOutcome[] = []
        const onIntervention = (outcome: GuardrailOutcome): void => void told.push(outcome)
        const { bedrock } = setUp({ ...options, onIntervention }, harmful, { nesting })
        await run(bedrock, way)
        expect(told).toHaveLength(1)
        expect(told[0]).toMatchObject({ action: 'INTERVENED' })
        const quiet = setUp({ ...options, onIntervention }, harmless, { nesting })
        await run(quiet.bedrock, way)
        expect(told).toHaveLength(1)
      })
    })
  })

  test.each([
    [
      'plain headers of the client',
      {
        headers: {
          'X-Amzn-Bedrock-GuardrailIdentifier': 'gr1',
          'X-Amzn-Bedrock-GuardrailVersion': '1',
          'X-Amzn-Bedrock-Trace': 'ENABLED',
        },
      },
      {},
    ],
    [
      'plain headers of the call',
      {},
      {
        headers: {
          'X-Amzn-Bedrock-GuardrailIdentifier': 'gr1',
          'X-Amzn-Bedrock-GuardrailVersion': '1',
          'X-Amzn-Bedrock-Trace': 'ENABLED',
        },
      },
    ],
    ["the call's own option", {}, { guardrail: { identifier: 'gr1', version: 1, trace: 'enabled' as const } }],
  ])('%s equal the typed options', async (_, clientOptions, callOptions) => {
    const typed = setUp({ trace: 'enabled' }, harmful)
    const plain = setUp(undefined, harmful, {}, clientOptions)
    const expected = await run(typed.bedrock, way)
    expect(await run(plain.bedrock, way, callOptions)).toEqual(expected)
    const sent = ({ calls }: FakeBedrock): object => {
      const { headers, body } = calls.at(-1) as (typeof calls)[number]
      return {
        body,
        headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-amzn-bedrock'))),
      }
    }
    expect(sent(plain.fake)).toEqual(sent(typed.fake))
    expect(plain.fake.calls.at(-1)?.headers.authorization).toContain(
      'x-amzn-bedrock-guardrailidentifier;x-amzn-bedrock-guardrailversion;x-amzn-bedrock-trace',
    )
  })

  test('a call can turn it off or change it', async () => {
    const { fake, bedrock } = setUp({}, harmful)
    expect((await run(bedrock, way, { guardrail: false })).guardrail).toBeUndefined()
    expect(fake.calls.at(-1)?.headers).not.toHaveProperty('x-amzn-bedrock-guardrailidentifier')
    await run(bedrock, way, { guardrail: { version: 'DRAFT' } })
    expect(fake.calls.at(-1)?.headers['x-amzn-bedrock-guardrailversion']).toBe('DRAFT')
    await expect(run(bedrock, way, { guardrail: { onIntervention: 'throw' } })).rejects.toMatchObject({
      code: 'guardrail_intervened',
    })
  })

  test('an unknown guardrail or version is refused by Bedrock, with a hint', async () => {
    for (const options of [{ identifier: 'gr2' }, { version: 7 }]) {
      const { bedrock } = setUp(options)
      await expect(run(bedrock, way)).rejects.toMatchObject({
        code: 'service',
        status: 400,
        hint: expect.stringContaining('guardrail'),
      })
    }
  })

  test('requireOutcome rejects an answer without an outcome', async () => {
    // A gateway that drops the headers: here, a guardrail that the fake is told nothing of.
    const { fake } = setUp(undefined)
    const strip: typeof fetch = async (input, init) => {
      const headers = new Headers(init?.headers)
      for (const name of ['x-amzn-bedrock-guardrailidentifier', 'x-amzn-bedrock-guardrailversion']) headers.delete(name)
      return fake.fetch(input, { ...init, headers })
    }
    const client = (requireOutcome: boolean): BedrockClient =>
      createBedrockClient({
        region: fake.region,
        credentials: { token: 'api-key-example' },
        fetch: strip,
        retry: false,
        middleware: [guardrails({ identifier: 'gr1', version: 1, requireOutcome })],
      })
    fake.identities.push({ token: 'api-key-example' })
    expect((await run(client(false), way)).guardrail).toBeUndefined()
    await expect(run(client(true), way)).rejects.toMatchObject({
      code: 'guardrail_intervened',
      message: expect.stringContaining('does not mention the guardrail'),
    })
  })

  test('guardInput does not call the model if the last turn is blocked', async () => {
    const { fake, bedrock } = setUp({ guardInput: true }, harmless)
    const asked = { ...params, messages: [{ role: 'user' as const, content: 'Tell me about granite.' }] }
    const message =
      way === 'create' ? await bedrock.messages.create(asked) : await bedrock.messages.stream(asked).finalMessage()
    expect(message.content[0]).toMatchObject({ text: 'Blocked by the guardrail.' })
    expect(message.metadata.guardrail?.action).toBe('INTERVENED')
    expect(fake.calls.map(({ operation }) => operation)).toEqual(['ApplyGuardrail'])
    await run(bedrock, way)
    expect(fake.calls).toHaveLength(3)
  })
})

/** A middleware that answers with these events. */
function answering(events: readonly object[]): Middleware {
  return async (_request, _next, { model }) => ({
    type: 'stream',
    metadata: { requestId: 'r', status: 200, headers: {}, attempts: 1, model, usage: {}, latency: 1 },
    events: (async function* () {
      yield* structuredClone(events) as JsonObject[]
    })(),
  })
}
const intervened = { 'amazon-bedrock-guardrailAction': 'INTERVENED' }
const passed = { 'amazon-bedrock-guardrailAction': 'NONE' }
const eventsOf = (places: Partial<Record<'start' | 'message' | 'block' | 'delta' | 'end', object>>): object[] => [
  {
    type: 'message_start',
    message: { id: 'm', type: 'message', role: 'assistant', content: [], usage: {}, ...places.message },
    ...places.start,
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '', ...places.block } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Sorry.' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', ...places.delta }, usage: { output_tokens: 1 } },
  { type: 'message_stop', ...places.end },
]

describe('an intervention in a stream', () => {
  test.each<[string, object[]]>([
    ['next to message_start', eventsOf({ start: intervened })],
    ['within the message of message_start', eventsOf({ message: intervened })],
    ['within a block', eventsOf({ block: intervened })],
    ['within the delta of message_delta', eventsOf({ delta: intervened })],
    ['at the end', eventsOf({ end: intervened })],
    ['followed by NONE', eventsOf({ start: intervened, end: passed })],
    ['within a block, and followed by NONE', eventsOf({ message: intervened, delta: passed, end: passed })],
    ['in another word', eventsOf({ end: { 'amazon-bedrock-guardrailAction': 'GUARDRAIL_INTERVENED' } })],
    ['with an unknown value', eventsOf({ end: { 'amazon-bedrock-guardrailAction': 'BLOCKED' } })],
  ])('is detected %s', async (_, events) => {
    const { bedrock } = setUp({}, harmless, {}, {})
    const ask = (onIntervention: 'return' | 'throw') =>
      bedrock
        .withOptions({ middleware: [guardrails({ identifier: 'gr1', version: 1, onIntervention }), answering(events)] })
        .messages.stream(params)
        .finalMessage()
    const { metadata, content } = await ask('return')
    expect(metadata.guardrail?.action).toBe('INTERVENED')
    expect(content).toMatchObject([{ text: 'Sorry.' }])
    await expect(ask('throw')).rejects.toMatchObject({ code: 'guardrail_intervened' })
  })

  test.each<[string, Partial<GuardrailOptions>, object[]]>([
    ['an intervention', { onIntervention: 'throw' }, eventsOf({ end: intervened })],
    ['no outcome', { requireOutcome: true }, eventsOf({})],
  ])('%s is reported even if the loop is left at message_stop', async (_, options, events) => {
    const middleware = [guardrails({ identifier: 'gr1', version: 1, ...options }), answering(events)]
    const { bedrock } = setUp(undefined, harmless, {}, { middleware })
    const stream = bedrock.messages.stream(params)
    for await (const { type } of stream) if (type === 'message_stop') break
    await expect(stream.finalMessage()).rejects.toMatchObject({ code: 'guardrail_intervened' })
  })

  test("is not taken from the model's text", async () => {
    const events = eventsOf({ end: passed })
    events.splice(1, 3, {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'tool_use', id: 't', name: 'report', input: intervened },
    })
    const middleware = [guardrails({ identifier: 'gr1', version: 1, onIntervention: 'throw' }), answering(events)]
    const { bedrock } = setUp(undefined, harmless, {}, { middleware })
    expect((await bedrock.messages.stream(params).finalMessage()).metadata.guardrail?.action).toBe('NONE')
  })

  test('is reported to a function after the stream was left', async () => {
    const told: GuardrailOutcome[] = []
    const { bedrock } = setUp({ onIntervention: (outcome) => void told.push(outcome) }, harmful)
    for await (const { type } of bedrock.messages.stream(params)) if (type === 'content_block_start') break
    await expect.poll(() => told).toHaveLength(1)
  })

  test('fails the call if the function throws', async () => {
    const onIntervention = (): never => {
      throw new Error('no thanks')
    }
    const { bedrock } = setUp({ onIntervention }, harmful)
    await expect(bedrock.messages.create(params)).rejects.toThrow('no thanks')
    await expect(bedrock.messages.stream(params).finalMessage()).rejects.toThrow('no thanks')
  })

  test('ignores a trace that is nested without end', async () => {
    let trace: object = { wordPolicy: {} }
    for (let i = 0; i < 5_000; i++) trace = { trace }
    const events = eventsOf({ end: { ...intervened, 'amazon-bedrock-trace': trace } })
    const middleware: Middleware[] = [
      guardrails({ identifier: 'gr1', version: 1 }),
      async (request, next, context) => {
        const response = await answering([])(request, next, context)
        return {
          ...response,
          events: (async function* () {
            yield* events as JsonObject[]
          })(),
        } as BedrockResponse
      },
    ]
    const { bedrock } = setUp(undefined, harmless, {}, { middleware })
    const { metadata } = await bedrock.messages.stream(params).finalMessage()
    expect(metadata.guardrail).toMatchObject({ action: 'INTERVENED', assessments: [] })
  })
})

describe('guardInput', () => {
  const checked = async (messages: object[]): Promise<unknown> => {
    const { fake, bedrock } = setUp({ guardInput: true })
    // It takes a prefilled answer.
    const model = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'
    await bedrock.messages.create({ ...params, model, messages } as never)
    const [first] = fake.calls
    return first?.operation === 'ApplyGuardrail' ? first.body.content : undefined
  }
  const text = (value: string): object => ({ text: { text: value } })
  const png = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } }

  test.each<[string, object[] | string, object[]]>([
    ['a string', 'One', [text('One')]],
    [
      'blocks',
      [
        { type: 'text', text: 'One' },
        { type: 'text', text: 'Two' },
      ],
      [text('One'), text('Two')],
    ],
    ['a tool result with a string', [{ type: 'tool_result', tool_use_id: 't', content: 'One' }], [text('One')]],
    [
      'a tool result with blocks',
      [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'One' }, png] }],
      [text('One'), { image: { format: 'png', source: { bytes: 'aGk=' } } }],
    ],
    [
      'a search result',
      [{ type: 'search_result', source: 'https://a.example', title: 'One', content: [{ type: 'text', text: 'Two' }] }],
      [text('One'), text('Two')],
    ],
    [
      'a text document',
      [
        {
          type: 'document',
          title: 'One',
          context: 'Two',
          source: { type: 'text', media_type: 'text/plain', data: 'Three' },
        },
      ],
      [text('One'), text('Two'), text('Three')],
    ],
    [
      'a document with blocks',
      [{ type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'One' }] } }],
      [text('One')],
    ],
    [
      'a document in a tool result',
      [
        {
          type: 'tool_result',
          tool_use_id: 't',
          content: [{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'One' } }],
        },
      ],
      [text('One')],
    ],
    ['an image', [png], [{ image: { format: 'png', source: { bytes: 'aGk=' } } }]],
  ])('checks %s', async (_, content, expected) => {
    expect(await checked([{ role: 'user', content }])).toEqual(expected)
  })

  test('checks only the last user turn, all of it, also before a prefilled answer', async () => {
    const user = (content: string): object => ({ role: 'user', content })
    const assistant = (content: string): object => ({ role: 'assistant', content })
    expect(await checked([user('One'), assistant('Two'), user('Three')])).toEqual([text('Three')])
    expect(await checked([user('One'), assistant('Two'), user('Three'), user('Four')])).toEqual(
      ['Three', 'Four'].map(text),
    )
    expect(await checked([user('One'), assistant('So')])).toEqual([text('One')])
  })

  test('does not call the model if a tool result of the last turn is blocked', async () => {
    const { fake, bedrock } = setUp({ guardInput: true, onIntervention: 'throw' })
    const content = [{ type: 'tool_result' as const, tool_use_id: 't', content: 'Some granite.' }]
    await expect(bedrock.messages.create({ ...params, messages: [{ role: 'user', content }] })).rejects.toMatchObject({
      code: 'guardrail_intervened',
    })
    expect(fake.calls.map(({ operation }) => operation)).toEqual(['ApplyGuardrail'])
  })

  test('rejects a body without messages, because nothing would be checked', async () => {
    const { fake, bedrock } = setUp({ guardInput: true })
    await expect(bedrock.invoke({ model: 'amazon.titan-text', body: { inputText: 'granite' } })).rejects.toMatchObject({
      code: 'configuration',
    })
    expect(fake.calls).toHaveLength(0)
  })
})

describe('ApplyGuardrail is retried', () => {
  const retry = { attempts: 3, baseDelay: 0 }
  const once = { identifier: 'gr1', version: 1, source: 'INPUT', content: 'Chalk.' } as const

  test('with the retries of the client', async () => {
    const { fake, bedrock } = setUp(undefined, harmless, {}, { retry })
    fake.fail('throttling', { times: 2 })
    expect((await applyGuardrail(bedrock, once)).action).toBe('NONE')
    expect(fake.calls).toHaveLength(3)
    fake.fail('throttling', { times: 3 })
    await expect(applyGuardrail(bedrock, once)).rejects.toMatchObject({ code: 'service', type: 'ThrottlingException' })
    expect(fake.calls).toHaveLength(6)
  })

  test('with its own retries', async () => {
    const { fake, bedrock } = setUp(undefined, harmless, {}, { retry: false })
    fake.fail('throttling')
    await expect(applyGuardrail(bedrock, once)).rejects.toMatchObject({ type: 'ThrottlingException' })
    fake.fail('throttling')
    expect((await applyGuardrail(bedrock, { ...once, retry })).action).toBe('NONE')
    const other = setUp(undefined, harmless, {}, { retry })
    other.fake.fail('throttling')
    await expect(applyGuardrail(other.bedrock, { ...once, retry: false })).rejects.toMatchObject({ status: 429 })
  })

  test('with the retries of the client or the call, for guardInput', async () => {
    const { fake, bedrock } = setUp({ guardInput: true }, harmless, {}, { retry })
    fake.fail('throttling', { times: 2 })
    await bedrock.messages.create(params)
    expect(fake.calls.map(({ status }) => status)).toEqual([429, 429, 200, 200])
    fake.fail('throttling')
    await expect(bedrock.messages.create(params, { retry: false })).rejects.toMatchObject({ status: 429 })
  })
})

test('an ApplyGuardrail answer without an action lets nothing pass', async () => {
  const { bedrock } = setUp({ guardInput: true }, harmless, {}, { fetch: async () => Response.json({ outputs: [] }) })
  await expect(bedrock.messages.create(params)).rejects.toMatchObject({ code: 'service', status: 200 })
})

test('a stream delivers events before an intervention', async () => {
  const { bedrock } = setUp({ onIntervention: 'throw' }, harmful, { place: 'end' })
  const events: string[] = []
  const stream = bedrock.messages.stream(params)
  await expect(async () => {
    for await (const event of stream) events.push(event.type)
  }).rejects.toMatchObject({ code: 'guardrail_intervened' })
  expect(events).toEqual([
    'message_start',
    'content_block_start',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ])
  expect(stream.snapshot?.content[0]).toMatchObject({ text: 'Blocked by the guardrail.' })
})

test('tags and stream mode are set in the body', async () => {
  const { fake, bedrock } = setUp({ tagSuffix: 'xyz', streamProcessingMode: 'ASYNCHRONOUS' })
  await bedrock.messages.create(params)
  expect(fake.calls.at(-1)?.body['amazon-bedrock-guardrailConfig']).toEqual({
    tagSuffix: 'xyz',
    streamProcessingMode: 'ASYNCHRONOUS',
  })
})

test('accepts an ARN and DRAFT', async () => {
  const { fake, bedrock } = setUp({ identifier: arn, version: 'DRAFT' }, harmful)
  expect((await bedrock.messages.create(params)).metadata.guardrail?.action).toBe('INTERVENED')
  expect(fake.calls[0]?.headers['x-amzn-bedrock-guardrailidentifier']).toBe(arn)
})

test('countTokens sends no guardrail', async () => {
  const { fake, bedrock } = setUp({})
  await bedrock.messages.countTokens({ model: 'sonnet', messages: params.messages })
  expect(fake.calls[0]?.headers).not.toHaveProperty('x-amzn-bedrock-guardrailidentifier')
})

test.each<[string, object]>([
  ['no version', { identifier: 'gr1' }],
  ['no identifier', { version: 1 }],
  ['an invalid version', { identifier: 'gr1', version: '0' }],
  ['a version that is too long', { identifier: 'gr1', version: 123_456_789 }],
  ['latest', { identifier: 'gr1', version: 'LATEST' }],
  ['an invalid ID', { identifier: 'My guardrail', version: 1 }],
  ["another service's ARN", { identifier: 'arn:aws:s3:::bucket', version: 1 }],
  ['an invalid trace', { identifier: 'gr1', version: 1, trace: 'on' }],
  ['a tag with a hyphen', { identifier: 'gr1', version: 1, tagSuffix: 'a-b' }],
])('rejects %s at once', (_, options) => {
  expect(() => guardrails(options as GuardrailOptions)).toThrow(expect.objectContaining({ code: 'configuration' }))
})

const named = { identifier: 'gr1', version: 1 }

test.each<[string, RegExp, object]>([
  ['an empty identifier', /the identifier is missing/, { identifier: '', version: 1 }],
  ['an empty version', /the version is missing/, { identifier: 'gr1', version: '' }],
  ['a missing version', /the version is missing/, { identifier: 'gr1', version: undefined }],
  ['a list as the identifier', /Not a guardrail ID/, { identifier: ['gr1'], version: 1 }],
  ['an endless identifier', /^Not a guardrail ID or ARN: "a{100}"$/, { identifier: 'a'.repeat(2049), version: 1 }],
  ['a version with a letter', /Not a guardrail version: "1x"/, { identifier: 'gr1', version: '1x' }],
  ['an invalid onIntervention', /must be 'return', 'throw'/, { ...named, onIntervention: 'block' }],
  ['an invalid stream mode', /'SYNCHRONOUS', 'ASYNCHRONOUS'/, { ...named, streamProcessingMode: 'sync' }],
])('rejects %s, and says what is wrong', (_, message, options) => {
  expect(() => guardrails(options as GuardrailOptions)).toThrow(message)
})

test.each<[string, object]>([
  ['a version of two digits', { identifier: 'gr1', version: 12 }],
  ['an ARN of GovCloud', { identifier: arn.replace('arn:aws:', 'arn:aws-us-gov:'), version: 1 }],
  ['a tag', { ...named, tagSuffix: 'tag1' }],
])('accepts %s', (_, options) => {
  expect(() => guardrails(options as GuardrailOptions)).not.toThrow()
})

test('a partial guardrail in headers is rejected before anything is sent', async () => {
  const { fake, bedrock } = setUp(undefined, harmless, {}, { headers: { 'X-Amzn-Bedrock-GuardrailIdentifier': 'gr1' } })
  await expect(bedrock.messages.create(params)).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('version'),
  })
  expect(fake.calls).toHaveLength(0)
})

test('the hint says to enable cross-Region inference for a guardrail that lacks it', async () => {
  const { fake, bedrock } = setUp({})
  fake.fail('unknown-guardrail', { message: 'The guardrail does not support cross-region inference.' })
  await expect(bedrock.messages.create(params)).rejects.toMatchObject({
    hint: expect.stringContaining('Enable cross-Region inference on the guardrail'),
  })
})

describe('applyGuardrail', () => {
  const { bedrock } = setUp(undefined)
  test.each(['INPUT', 'OUTPUT'] as const)('%s', async (source) => {
    const blocked = await applyGuardrail(bedrock, { identifier: 'gr1', version: 1, source, content: 'Some granite.' })
    expect(blocked).toMatchObject({
      action: 'INTERVENED',
      reason: 'Guardrail blocked.',
      outputs: ['Blocked by the guardrail.'],
    })
    expect(blocked.assessments).toHaveLength(1)
    const passed = await applyGuardrail(bedrock, {
      identifier: arn,
      version: 'DRAFT',
      source,
      content: [{ text: { text: 'Chalk.', qualifiers: ['query'] } }],
    })
    expect(passed).toMatchObject({ action: 'NONE', outputs: [] })
  })
  test('rejects an unknown guardrail', async () => {
    await expect(
      applyGuardrail(bedrock, { identifier: 'gr9', version: 1, source: 'INPUT', content: 'x' }),
    ).rejects.toMatchObject({ code: 'service', status: 404 })
    await expect(
      applyGuardrail(bedrock, { identifier: 'gr1', version: 0, source: 'INPUT', content: 'x' }),
    ).rejects.toMatchObject({ code: 'configuration' })
  })
})
