// Anthropic's SDK, both lines of it, and the AI SDK on a client of Bedrock, where there is no Node.
import { createAnthropic } from '@ai-sdk/anthropic'
import Anthropic from '@anthropic-ai/sdk'
import { generateText, streamText } from 'ai'
import Anthropic0 from 'anthropic-sdk-0'

export async function run({ createBedrockClient, anthropicOptions }, { endpoint, region, credentials }) {
  const bedrock = createBedrockClient({ region, credentials, endpoint, retry: { baseDelay: 1 } })
  const options = anthropicOptions(bedrock)
  const content = 'Grüße aus 東京'
  const params = { model: 'claude-sonnet-4-6', max_tokens: 256, messages: [{ role: 'user', content }] }
  for (const Sdk of [Anthropic, Anthropic0]) {
    const anthropic = new Sdk(options)
    const whole = await anthropic.messages.create(params)
    const streamed = await anthropic.messages.stream(params).finalMessage()
    equal(streamed.content[0].text, whole.content[0].text)
    const opus = { ...params, model: 'claude-opus-4-6' }
    equal((await failureOf(anthropic.messages.stream(opus).finalMessage()))?.type, 'api_error')
    const stream = anthropic.messages.stream({ ...params, model: 'claude-haiku-4-5' })
    stream.on('text', () => stream.abort())
    equal((await failureOf(stream.finalMessage())) instanceof Sdk.APIUserAbortError, true)
    const { data } = await anthropic.models.list()
    if (data.length === 0) throw new Error('no models')
  }
  const model = createAnthropic(options)('claude-sonnet-4-6')
  const { text } = await generateText({ model, prompt: content })
  equal(await streamText({ model, prompt: content }).text, text)
  return `@anthropic-ai/sdk 1.x and 0.x, ai: ${text.length} characters each`
}

function failureOf(call) {
  return call.then(
    () => undefined,
    (error) => error,
  )
}

function equal(found, expected) {
  if (found !== expected) throw new Error(`${JSON.stringify(found)} in place of ${JSON.stringify(expected)}`)
}
