import { ChatAnthropic } from '@langchain/anthropic'
import { type AIMessageChunk, HumanMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { anthropicOptions } from 'outcrop/anthropic'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { connect } from './support.ts'

const sdk = (...args: Parameters<typeof connect>) => {
  const connected = connect(...args)
  const model = new ChatAnthropic({
    model: 'claude-sonnet-4-6',
    apiKey: 'sk-ant-unused',
    maxRetries: 0,
    clientOptions: { fetch: connected.fetch },
  })
  return { ...connected, model }
}
const weather = tool(async ({ city }) => `sunny in ${city}`, {
  name: 'weather',
  description: 'The weather of a city',
  schema: z.object({ city: z.string() }),
})

describe('@langchain/anthropic', () => {
  test('invokes', async () => {
    const { model, fake } = sdk({ reply: 'Grüße aus 東京' })
    const message = await model.invoke([new HumanMessage('Hi')])
    expect(message.text).toBe('Grüße aus 東京')
    expect(message).toMatchObject({ usage_metadata: { input_tokens: expect.any(Number) } })
    expect(fake.calls[0]).toMatchObject({ model: 'us.anthropic.claude-sonnet-4-6', signature: { valid: true } })
    expect(JSON.stringify(fake.calls)).not.toContain('sk-ant-unused')
  })

  test('streams, with usage', async () => {
    const { model } = sdk({ reply: 'Grüße aus 東京, in more than one piece' })
    const texts: string[] = []
    let whole: AIMessageChunk | undefined
    for await (const chunk of await model.stream('Hi')) {
      if (chunk.text) texts.push(chunk.text)
      whole = whole ? whole.concat(chunk) : chunk
    }
    expect(texts.join('')).toBe('Grüße aus 東京, in more than one piece')
    expect(texts.length).toBeGreaterThan(1)
    const usage_metadata = { input_tokens: expect.any(Number), output_tokens: expect.any(Number) }
    expect(whole).toMatchObject({ usage_metadata })
  })

  test('calls tools, complete and streamed', async () => {
    const { model } = sdk({
      reply: { content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Bern' } }] },
    })
    const bound = model.bindTools([weather])
    const { tool_calls: [call] = [] } = await bound.invoke('The weather in Bern?')
    expect(call).toMatchObject({ name: 'weather', args: { city: 'Bern' } })
    expect(await weather.invoke({ city: String(call?.args.city) })).toBe('sunny in Bern')
    let whole: Awaited<ReturnType<typeof bound.invoke>> | undefined
    for await (const chunk of await bound.stream('The weather in Bern?')) whole = whole ? whole.concat(chunk) : chunk
    expect(whole?.tool_calls?.[0]).toMatchObject({ name: 'weather', args: { city: 'Bern' } })
  })

  test('generates structured output', async () => {
    const { model, fake } = sdk({
      reply: (call) => {
        const [first] = Array.isArray(call.body.tools) ? call.body.tools : []
        const name = String((first as { name?: string } | undefined)?.name)
        const input = { city: 'Bern', degrees: 21 }
        return first ? { content: [{ type: 'tool_use', id: 'toolu_1', name, input }] } : JSON.stringify(input)
      },
    })
    const schema = z.object({ city: z.string(), degrees: z.number() })
    // The second is for models that take no output format.
    for (const config of [{}, { method: 'functionCalling' as const }]) {
      const answer = await model.withStructuredOutput(schema, config).invoke('The weather in Bern?')
      expect(answer).toEqual({ city: 'Bern', degrees: 21 })
    }
    expect(fake.calls.at(-1)?.body).not.toHaveProperty('output_config')
  })

  test('throws a fault in the stream', async () => {
    const { model, fake } = sdk()
    for (const fault of ['stream-truncated', 'stream-throttling', 'stream-reset'] as const) {
      fake.fail(fault, { after: 4 })
      await expect(async () => {
        for await (const _ of await model.stream('Hi'));
      }).rejects.toThrow()
    }
  })

  test('cancels the call at Bedrock on abort', async () => {
    const { model, fake } = sdk()
    fake.fail('stall')
    const controller = new AbortController()
    const call = model.invoke('Hi', { signal: controller.signal })
    await expect.poll(() => fake.calls.length).toBe(1)
    controller.abort()
    await expect(call).rejects.toThrow()
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
  })

  test('takes anthropicOptions', async () => {
    const { bedrock } = connect({ reply: 'Hello' })
    const { apiKey, ...clientOptions } = anthropicOptions(bedrock)
    const model = new ChatAnthropic({ model: 'claude-sonnet-4-6', apiKey, clientOptions })
    expect((await model.invoke('Hi')).text).toBe('Hello')
  })
})
