// A body with fields that its model does not accept, how it is adapted, and what the call cost. Runs on the embedded fake
// Bedrock.
//
//   npm run build && npx tsx examples/compatibility.ts
import { createBedrockClient } from 'outcrop'
import { createFakeBedrock } from 'outcrop/testing'
import { costOf, usageTracking } from 'outcrop/usage'

const fake = createFakeBedrock()
const prices = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 }
const bedrock = createBedrockClient({
  region: fake.region,
  credentials: fake.identity,
  fetch: fake.fetch,
  middleware: [
    usageTracking(({ model, usage, latency }) =>
      console.log(`${model.base}: ${latency} ms, $${costOf(usage, prices).toFixed(6)}`),
    ),
  ],
})
const { metadata } = await bedrock.messages.create(
  {
    model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    max_tokens: 4096,
    thinking: { type: 'adaptive' },
    output_config: { effort: 'high' },
    messages: [{ role: 'user', content: 'What is an outcrop?' }],
  },
  { requestMetadata: { team: 'geology' } },
)
for (const { action, field, reason } of metadata.adaptations ?? []) console.log(`${action} ${field}: ${reason}`)

const messages = [{ role: 'user' as const, content: 'What is an outcrop?' }]
console.log(await bedrock.messages.countTokens({ model: 'sonnet', messages }))
console.log(await bedrock.messages.countTokens({ model: 'us.anthropic.claude-opus-5-5', messages, estimate: true }))
