import Anthropic from '@anthropic-ai/sdk'
import AnthropicBedrock from '@anthropic-ai/bedrock-sdk'
import {
  BedrockRuntimeClient,
  CountTokensCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
  ApplyGuardrailCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { createAnthropic } from '@ai-sdk/anthropic'
import { generateText, streamText } from 'ai'
import { createBedrockClient } from 'outcrop'
import { describe, expect, test } from 'vitest'
import { body, key, params, serve } from './support.ts'

describe("Anthropic's API over HTTP", () => {
  test('@anthropic-ai/sdk creates, streams, counts tokens, lists models and throws its error classes', async () => {
    const { server, fake } = await serve()
    const anthropic = new Anthropic({ baseURL: server.url, apiKey: key, maxRetries: 0 })
    const message = await anthropic.messages.create(params)
    expect(message.content).toEqual([expect.objectContaining({ type: 'text', text: 'Hello!' })])
    expect(await anthropic.messages.stream(params).finalText()).toBe('Hello!')
    expect(fake.calls.at(-1)).toMatchObject({ model: 'us.anthropic.claude-sonnet-4-6', signature: { valid: true } })
    expect((await anthropic.messages.countTokens(params)).input_tokens).toBeGreaterThan(0)
    const ids = (await anthropic.models.list({ limit: 1000 })).data.map(({ id }) => id)
    expect(ids).toContain('claude-sonnet-4-6')
    await expect(anthropic.messages.create({ ...params, model: 'claude-nonesuch' })).rejects.toThrow(
      Anthropic.NotFoundError,
    )
    const stranger = new Anthropic({ baseURL: server.url, apiKey: 'wrong', maxRetries: 0 })
    await expect(stranger.messages.create(params)).rejects.toThrow(Anthropic.AuthenticationError)
  })

  test('@anthropic-ai/sdk sends a bearer token', async () => {
    const { server } = await serve()
    const anthropic = new Anthropic({ baseURL: server.url, authToken: key, apiKey: null, maxRetries: 0 })
    expect((await anthropic.messages.create(params)).stop_reason).toBe('end_turn')
  })

  test('ai generates and streams text', async () => {
    const { server } = await serve()
    const provider = createAnthropic({ baseURL: `${server.url}/v1`, apiKey: key })
    const model = provider('claude-sonnet-4-6')
    expect((await generateText({ model, prompt: 'Hi', maxRetries: 0 })).text).toBe('Hello!')
    let text = ''
    for await (const part of streamText({ model, prompt: 'Hi', maxRetries: 0 }).textStream) text += part
    expect(text).toBe('Hello!')
  })
})

describe("Bedrock's API over HTTP", () => {
  test('@anthropic-ai/bedrock-sdk sends the key as a bearer token, unsigned', async () => {
    const { server, fake } = await serve()
    const anthropic = new AnthropicBedrock({
      baseURL: server.url,
      awsRegion: 'us-east-1',
      skipAuth: true,
      maxRetries: 0,
      defaultHeaders: { authorization: `Bearer ${key}` },
    })
    const message = await anthropic.messages.create({ ...params, model: 'claude-opus-4-8' })
    expect(message.content).toEqual([expect.objectContaining({ text: 'Hello!' })])
    expect(await anthropic.messages.stream({ ...params, model: 'us.anthropic.claude-opus-4-8' }).finalText()).toBe(
      'Hello!',
    )
    expect(fake.calls.map(({ model, signature }) => [model, signature.valid])).toEqual([
      ['us.anthropic.claude-opus-4-8', true],
      ['us.anthropic.claude-opus-4-8', true],
    ])
  })

  test("@anthropic-ai/bedrock-sdk signs with its own keys, and sends the gateway's key in addition", async () => {
    const { server, fake } = await serve()
    const anthropic = new AnthropicBedrock({
      baseURL: server.url,
      awsRegion: 'us-east-1',
      awsAccessKey: 'AKIDOFNOBODY',
      awsSecretKey: 'secret-of-nobody',
      maxRetries: 0,
      defaultHeaders: { 'x-api-key': key },
    })
    await anthropic.messages.create({ ...params, model: 'claude-opus-4-8' })
    expect(fake.calls[0]).toMatchObject({ identity: 'AKIDEXAMPLE', signature: { valid: true } })
    expect(JSON.stringify(fake.calls)).not.toContain('AKIDOFNOBODY')
    expect(JSON.stringify(fake.calls)).not.toContain(key)
  })

  test('@aws-sdk/client-bedrock-runtime sends the key as a Bedrock API key', async () => {
    const { server } = await serve({
      fake: { guardrails: [{ identifier: 'gr1abc2def3g', versions: ['1'], blockedWords: ['secret'] }] },
    })
    const aws = new BedrockRuntimeClient({
      region: 'us-east-1',
      endpoint: server.url,
      token: { token: key },
      authSchemePreference: ['httpBearerAuth'],
      maxAttempts: 1,
    })
    const decode = (bytes?: Uint8Array): Record<string, unknown> => JSON.parse(new TextDecoder().decode(bytes))
    const call = { contentType: 'application/json', body: JSON.stringify(body) }
    const answer = await aws.send(new InvokeModelCommand({ modelId: 'sonnet', ...call }))
    expect(decode(answer.body)).toMatchObject({ type: 'message' })
    expect(answer.$metadata.requestId).toMatch(/^[\da-f-]{36}$/)
    const streamed = await aws.send(new InvokeModelWithResponseStreamCommand({ modelId: 'sonnet', ...call }))
    const types: unknown[] = []
    for await (const { chunk } of streamed.body ?? []) types.push(decode(chunk?.bytes).type)
    expect(types.at(-1)).toBe('message_stop')
    const input = { invokeModel: { body: new TextEncoder().encode(JSON.stringify(body)) } }
    const counted = await aws.send(new CountTokensCommand({ modelId: 'claude-sonnet-4-5', input }))
    expect(counted.inputTokens).toBeGreaterThan(0)
    const applied = await aws.send(
      new ApplyGuardrailCommand({
        guardrailIdentifier: 'gr1abc2def3g',
        guardrailVersion: '1',
        source: 'INPUT',
        content: [{ text: { text: 'a secret' } }],
      }),
    )
    expect(applied.action).toBe('GUARDRAIL_INTERVENED')
    await expect(aws.send(new InvokeModelCommand({ modelId: 'nonesuch', ...call }))).rejects.toThrow(
      expect.objectContaining({ name: 'ResourceNotFoundException' }),
    )
    aws.destroy()
  })

  test('this client calls another Outcrop gateway', async () => {
    const { server } = await serve()
    const bedrock = createBedrockClient({ region: 'us-east-1', endpoint: server.url, credentials: { token: key } })
    expect(await bedrock.messages.stream(params).finalText()).toBe('Hello!')
    expect((await bedrock.messages.create(params)).metadata.usage.outputTokens).toBeGreaterThan(0)
  })
})
