import { type BedrockClient, type BedrockClientOptions, type CallOptions, createBedrockClient } from 'outcrop'
import { type GuardrailOptions, guardrails } from 'outcrop/guardrails'
import { settingsFromEnvironment, toClientOptions } from 'outcrop/settings'
import { createFakeBedrock, type FakeBedrock } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'

// However a guardrail is set, the options of a call mean the same.

const identity = { 'X-Amzn-Bedrock-GuardrailIdentifier': 'gr1', 'X-Amzn-Bedrock-GuardrailVersion': '1' }
const customHeaders = Object.entries(identity).map((header) => header.join(': '))

interface Way {
  readonly name: string
  readonly client: BedrockClientOptions
  readonly call?: CallOptions
}
const ways: readonly Way[] = [
  { name: 'guardrails(…)', client: { middleware: [guardrails({ identifier: 'gr1', version: 1 })] } },
  { name: 'headers of the client', client: { headers: identity } },
  { name: 'headers of the call', client: {}, call: { headers: identity } },
  {
    name: "Claude Code's settings",
    client: toClientOptions(
      settingsFromEnvironment({
        CLAUDE_CODE_USE_BEDROCK: '1',
        AWS_REGION: 'us-east-1',
        ANTHROPIC_CUSTOM_HEADERS: customHeaders.join('\n'),
      }),
    ),
  },
  {
    name: 'guardrails(…) beside headers',
    client: { headers: identity, middleware: [guardrails({ identifier: 'gr1', version: 1 })] },
  },
]

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'What is it made of?' }],
}

function setUp(options: BedrockClientOptions, reply = 'Mostly of limestone.') {
  const guardrail = { versions: ['1', '2', 'DRAFT'], blockedWords: ['granite'] }
  const fake = createFakeBedrock({
    reply,
    guardrails: [
      { identifier: 'gr1', ...guardrail },
      { identifier: 'gr2', ...guardrail },
    ],
  })
  const bedrock = createBedrockClient({
    region: fake.region,
    retry: false,
    ...options,
    credentials: fake.identity,
    fetch: fake.fetch,
  })
  return { fake, bedrock }
}

const calls = {
  create: (bedrock: BedrockClient, options: CallOptions) => bedrock.messages.create(params, options),
  stream: (bedrock: BedrockClient, options: CallOptions) => bedrock.messages.stream(params, options).finalMessage(),
}

/** Returns the guardrail's headers and fields in a request. */
function sent({ calls }: FakeBedrock): object {
  const { headers, body } = calls.at(-1) as (typeof calls)[number]
  return {
    identifier: headers['x-amzn-bedrock-guardrailidentifier'],
    version: headers['x-amzn-bedrock-guardrailversion'],
    trace: headers['x-amzn-bedrock-trace'],
    config: body['amazon-bedrock-guardrailConfig'],
  }
}
const none = { identifier: undefined, version: undefined, trace: undefined, config: undefined }
const gr1 = { ...none, identifier: 'gr1', version: '1' }

describe.each(ways)('set by $name', ({ client, call }) => {
  describe.each(Object.entries(calls))('%s', (_, run) => {
    test.each<[string, CallOptions['guardrail'], object]>([
      ['nothing', undefined, gr1],
      ['no change', {}, gr1],
      ['another version', { version: 'DRAFT' }, { ...gr1, version: 'DRAFT' }],
      ['another guardrail', { identifier: 'gr2', version: 2 }, { ...gr1, identifier: 'gr2', version: '2' }],
      ['the same again', { identifier: 'gr1' }, gr1],
      ['a trace', { trace: 'enabled' }, { ...gr1, trace: 'ENABLED' }],
      ['tags', { tagSuffix: 'xyz' }, { ...gr1, config: { tagSuffix: 'xyz' } }],
      [
        'a mode',
        { streamProcessingMode: 'ASYNCHRONOUS' },
        { ...gr1, config: { streamProcessingMode: 'ASYNCHRONOUS' } },
      ],
      ['undefined values', { identifier: undefined, trace: undefined } as object, gr1],
    ])('a call with %s', async (_, guardrail, expected) => {
      const { fake, bedrock } = setUp(client)
      const { metadata } = await run(bedrock, { ...call, guardrail })
      expect(sent(fake)).toEqual(expected)
      expect(metadata.guardrail?.action).toBe('NONE')
      expect(metadata.guardrail?.trace !== undefined).toBe(guardrail !== false && guardrail?.trace !== undefined)
      expect(fake.calls[0]?.signature.valid).toBe(true)
    })

    test('false turns it off', async () => {
      const { fake, bedrock } = setUp(client, 'Mostly of granite.')
      const { metadata } = await run(bedrock, { ...call, guardrail: false })
      expect(sent(fake)).toEqual(none)
      expect(metadata.guardrail).toBeUndefined()
    })

    test("onIntervention: 'throw' throws", async () => {
      const { bedrock } = setUp(client, 'Mostly of granite.')
      expect((await run(bedrock, { ...call })).metadata.guardrail?.action).toBe('INTERVENED')
      await expect(run(bedrock, { ...call, guardrail: { onIntervention: 'throw' } })).rejects.toMatchObject({
        code: 'guardrail_intervened',
        response: { type: 'message' },
      })
    })

    test('onIntervention calls a function once', async () => {
      const { bedrock } = setUp(client, 'Mostly of granite.')
      const told: string[] = []
      const onIntervention: GuardrailOptions['onIntervention'] = ({ action }) => void told.push(action)
      await run(bedrock, { ...call, guardrail: { onIntervention } })
      expect(told).toEqual(['INTERVENED'])
    })

    test('guardInput checks the input first', async () => {
      const { fake, bedrock } = setUp(client)
      await run(bedrock, { ...call, guardrail: { guardInput: true } })
      expect(fake.calls.map(({ operation }) => operation)).toEqual(['ApplyGuardrail', expect.stringMatching(/^Invoke/)])
      expect(fake.calls[0]?.path).toBe('/guardrail/gr1/version/1/apply')
    })

    test('requireOutcome requires an outcome', async () => {
      const { fake, bedrock } = setUp(client)
      const deaf = bedrock.withOptions({
        credentials: 'none',
        fetch: async (input, init) => {
          const headers = new Headers(init?.headers)
          for (const name of Object.keys(identity)) headers.delete(name)
          headers.set('authorization', 'Bearer api-key-example')
          return fake.fetch(input, { ...init, headers })
        },
      })
      fake.identities.push({ token: 'api-key-example' })
      await expect(run(deaf, { ...call, guardrail: { requireOutcome: true } })).rejects.toMatchObject({
        message: expect.stringContaining('does not mention the guardrail'),
      })
    })

    test.each<[string, unknown]>([
      ['another guardrail without its version', { identifier: 'gr2' }],
      ['an invalid trace', { trace: 'on' }],
      ['an invalid version', { version: 'latest' }],
      ['true', true],
      ['null', null],
      ['a name', 'gr1'],
    ])('rejects %s before anything is sent', async (_, guardrail) => {
      const { fake, bedrock } = setUp(client)
      await expect(run(bedrock, { ...call, guardrail: guardrail as never })).rejects.toMatchObject({
        code: 'configuration',
      })
      expect(fake.calls).toHaveLength(0)
    })
  })

  test('countTokens sends no guardrail', async () => {
    const { fake, bedrock } = setUp(client)
    await bedrock.messages.countTokens({ model: params.model, messages: params.messages }, call)
    expect(sent(fake)).toEqual(none)
  })
})

test('guardrails(…) overrides headers', async () => {
  const { fake, bedrock } = setUp({ headers: identity, middleware: [guardrails({ identifier: 'gr2', version: 2 })] })
  await bedrock.messages.create(params)
  expect(sent(fake)).toEqual({ ...gr1, identifier: 'gr2', version: '2' })
})

test('an option completes partial headers', async () => {
  const { fake, bedrock } = setUp({ headers: { 'X-Amzn-Bedrock-GuardrailIdentifier': 'gr1' } })
  await bedrock.messages.create(params, { guardrail: { version: 2 } })
  expect(sent(fake)).toEqual({ ...gr1, version: '2' })
})

test('options without a guardrail are rejected, and false without one has no effect', async () => {
  const { fake, bedrock } = setUp({})
  await expect(bedrock.messages.create(params, { guardrail: { trace: 'enabled' } })).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('but no guardrail'),
  })
  expect(fake.calls).toHaveLength(0)
  await bedrock.messages.create(params, { guardrail: false })
  expect(sent(fake)).toEqual(none)
})

test("the body's guardrail config is kept beside the options", async () => {
  const { fake, bedrock } = setUp({ headers: identity })
  const config = { tagSuffix: 'mine', streamProcessingMode: 'SYNCHRONOUS', new_field: 1 }
  const body = { ...params, 'amazon-bedrock-guardrailConfig': config } as typeof params
  await bedrock.messages.create(body, { guardrail: { streamProcessingMode: 'ASYNCHRONOUS' } })
  expect(sent(fake)).toEqual({ ...gr1, config: { ...config, streamProcessingMode: 'ASYNCHRONOUS' } })
  await bedrock.messages.create(body, { guardrail: false })
  expect(sent(fake)).toEqual(none)
})
