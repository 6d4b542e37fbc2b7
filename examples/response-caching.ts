// Response caching: equal calls share one answer, and streams are replayed. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/response-caching.ts
import { createBedrockClient } from 'outcrop'
import { memoryStore, responseCaching } from 'outcrop/caching'
import { createFakeBedrock } from 'outcrop/testing'

const fake = createFakeBedrock()
const bedrock = createBedrockClient({
  region: fake.region,
  credentials: fake.identity,
  fetch: fake.fetch,
  middleware: [responseCaching({ store: memoryStore({ maxBytes: 8_000_000 }), ttl: 600_000 })],
})
const params = {
  model: 'sonnet',
  max_tokens: 64,
  temperature: 0,
  messages: [{ role: 'user' as const, content: 'What is an outcrop?' }],
}

const texts = await Promise.all(Array.from({ length: 10 }, () => bedrock.messages.stream(params).finalText()))
console.log(`${new Set(texts).size} answer for ${texts.length} streams, ${fake.calls.length} call to Bedrock`)

const { metadata } = await bedrock.messages.stream(params).finalMessage()
console.log(metadata.cache, `${fake.calls.length} call to Bedrock`)
