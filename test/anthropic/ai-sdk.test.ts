import { createAnthropic } from '@ai-sdk/anthropic'
import {
  APICallError,
  DefaultChatTransport,
  generateText,
  Output,
  readUIMessageStream,
  stepCountIs,
  streamText,
  tool,
} from 'ai'
import { anthropicOptions } from 'outcrop/anthropic'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { connect } from './support.ts'

const sdk = (...args: Parameters<typeof connect>) => {
  const connected = connect(...args)
  const anthropic = createAnthropic({ apiKey: 'sk-ant-unused', fetch: connected.fetch })
  return { ...connected, anthropic, model: anthropic('claude-sonnet-4-6') }
}
const prompt = 'Hi'
const settings = { prompt, maxRetries: 0, maxOutputTokens: 1000 }
const weather = tool({
  description: 'The weather of a city',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
})
const askedForWeather = {
  reply: (call: { body: object }) =>
    JSON.stringify(call.body).includes('tool_result')
      ? 'It is sunny.'
      : { content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Bern' } }] },
}

describe('ai with @ai-sdk/anthropic', () => {
  test('generates text', async () => {
    const { model, fake } = sdk({ reply: 'Grüße aus 東京' })
    const { text, usage, finishReason, response } = await generateText({ model, ...settings })
    expect(text).toBe('Grüße aus 東京')
    expect(finishReason).toBe('stop')
    expect(usage.inputTokens).toBeGreaterThan(0)
    expect(response.headers?.['request-id']).toMatch(/^0{8}-/)
    expect(fake.calls[0]).toMatchObject({ model: 'us.anthropic.claude-sonnet-4-6', signature: { valid: true } })
    expect(JSON.stringify(fake.calls)).not.toContain('sk-ant-unused')
  })

  test('streams text', async () => {
    const { model } = sdk({ reply: 'Grüße aus 東京, in more than one piece' })
    const result = streamText({ model, ...settings })
    const texts: string[] = []
    for await (const text of result.textStream) texts.push(text)
    expect(texts.join('')).toBe('Grüße aus 東京, in more than one piece')
    expect(texts.length).toBeGreaterThan(1)
    expect(await result.finishReason).toBe('stop')
    expect((await result.usage).outputTokens).toBeGreaterThan(0)
  })

  test("streams no event that the provider's schema rejects", async () => {
    const { model, fake } = sdk()
    fake.fail('stream-unknown-event')
    const types: string[] = []
    for await (const { type } of streamText({ model, ...settings }).fullStream) types.push(type)
    expect(types).not.toContain('error')
    expect(types.at(-1)).toBe('finish')
  })

  test('streams reasoning', async () => {
    const content = [
      { type: 'thinking', thinking: 'Let me see.', signature: 'c2ln' },
      { type: 'text', text: 'So.' },
    ]
    const { model } = sdk({ reply: { content } })
    for (const result of [generateText({ model, ...settings }), streamText({ model, ...settings })]) {
      const done = await result
      expect(await done.reasoningText).toBe('Let me see.')
      expect(await done.text).toBe('So.')
    }
  })

  test('runs tools in steps', async () => {
    const { model } = sdk(askedForWeather)
    const options = { model, ...settings, tools: { weather }, stopWhen: stepCountIs(3) }
    const whole = await generateText(options)
    expect(whole.text).toBe('It is sunny.')
    expect(whole.steps[0]?.toolResults[0]?.output).toBe('sunny in Bern')
    const streamed = streamText(options)
    expect(await streamed.text).toBe('It is sunny.')
    expect((await streamed.steps)[0]?.toolResults[0]?.output).toBe('sunny in Bern')
  })

  test('generates structured output', async () => {
    const schema = z.object({ city: z.string(), degrees: z.number() })
    const { model, fake } = sdk({
      reply: (call) =>
        Array.isArray(call.body.tools)
          ? { content: [{ type: 'tool_use', id: 'toolu_1', name: 'json', input: { city: 'Bern', degrees: 21 } }] }
          : '{"city":"Bern","degrees":21}',
    })
    const { output } = await generateText({ model, ...settings, output: Output.object({ schema }) })
    expect(output).toEqual({ city: 'Bern', degrees: 21 })
    const streamed = streamText({ model, ...settings, output: Output.object({ schema }) })
    expect(await streamed.output).toEqual({ city: 'Bern', degrees: 21 })
    expect(fake.calls.every(({ status }) => status === 200)).toBe(true)
  })

  test('generates structured output through a tool, for models without output formats', async () => {
    const { anthropic, fake } = sdk({
      reply: { content: [{ type: 'tool_use', id: 'toolu_1', name: 'json', input: { city: 'Bern' } }] },
    })
    const { output } = await generateText({
      ...settings,
      model: anthropic('claude-opus-5'),
      output: Output.object({ schema: z.object({ city: z.string() }) }),
      providerOptions: { anthropic: { structuredOutputMode: 'jsonTool' } },
    })
    expect(output).toEqual({ city: 'Bern' })
    expect(fake.calls[0]?.body).not.toHaveProperty('output_config')
  })

  test('cancels the call at Bedrock on abort', async () => {
    const { model, fake } = sdk({ reply: 'word '.repeat(500) })
    fake.fail('stall')
    const controller = new AbortController()
    const call = generateText({ model, ...settings, abortSignal: controller.signal })
    await expect.poll(() => fake.calls.length).toBe(1)
    controller.abort()
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    expect(fake.calls[0]?.aborted).toBe(true)

    const other = new AbortController()
    const types: string[] = []
    for await (const { type } of streamText({ model, ...settings, abortSignal: other.signal }).fullStream) {
      types.push(type)
      if (type === 'text-delta') other.abort()
    }
    expect(types.at(-1)).toBe('abort')
    await expect.poll(() => fake.calls[1]?.aborted).toBe(true)
  })

  test('maps errors, and whether they can be retried', async () => {
    const { model, fake } = sdk()
    for (const [fault, statusCode, isRetryable] of [
      ['throttling', 429, true],
      ['unavailable', 529, true],
      ['input-too-long', 400, false],
    ] as const) {
      fake.fail(fault)
      const error = await generateText({ model, ...settings }).catch((reason: unknown) => reason)
      expect(APICallError.isInstance(error)).toBe(true)
      expect(error).toMatchObject({ statusCode, isRetryable })
    }
    fake.fail('throttling', { headers: { 'retry-after-ms': '1' } })
    expect((await generateText({ model, ...settings, maxRetries: 1 })).text).not.toBe('')
  })

  test('reports a fault in the stream as an error part', async () => {
    const { model, fake } = sdk()
    for (const fault of ['stream-truncated', 'stream-throttling', 'stream-corrupt'] as const) {
      fake.fail(fault, { after: 4 })
      const parts: { type: string; error?: unknown }[] = []
      const { fullStream } = streamText({ model, ...settings, onError: () => {} })
      for await (const part of fullStream) parts.push(part)
      expect(parts.some(({ type }) => type === 'error')).toBe(true)
    }
  })

  test('serves useChat through its own response', async () => {
    const { model } = sdk(askedForWeather)
    // The route of the server, and what useChat has on the other side of it.
    const route = async (): Promise<Response> =>
      streamText({ model, ...settings, tools: { weather }, stopWhen: stepCountIs(3) }).toUIMessageStreamResponse()
    const transport = new DefaultChatTransport({ api: 'https://app.example/api/chat', fetch: route })
    const stream = await transport.sendMessages({
      trigger: 'submit-message',
      chatId: '1',
      messageId: undefined,
      messages: [{ id: '1', role: 'user', parts: [{ type: 'text', text: prompt }] }],
      abortSignal: undefined,
    })
    let last: { parts: { type: string; text?: string }[] } | undefined
    for await (const message of readUIMessageStream({ stream })) last = message
    expect(last?.parts.find(({ type }) => type === 'text')).toMatchObject({ text: 'It is sunny.' })
  })

  test('takes anthropicOptions', async () => {
    const { bedrock } = connect({ reply: 'Hello' })
    const { text } = await generateText({ model: createAnthropic(anthropicOptions(bedrock))('sonnet'), ...settings })
    expect(text).toBe('Hello')
  })
})
