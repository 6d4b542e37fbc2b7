import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { onlySpan, openClient, openSdk, params, rejectionOf } from './support.ts'

let sdk: ReturnType<typeof openSdk>
beforeEach(() => {
  sdk = openSdk()
})
afterEach(() => sdk.close())

const conversation = {
  ...params,
  system: 'Answer as a geologist.',
  tools: [{ name: 'weather', description: 'Tells the weather', input_schema: { type: 'object' as const } }],
  messages: [
    { role: 'user' as const, content: 'What is an outcrop?' },
    {
      role: 'assistant' as const,
      content: [
        { type: 'thinking' as const, thinking: 'Hm.', signature: 's' },
        { type: 'tool_use' as const, id: 't1', name: 'weather', input: { city: 'Rome' } },
      ],
    },
    {
      role: 'user' as const,
      content: [
        { type: 'tool_result' as const, tool_use_id: 't1', content: 'Sunny' },
        {
          type: 'image' as const,
          source: { type: 'base64' as const, media_type: 'image/png' as const, data: 'iVBORw0KGgo=' },
        },
      ],
    },
  ],
}
const reply = { content: [{ type: 'text', text: 'Bedrock at the surface.' }] } as never

/** The content of the only span, parsed. */
function content(): Record<string, unknown> {
  const names = [
    'gen_ai.input.messages',
    'gen_ai.output.messages',
    'gen_ai.system_instructions',
    'gen_ai.tool.definitions',
  ]
  const { attributes } = onlySpan(sdk)
  return Object.fromEntries(
    names.filter((name) => name in attributes).map((name) => [name, JSON.parse(attributes[name] as string)]),
  )
}

const whole = {
  'gen_ai.input.messages': [
    { role: 'user', parts: [{ type: 'text', content: 'What is an outcrop?' }] },
    {
      role: 'assistant',
      parts: [
        { type: 'reasoning', content: 'Hm.' },
        { type: 'tool_call', id: 't1', name: 'weather', arguments: { city: 'Rome' } },
      ],
    },
    {
      role: 'user',
      parts: [
        { type: 'tool_call_response', id: 't1', response: [{ type: 'text', content: 'Sunny' }] },
        { type: 'image' },
      ],
    },
  ],
  'gen_ai.output.messages': [{ role: 'assistant', parts: [{ type: 'text', content: 'Bedrock at the surface.' }] }],
  'gen_ai.system_instructions': [{ type: 'text', content: 'Answer as a geologist.' }],
  'gen_ai.tool.definitions': [{ type: 'function', name: 'weather' }],
}

describe('content', () => {
  test('is not recorded by default', async () => {
    const { bedrock } = openClient(sdk, { bedrock: { reply } })
    await bedrock.messages.create(conversation)
    const { attributes, status, events } = onlySpan(sdk)
    expect(content()).toEqual({})
    const told = JSON.stringify([attributes, status, events])
    for (const said of ['outcrop?', 'geologist', 'Sunny', 'Rome', 'surface']) expect(told).not.toContain(said)
  })

  test('is recorded in the form of the conventions', async () => {
    const { bedrock } = openClient(sdk, { bedrock: { reply }, options: { content: true } })
    await bedrock.messages.create(conversation)
    expect(content()).toEqual(whole)
    expect(onlySpan(sdk).attributes).not.toHaveProperty(['outcrop.content.truncated'])
  })

  test('is recorded of streams, up to where they were read', async () => {
    const { fake, bedrock } = openClient(sdk, { bedrock: { reply }, options: { content: true } })
    await bedrock.messages.stream(conversation).finalMessage()
    expect(content()).toEqual(whole)
    await sdk.close()
    sdk = openSdk()
    const again = openClient(sdk, { bedrock: { reply }, options: { content: true } })
    again.fake.fail('stream-truncated', { after: 5 })
    await rejectionOf(again.bedrock.messages.stream(conversation).finalMessage())
    expect(content()['gen_ai.output.messages']).toEqual([
      { role: 'assistant', parts: [{ type: 'text', content: expect.stringMatching(/^Bed/) }] },
    ])
    expect(fake.calls).toHaveLength(1)
  })

  test('includes the finish reason in the edition 1.41', async () => {
    const { bedrock } = openClient(sdk, { bedrock: { reply }, options: { content: true, conventions: '1.41' } })
    await bedrock.messages.create(conversation)
    expect(content()['gen_ai.output.messages']).toMatchObject([{ finish_reason: 'end_turn' }])
  })

  test.each([
    ['true', true],
    ['SPAN_ONLY', true],
    ['span_and_event', true],
    ['EVENT_ONLY', false],
    ['NO_CONTENT', false],
    ['false', false],
  ])(
    "follows OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT of the client's env: %s",
    async (value, isRecorded) => {
      const env = { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: value }
      const { bedrock } = openClient(sdk, { client: { env } })
      await bedrock.messages.create(conversation)
      expect('gen_ai.input.messages' in content()).toBe(isRecorded)
    },
  )

  test('follows an explicit option rather than the variable', async () => {
    const env = { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' }
    const { bedrock } = openClient(sdk, { options: { content: false }, client: { env } })
    await bedrock.messages.create(conversation)
    expect(content()).toEqual({})
  })

  test('is limited: the last messages stay, and the first of them is cut', async () => {
    const messages = Array.from({ length: 20 }, (_, i) => ({
      role: i % 2 ? ('assistant' as const) : ('user' as const),
      content: `${i} ${'"quoted" é🪨\n'.repeat(20)}`,
    }))
    for (const maxBytes of [1, 40, 60, 100, 400, 1000, 3000]) {
      await sdk.close()
      sdk = openSdk()
      const { bedrock } = openClient(sdk, { options: { content: { maxBytes } } })
      await bedrock.messages.create({ ...params, messages: [...messages, { role: 'user', content: 'Last' }] })
      const { attributes } = onlySpan(sdk)
      const text = attributes['gen_ai.input.messages'] as string
      expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(Math.max(maxBytes, 2))
      expect(attributes['outcrop.content.truncated']).toBe(true)
      const kept = JSON.parse(text) as { role: string; parts: { content: string }[] }[]
      if (maxBytes >= 100) expect(kept.at(-1)).toEqual({ role: 'user', parts: [{ type: 'text', content: 'Last' }] })
      expect(text).not.toContain('\ufffd')
      if (maxBytes === 400) expect(kept[0]?.parts[0]?.content).toMatch(/^19 ("quoted" é🪨\n)+.*…$/u)
    }
  })

  test('leaves out what is no message, block or tool', async () => {
    const { bedrock } = openClient(sdk, { options: { content: true } })
    const block = { type: 'text', text: 'Hi' }
    const body = {
      messages: [null, 'Hi', { role: 'user', content: [null, 7, block] }, { role: 'user', content: null }],
      system: [null, block],
      tools: [null, { name: 'weather' }, { type: 'bash_20250124' }, ['x']],
    }
    await rejectionOf(bedrock.invoke({ model: params.model, body: body as never }))
    const parts = [{ type: 'text', content: 'Hi' }]
    expect(content()).toEqual({
      'gen_ai.input.messages': [
        { role: 'user', parts },
        { role: 'user', parts: [] },
      ],
      'gen_ai.system_instructions': parts,
      'gen_ai.tool.definitions': [
        { type: 'function', name: 'weather' },
        { type: 'function', name: 'bash_20250124' },
      ],
    })
  })

  test('of other bodies than Messages is none', async () => {
    const { bedrock } = openClient(sdk, { options: { content: true } })
    await rejectionOf(bedrock.invoke({ model: params.model, body: { messages: 'Hi', system: 'Be kind.' } }))
    expect(content()).toEqual({})
  })

  test('takes at most maxBytes, and all of them if it needs them', async () => {
    const text = async (maxBytes: number): Promise<[string, unknown]> => {
      await sdk.close()
      sdk = openSdk()
      const { bedrock } = openClient(sdk, { options: { content: { maxBytes } } })
      await bedrock.messages.create(conversation)
      const { attributes } = onlySpan(sdk)
      return [attributes['gen_ai.input.messages'] as string, attributes['outcrop.content.truncated']]
    }
    const [all, truncated] = await text(10_000)
    expect(truncated).toBeUndefined()
    expect(await text(all.length)).toEqual([all, undefined])
    for (let maxBytes = all.length - 1; maxBytes > 0; maxBytes -= maxBytes > all.length - 12 ? 1 : 17) {
      const [cut, isTruncated] = await text(maxBytes)
      expect(cut.length).toBeLessThanOrEqual(Math.max(maxBytes, 2))
      expect(isTruncated).toBe(true)
      expect(Array.isArray(JSON.parse(cut))).toBe(true)
    }
  })

  test('contains no text in the shape of a secret, also where it is cut', async () => {
    const { bedrock } = openClient(sdk, { options: { content: { maxBytes: 200 } } })
    const secret = 'aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3a'
    const text = `aws_secret_access_key = "${secret}" ${'and so on '.repeat(50)}`
    await bedrock.messages.create({ ...params, system: text, messages: [{ role: 'user', content: text }] })
    const told = JSON.stringify(onlySpan(sdk).attributes)
    expect(told).toContain('and so on')
    expect(told).not.toContain(secret.slice(0, 10))
    expect(content()).toHaveProperty(['gen_ai.input.messages', '0', 'parts', '0', 'content'])
  })

  test('is that of the start of the call', async () => {
    const { bedrock } = openClient(sdk, { options: { content: true } })
    const messages = [{ role: 'user' as const, content: 'First' }]
    const stream = await bedrock.messages.stream({ ...params, messages }).started()
    messages.push({ role: 'user', content: 'Second' })
    await stream.finalMessage()
    expect(content()['gen_ai.input.messages']).toHaveLength(1)
  })
})
