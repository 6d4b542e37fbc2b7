import { request } from 'node:http'
import { connect } from 'node:net'
import {
  ApplyGuardrailCommand,
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  CountTokensCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
  ListAsyncInvokesCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { createBedrockClient } from 'outcrop'
import { createFakeBedrock, type FakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'
import { type FakeBedrockServer, serveFakeBedrock } from 'outcrop/testing/node'
import { afterEach, describe, expect, test } from 'vitest'

// AWS's own client, with nothing but the endpoint told: its default is HTTP/2.
let server: FakeBedrockServer
let client: BedrockRuntimeClient

async function setUp(options: FakeBedrockOptions = {}): Promise<FakeBedrock> {
  const fake = createFakeBedrock(options)
  server = await serveFakeBedrock(fake)
  const { accessKeyId, secretAccessKey } = fake.identity
  const credentials = { accessKeyId, secretAccessKey }
  client = new BedrockRuntimeClient({ region: fake.region, credentials, endpoint: server.url, maxAttempts: 1 })
  return fake
}

afterEach(async () => {
  client?.destroy()
  await server?.close()
})

const modelId = 'us.anthropic.claude-sonnet-4-6'
const body = JSON.stringify({
  anthropic_version: 'bedrock-2023-05-31',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hi' }],
})
const messages = [{ role: 'user' as const, content: [{ text: 'Hi' }] }]

describe('the AWS SDK over HTTP/2', () => {
  test('calls InvokeModel', async () => {
    const fake = await setUp({ reply: 'Hello' })
    const answer = await client.send(new InvokeModelCommand({ modelId, body }))
    expect(JSON.parse(new TextDecoder().decode(answer.body))).toMatchObject({ content: [{ text: 'Hello' }] })
    expect(fake.calls[0]?.signature).toEqual({ valid: true })
  })

  test('reads a stream, complete and cut', async () => {
    const fake = await setUp({ reply: 'word '.repeat(1000) })
    const read = async (): Promise<number> => {
      const answer = await client.send(new InvokeModelWithResponseStreamCommand({ modelId, body }))
      let count = 0
      for await (const event of answer.body ?? []) if (event.chunk) count++
      return count
    }
    expect(await read()).toBeGreaterThan(100)
    fake.fail('stream-reset', { after: 5 })
    await expect(read()).rejects.toThrow()
    fake.fail('stream-throttling')
    await expect(read()).rejects.toMatchObject({ name: 'ThrottlingException' })
    // One broken stream does not break the connection.
    expect(await read()).toBeGreaterThan(100)
  })

  test('throws typed errors', async () => {
    const fake = await setUp()
    fake.fail('throttling')
    await expect(client.send(new InvokeModelCommand({ modelId, body }))).rejects.toMatchObject({
      name: 'ThrottlingException',
      $metadata: { httpStatusCode: 429, requestId: expect.any(String) },
    })
  })

  test('calls CountTokens, also with converse', async () => {
    await setUp()
    const input = { invokeModel: { body: new TextEncoder().encode(body) } }
    const base = 'anthropic.claude-sonnet-4-6'
    expect((await client.send(new CountTokensCommand({ modelId: base, input }))).inputTokens).toBeGreaterThan(0)
    await expect(
      client.send(new CountTokensCommand({ modelId: base, input: { converse: { messages } } })),
    ).rejects.toMatchObject({ name: 'ValidationException', message: expect.stringContaining('counting tokens') })
  })

  test.each([
    ['Converse', () => client.send(new ConverseCommand({ modelId, messages })), 'ValidationException'],
    ['ConverseStream', () => client.send(new ConverseStreamCommand({ modelId, messages })), 'ValidationException'],
    ['ListAsyncInvokes', () => client.send(new ListAsyncInvokesCommand({})), 'UnknownOperationException'],
  ])('%s is refused, without an empty success', async (operation, send, name) => {
    const fake = await setUp()
    await expect(send()).rejects.toMatchObject({ name, message: expect.stringContaining('does not serve') })
    expect(fake.calls[0]?.operation).toBe(operation)
  })

  test('calls ApplyGuardrail', async () => {
    await setUp({ guardrails: [{ identifier: 'gr1', versions: ['1'], blockedWords: ['granite'] }] })
    const { action } = await client.send(
      new ApplyGuardrailCommand({
        guardrailIdentifier: 'gr1',
        guardrailVersion: '1',
        source: 'INPUT',
        content: [{ text: { text: 'granite' } }],
      }),
    )
    expect(action).toBe('GUARDRAIL_INTERVENED')
  })
})

describe('the HTTP server', () => {
  test('serves HTTP/1.1 and HTTP/2 on one port, for requests in pieces of any size', async () => {
    await setUp()
    await client.send(new InvokeModelCommand({ modelId, body }))
    const { port } = new URL(server.url)
    const socket = connect(Number(port), '127.0.0.1').setEncoding('latin1').setNoDelay()
    let text = ''
    socket.on('data', (piece: string) => {
      text += piece
      // PRI begins HTTP/2, and also this.
      if (text.length > 0) socket.end()
    })
    for (const char of 'PRIX /ping HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n') {
      await new Promise((resolve) => socket.write(char, resolve))
    }
    await new Promise((resolve) => socket.once('close', resolve))
    expect(text).toMatch(/^HTTP\/1\.1 400/)
  })

  test('rejects on a busy port', async () => {
    const fake = await setUp()
    const { port } = new URL(server.url)
    await expect(serveFakeBedrock(fake, { port: Number(port) })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  test('answers 400 to an invalid URL, and continues', async () => {
    await setUp()
    const status = await new Promise((resolve, reject) => {
      request(server.url, { headers: { host: 'a b' } }, (response) => resolve(response.resume().statusCode))
        .once('error', reject)
        .end()
    })
    expect(status).toBe(400)
    await client.send(new InvokeModelCommand({ modelId, body }))
  })

  test('adds no listener per write of a stream', async () => {
    const warnings: Error[] = []
    const collect = (warning: Error): unknown => warnings.push(warning)
    process.on('warning', collect)
    const text = 'x'.repeat(64_000)
    const events = Array.from({ length: 200 }, (_, index) => ({ type: 'content_block_delta', index, delta: { text } }))
    const fake = await setUp({ reply: [{ type: 'message_start' }, ...events, { type: 'message_stop' }] })
    const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, endpoint: server.url })
    const stream = await bedrock.invokeStream({ model: modelId, body: JSON.parse(body) })
    let count = 0
    for await (const event of stream.events) if (event) count++
    process.off('warning', collect)
    expect(count).toBe(202)
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([])
  })
})
