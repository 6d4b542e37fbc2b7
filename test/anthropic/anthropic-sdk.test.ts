import Anthropic from '@anthropic-ai/sdk'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import Anthropic0 from 'anthropic-sdk-0'
import { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import { anthropicOptions } from 'outcrop/anthropic'
import type { FakeReply } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { connect, params } from './support.ts'

const sdks = [
  ['@anthropic-ai/sdk 1.x', Anthropic],
  ['@anthropic-ai/sdk 0.x', Anthropic0 as unknown as typeof Anthropic],
] as const

describe.each(sdks)('%s', (_, Sdk) => {
  const sdk = (...args: Parameters<typeof connect>) => {
    const connected = connect(...args)
    return { ...connected, anthropic: new Sdk({ apiKey: 'sk-ant-unused', fetch: connected.fetch, maxRetries: 0 }) }
  }

  test('messages.create', async () => {
    const { anthropic, fake } = sdk({ reply: 'Grüße aus 東京' })
    const { data: message, request_id } = await anthropic.messages.create(params).withResponse()
    expect(message.content).toEqual([{ type: 'text', text: 'Grüße aus 東京' }])
    expect(message.usage.input_tokens).toBeGreaterThan(0)
    expect(request_id).toMatch(/^0{8}-/)
    expect(message).toMatchObject({ _request_id: request_id })
    const [call] = fake.calls
    expect(call).toMatchObject({ model: 'us.anthropic.claude-sonnet-4-6', signature: { valid: true } })
    expect(call?.body).toEqual({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 1000,
      messages: params.messages,
    })
  })

  test("does not send the request's key anywhere", async () => {
    const { anthropic, fake } = sdk()
    await anthropic.messages.create(params)
    expect(JSON.stringify(fake.calls)).not.toContain('sk-ant-unused')
    expect(
      Object.keys(fake.calls[0]?.headers ?? {}).filter((name) => /^(anthropic|x-api|x-stainless)/.test(name)),
    ).toEqual([])
  })

  test('messages.create({ stream: true })', async () => {
    const { anthropic } = sdk({ reply: 'one two three' })
    const types: string[] = []
    for await (const { type } of await anthropic.messages.create({ ...params, stream: true })) types.push(type)
    expect(types.filter((type) => type !== 'content_block_delta')).toEqual([
      'message_start',
      'content_block_start',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
  })

  test('messages.stream with events, finalMessage and finalText', async () => {
    const { anthropic } = sdk({ reply: 'Grüße aus 東京' })
    const stream = anthropic.messages.stream(params)
    const texts: string[] = []
    stream.on('text', (text) => texts.push(text))
    const message = await stream.finalMessage()
    expect(texts.join('')).toBe('Grüße aus 東京')
    expect(await stream.finalText()).toBe('Grüße aus 東京')
    expect(message.stop_reason).toBe('end_turn')
    expect(message.usage.output_tokens).toBeGreaterThan(1)
  })

  test('assembles the message of messages.create from thinking, its signature and tool use', async () => {
    const reply: FakeReply = {
      content: [
        { type: 'thinking', thinking: 'Let me see.', signature: 'c2ln' },
        { type: 'text', text: 'I will look.' },
        { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Tübingen', days: [1, 2] } },
      ],
    }
    const { anthropic } = sdk({ reply })
    const whole = await anthropic.messages.create(params)
    const streamed = await anthropic.messages.stream(params).finalMessage()
    expect(streamed.content).toEqual(whole.content)
    expect(streamed.stop_reason).toBe(whole.stop_reason)
  })

  test('beta.messages turns the anthropic-beta header into betas of the body', async () => {
    const { anthropic, fake } = sdk()
    await anthropic.beta.messages.create({
      ...params,
      betas: ['context-management-2025-06-27', 'interleaved-thinking-2025-05-14'],
    })
    expect(fake.calls[0]?.body.anthropic_beta).toEqual([
      'context-management-2025-06-27',
      'interleaved-thinking-2025-05-14',
    ])
  })

  test('beta.messages.toolRunner runs tools to the end', async () => {
    const asked: string[] = []
    const { anthropic, fake } = sdk({
      reply: (call) =>
        JSON.stringify(call.body.messages).includes('tool_result')
          ? 'It is sunny.'
          : { content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Bern' } }] },
    })
    const weather = betaZodTool({
      name: 'weather',
      description: 'The weather of a city',
      inputSchema: z.object({ city: z.string() }),
      run: ({ city }) => {
        asked.push(city)
        return 'sunny'
      },
    })
    for (const stream of [false, true]) {
      const final = await anthropic.beta.messages.toolRunner({ ...params, tools: [weather], stream }).runUntilDone()
      expect(final.content).toEqual([{ type: 'text', text: 'It is sunny.' }])
      // The newer SDK leaves the conversation to a thread of the server, where there are such.
      expect(fake.calls.at(-1)?.body.messages).toMatchObject([
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: [{ type: 'tool_use' }] },
        { role: 'user', content: [{ type: 'tool_result' }] },
      ])
      expect(fake.calls.at(-1)?.body).toHaveProperty('tools')
    }
    expect(JSON.stringify(fake.calls)).not.toContain('thread')
    expect(asked).toEqual(['Bern', 'Bern'])
  })

  test('messages.parse with structured output', async () => {
    const { anthropic, fake } = sdk({ reply: '{"city":"Bern","degrees":21}' })
    const { parsed_output } = await anthropic.messages.parse({
      ...params,
      output_config: { format: zodOutputFormat(z.object({ city: z.string(), degrees: z.number() })) },
    })
    expect(parsed_output).toEqual({ city: 'Bern', degrees: 21 })
    expect(fake.calls[0]?.body.output_config).toMatchObject({ format: { type: 'json_schema' } })
  })

  test('messages.countTokens', async () => {
    const { anthropic, fake } = sdk()
    const { input_tokens } = await anthropic.messages.countTokens({ model: params.model, messages: params.messages })
    expect(input_tokens).toBeGreaterThan(0)
    expect(fake.calls[0]?.operation).toBe('CountTokens')
  })

  test('models.list with pages, and models.retrieve', async () => {
    const { anthropic } = sdk()
    const ids: string[] = []
    for await (const { id } of anthropic.models.list({ limit: 3 })) ids.push(id)
    expect(ids.length).toBeGreaterThan(6)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toContain('claude-sonnet-4-6')
    const model = await anthropic.models.retrieve('sonnet')
    expect(model).toMatchObject({ id: 'claude-sonnet-4-6', type: 'model', display_name: 'Claude Sonnet 4.6' })
  })

  test.each([
    ['throttling', 429, Sdk.RateLimitError],
    ['input-too-long', 400, Sdk.BadRequestError],
    ['expired-token', 401, Sdk.AuthenticationError],
    ['iam-denied', 403, Sdk.PermissionDeniedError],
    ['not-found', 404, Sdk.NotFoundError],
    ['unavailable', 529, Sdk.InternalServerError],
    ['internal', 500, Sdk.InternalServerError],
  ] as const)('throws the class of the error: %s', async (fault, status, Class) => {
    const { anthropic, fake } = sdk()
    for (const call of [
      () => anthropic.messages.create(params),
      () => anthropic.messages.create({ ...params, stream: true }),
    ]) {
      fake.fail(fault)
      const error = await call().then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(error).toBeInstanceOf(Class)
      expect(error).toMatchObject({ status, requestID: expect.stringMatching(/^0{8}-/) })
    }
  })

  test('retries as x-should-retry and retry-after say', async () => {
    const { fake, fetch } = connect()
    const anthropic = new Sdk({ apiKey: 'unused', fetch, maxRetries: 2 })
    fake.fail('throttling', { times: 2, headers: { 'retry-after-ms': '1' } })
    await anthropic.messages.create(params)
    expect(fake.calls).toHaveLength(3)
    fake.fail('throttling-per-day', { times: 2 })
    await expect(anthropic.messages.create(params)).rejects.toMatchObject({ status: 429 })
    expect(fake.calls).toHaveLength(4)
  })

  test('cancels the call at Bedrock on abort, before and within the answer', async () => {
    const { anthropic, fake } = sdk({ reply: 'word '.repeat(500) })
    fake.fail('stall')
    const controller = new AbortController()
    const call = anthropic.messages.create(params, { signal: controller.signal })
    await expect.poll(() => fake.calls.length).toBe(1)
    controller.abort()
    await expect(call).rejects.toBeInstanceOf(Sdk.APIUserAbortError)
    expect(fake.calls[0]?.aborted).toBe(true)

    const stream = anthropic.messages.stream(params)
    let events = 0
    await expect(async () => {
      for await (const _ of stream) if (++events === 3) stream.abort()
    }).rejects.toBeInstanceOf(Sdk.APIUserAbortError)
    await expect.poll(() => fake.calls[1]?.aborted).toBe(true)
  })

  test('cancels the call at Bedrock when the loop is left', async () => {
    const { anthropic, fake } = sdk({ reply: 'word '.repeat(500) })
    for await (const _ of await anthropic.messages.create({ ...params, stream: true })) break
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
  })

  test.each([
    ['stream-throttling', 'rate_limit_error'],
    ['stream-anthropic-error', 'overloaded_error'],
    ['stream-unavailable', 'overloaded_error'],
    ['stream-internal', 'api_error'],
    ['stream-validation', 'invalid_request_error'],
    ['stream-model-timeout', 'timeout_error'],
    ['stream-truncated', 'api_error'],
    ['stream-cut', 'api_error'],
    ['stream-reset', 'api_error'],
    ['stream-corrupt', 'api_error'],
    ['stream-not-json', 'api_error'],
    ['stream-unknown-exception', 'api_error'],
  ] as const)('throws a fault in the stream: %s', async (fault, type) => {
    const { anthropic, fake } = sdk()
    fake.fail(fault)
    let events = 0
    const error = await (async () => {
      for await (const _ of await anthropic.messages.create({ ...params, stream: true })) events++
    })().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Sdk.APIError)
    expect(error).toMatchObject({ type, error: { type: 'error', error: { type } } })
    // The first of them is a ping, which the SDK keeps to itself.
    expect(events).toBe(2)
  })

  test('anthropicOptions sets a key, a fetch, and one layer of retries', async () => {
    const { bedrock, fake } = connect()
    const anthropic = new Sdk(anthropicOptions(bedrock))
    fake.fail('unavailable')
    await expect(anthropic.messages.create(params)).rejects.toMatchObject({ status: 529 })
    expect(fake.calls).toHaveLength(1)
    await anthropic.messages.create(params)
  })
})

describe("the SDK and this client's streams", () => {
  test('MessageStream.fromReadableStream reads toReadableStream()', async () => {
    const { bedrock } = connect({ reply: 'Grüße aus 東京' })
    const ours = bedrock.messages.stream(params)
    const theirs = MessageStream.fromReadableStream(ours.toReadableStream())
    expect(await theirs.finalText()).toBe('Grüße aus 東京')
    expect((await theirs.finalMessage()).usage.output_tokens).toBeGreaterThan(1)
  })

  test('MessageStream.fromReadableStream reads the body of toResponse(), in its default format', async () => {
    const { bedrock } = connect({ reply: 'Grüße aus 東京' })
    const { body } = await bedrock.messages.stream(params).toResponse()
    const theirs = MessageStream.fromReadableStream(body as ReadableStream)
    expect(await theirs.finalText()).toBe('Grüße aus 東京')
  })

  test("the SDK's toReadableStream equals this client's, line by line", async () => {
    const { bedrock, fetch } = connect({ reply: 'one two three' })
    const anthropic = new Anthropic({ apiKey: 'unused', fetch })
    const lines = async (stream: ReadableStream) =>
      (await new Response(stream).text())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ type }) => type !== 'ping')
    expect(await lines(anthropic.messages.stream(params).toReadableStream())).toEqual(
      await lines(bedrock.messages.stream(params).toReadableStream()),
    )
  })
})
