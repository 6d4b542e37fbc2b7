// Anthropic's own SDK on Bedrock: streams, tools, structured output, models. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/anthropic-sdk.ts
import Anthropic from '@anthropic-ai/sdk'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import { createBedrockClient } from 'outcrop'
import { anthropicOptions } from 'outcrop/anthropic'
import { createFakeBedrock } from 'outcrop/testing'
import { z } from 'zod'

const fake = createFakeBedrock({
  reply: ({ body }) => {
    if (body.output_config) return '{"city":"Bern","degrees":21}'
    if (!body.tools) return 'An outcrop is where bedrock meets the surface.'
    if (JSON.stringify(body.messages).includes('tool_result')) return 'It is sunny in Bern.'
    return { content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Bern' } }] }
  },
})
const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })

// The only new line.
const anthropic = new Anthropic(anthropicOptions(bedrock))

const ask = (content: string) => ({
  model: 'claude-sonnet-4-6',
  max_tokens: 256,
  messages: [{ role: 'user' as const, content }],
})

const stream = anthropic.messages.stream(ask('What is an outcrop?'))
stream.on('text', (text) => process.stdout.write(text))
const { usage } = await stream.finalMessage()
console.log(`\n${usage.input_tokens} tokens in, ${usage.output_tokens} out`)

const weather = betaZodTool({
  name: 'weather',
  description: 'The weather of a city',
  inputSchema: z.object({ city: z.string() }),
  run: ({ city }) => `sunny in ${city}`,
})
const answer = await anthropic.beta.messages
  .toolRunner({ ...ask('The weather in Bern?'), tools: [weather] })
  .runUntilDone()
console.log(answer.content)

const format = zodOutputFormat(z.object({ city: z.string(), degrees: z.number() }))
const { parsed_output } = await anthropic.messages.parse({ ...ask('The weather in Bern?'), output_config: { format } })
console.log(parsed_output)

const { data } = await anthropic.models.list({ limit: 3 })
console.log(data.map(({ display_name }) => display_name))
