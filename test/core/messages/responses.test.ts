import type Anthropic from '@anthropic-ai/sdk'
import { MessageStream as AnthropicMessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import { type BedrockCoreClient, type CoreClientOptions, createBedrockClient, readMessageStream } from 'outcrop/core'
import { createFakeBedrock, type FakeBedrock } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

function setUp(options: CoreClientOptions = {}): { fake: FakeBedrock; bedrock: BedrockCoreClient } {
  const fake = createFakeBedrock({ reply: 'Grüße aus dem Fels' })
  const { region, identity, fetch } = fake
  return { fake, bedrock: createBedrockClient({ region, credentials: identity, fetch, retry: false, ...options }) }
}

describe.each(['ndjson', 'sse'] as const)('toResponse, %s', (format) => {
  test('is read by readMessageStream', async () => {
    const { bedrock } = setUp()
    const response = await bedrock.messages.stream(params).toResponse({ format, headers: { 'x-app': 'one' } })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(format === 'sse' ? 'text/event-stream' : 'application/x-ndjson')
    expect(response.headers.get('x-app')).toBe('one')
    const stream = readMessageStream(response)
    let text = ''
    for await (const piece of stream.textStream) text += piece
    expect(text).toBe('Grüße aus dem Fels')
    expect(await stream.finalMessage()).toMatchObject({ role: 'assistant', stop_reason: 'end_turn' })
  })

  test('answers an error before the first byte with its status, and JSON', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('throttling')
    const response = await bedrock.messages.stream(params).toResponse({ format })
    expect(response.status).toBe(429)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await response.clone().json()).toEqual({
      type: 'error',
      error: { type: 'rate_limit_error', message: expect.stringContaining('Too many requests') },
    })
    await expect(readMessageStream(response).finalMessage()).rejects.toMatchObject({
      code: 'service',
      status: 429,
      type: 'rate_limit_error',
    })
  })

  test('sends an error after the first byte as the last event', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('stream-throttling', { after: 3 })
    const response = await bedrock.messages.stream(params).toResponse({ format })
    expect(response.status).toBe(200)
    const lines = (await response.clone().text()).trimEnd().split('\n')
    expect(lines.at(-1)).toContain('"type":"error"')
    if (format === 'sse') expect(lines.at(-2)).toBe('event: error')
    await expect(readMessageStream(response).finalMessage()).rejects.toMatchObject({
      code: 'stream_exception',
      type: 'rate_limit_error',
    })
  })

  test('a cut response is not a whole message', async () => {
    const { bedrock } = setUp()
    const text = await (await bedrock.messages.stream(params).toResponse({ format })).text()
    const cut = new Response(text.slice(0, text.lastIndexOf('message_stop') - 20))
    await expect(readMessageStream(cut).finalMessage()).rejects.toMatchObject({ code: 'stream_truncated' })
  })

  test('ends the call when the reader cancels', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('stream-stall', { after: 3 })
    const response = await bedrock.messages.stream(params).toResponse({ format })
    const stream = readMessageStream(response)
    for await (const event of stream) if (event.type === 'content_block_start') break
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
  })
})

describe('a browser learns nothing about the account', () => {
  test.each([
    ['iam-denied', 500],
    ['expired-token', 500],
    ['model-access', 500],
    ['on-demand', 400],
    ['use-case-form', 404],
  ] as const)('with the fault %s', async (fault, status) => {
    const { fake, bedrock } = setUp()
    fake.fail(fault)
    const response = await bedrock.messages.stream(params).toResponse()
    expect(response.status).toBe(status)
    expect(await response.text()).not.toMatch(/\d{12}|arn:|assumed-role|credential|token/i)
  })

  test("answers the server's own fault with a 500 without details", async () => {
    const { bedrock } = setUp({ credentials: async () => Promise.reject(new Error('vault at 10.0.0.1 is sealed')) })
    const response = await bedrock.messages.stream(params).toResponse()
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('vault')
  })
})

test("Anthropic's own reader reads toReadableStream", async () => {
  const { bedrock } = setUp()
  const stream = AnthropicMessageStream.fromReadableStream(bedrock.messages.stream(params).toReadableStream())
  const message: Anthropic.Message = await stream.finalMessage()
  expect(message.content).toMatchObject([{ type: 'text', text: 'Grüße aus dem Fels' }])
})

test("readMessageStream reads Anthropic's own stream", async () => {
  const { bedrock } = setUp()
  const lines = await new Response(bedrock.messages.stream(params).toReadableStream()).text()
  const sse = lines
    .trimEnd()
    .split('\n')
    .map((json) => `event: ${JSON.parse(json).type}\r\ndata:${json}\r\n\r\n: a comment\r\n\r\n`)
    .join('')
  expect(await readMessageStream(new Response(sse)).finalText()).toBe('Grüße aus dem Fels')
})
