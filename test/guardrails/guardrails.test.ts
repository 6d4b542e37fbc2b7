import {
  type BedrockClient,
  type BedrockClientOptions,
  createBedrockClient,
  GuardrailError,
  type GuardrailOutcome,
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

      test('nothing found', async () => {
        const { bedrock } = setUp(options, harmless, { nesting })
        const { guardrail, text } = await run(bedrock, way)
        expect(guardrail?.action).toBe('NONE')
        expect(guardrail?.trace !== undefined).toBe(isTraced)
        expect(text).toBe(harmless)
      })

      test.each(places)('an intervention, told at the %s, is returned as sent', async (place) => {
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

      test.each(places)('an intervention, told at the %s, is thrown', async (place) => {
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

      test('an intervention is told to a function, once', async () => {
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
    ['the call’s own option', {}, { guardrail: { identifier: 'gr1', version: 1, trace: 'enabled' as const } }],
  ])('%s are the same as the typed form', async (_, clientOptions, callOptions) => {
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

  test('a call may take it off, or change it', async () => {
    const { fake, bedrock } = setUp({}, harmful)
    expect((await run(bedrock, way, { guardrail: false })).guardrail).toBeUndefined()
    expect(fake.calls.at(-1)?.headers).not.toHaveProperty('x-amzn-bedrock-guardrailidentifier')
    await run(bedrock, way, { guardrail: { version: 'DRAFT' } })
    expect(fake.calls.at(-1)?.headers['x-amzn-bedrock-guardrailversion']).toBe('DRAFT')
    await expect(run(bedrock, way, { guardrail: { onIntervention: 'throw' } })).rejects.toMatchObject({
      code: 'guardrail_intervened',
    })
  })

  test('an unknown guardrail, and a wrong version, are Bedrock’s to refuse, with a hint', async () => {
    for (const options of [{ identifier: 'gr2' }, { version: 7 }]) {
      const { bedrock } = setUp(options)
      await expect(run(bedrock, way)).rejects.toMatchObject({
        code: 'service',
        status: 400,
        hint: expect.stringContaining('guardrail'),
      })
    }
  })

  test('an answer that says nothing of the guardrail is refused where it has to', async () => {
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
      message: expect.stringContaining('nothing of the guardrail'),
    })
  })

  test('guardInput: where the last turn is blocked, the model is not called', async () => {
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

test('in a stream, what was streamed before the intervention has been delivered', async () => {
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

test('tags and stream mode go into the body', async () => {
  const { fake, bedrock } = setUp({ tagSuffix: 'xyz', streamProcessingMode: 'ASYNCHRONOUS' })
  await bedrock.messages.create(params)
  expect(fake.calls.at(-1)?.body['amazon-bedrock-guardrailConfig']).toEqual({
    tagSuffix: 'xyz',
    streamProcessingMode: 'ASYNCHRONOUS',
  })
})

test('an ARN, and DRAFT', async () => {
  const { fake, bedrock } = setUp({ identifier: arn, version: 'DRAFT' }, harmful)
  expect((await bedrock.messages.create(params)).metadata.guardrail?.action).toBe('INTERVENED')
  expect(fake.calls[0]?.headers['x-amzn-bedrock-guardrailidentifier']).toBe(arn)
})

test('countTokens goes without', async () => {
  const { fake, bedrock } = setUp({})
  await bedrock.messages.countTokens({ model: 'sonnet', messages: params.messages })
  expect(fake.calls[0]?.headers).not.toHaveProperty('x-amzn-bedrock-guardrailidentifier')
})

test.each<[string, object]>([
  ['no version', { identifier: 'gr1' }],
  ['no identifier', { version: 1 }],
  ['a version that is none', { identifier: 'gr1', version: '0' }],
  ['a version that is too long', { identifier: 'gr1', version: 123_456_789 }],
  ['latest', { identifier: 'gr1', version: 'LATEST' }],
  ['an ID that is none', { identifier: 'My guardrail', version: 1 }],
  ['another service’s ARN', { identifier: 'arn:aws:s3:::bucket', version: 1 }],
  ['a trace that is none', { identifier: 'gr1', version: 1, trace: 'on' }],
  ['a tag with a dash', { identifier: 'gr1', version: 1, tagSuffix: 'a-b' }],
])('refuses %s at once', (_, options) => {
  expect(() => guardrails(options as GuardrailOptions)).toThrow(expect.objectContaining({ code: 'configuration' }))
})

test('half a guardrail in the headers is refused before anything is sent', async () => {
  const { fake, bedrock } = setUp(undefined, harmless, {}, { headers: { 'X-Amzn-Bedrock-GuardrailIdentifier': 'gr1' } })
  await expect(bedrock.messages.create(params)).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('version'),
  })
  expect(fake.calls).toHaveLength(0)
})

test('a guardrail that does not cross regions with a profile that does: the hint says what to enable', async () => {
  const { fake, bedrock } = setUp({})
  fake.fail('unknown-guardrail', { message: 'The guardrail does not support cross-region inference.' })
  await expect(bedrock.messages.create(params)).rejects.toMatchObject({
    hint: expect.stringContaining('enable cross-Region inference on the guardrail'),
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
  test('an unknown one', async () => {
    await expect(
      applyGuardrail(bedrock, { identifier: 'gr9', version: 1, source: 'INPUT', content: 'x' }),
    ).rejects.toMatchObject({ code: 'service', status: 404 })
    await expect(
      applyGuardrail(bedrock, { identifier: 'gr1', version: 0, source: 'INPUT', content: 'x' }),
    ).rejects.toMatchObject({ code: 'configuration' })
  })
})
