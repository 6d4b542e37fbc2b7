// LangChain on Bedrock. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/langchain.ts
import { ChatAnthropic } from '@langchain/anthropic'
import { createBedrockClient } from 'outcrop'
import { anthropicFetch } from 'outcrop/anthropic'
import { createFakeBedrock } from 'outcrop/testing'

const fake = createFakeBedrock({ reply: 'An outcrop is where bedrock meets the surface.' })
const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })

const model = new ChatAnthropic({
  model: 'claude-sonnet-4-6',
  apiKey: 'unused',
  // The client retries already.
  maxRetries: 0,
  clientOptions: { fetch: anthropicFetch(bedrock) },
})

for await (const chunk of await model.stream('What is an outcrop?')) process.stdout.write(chunk.text)
console.log()
