// Limits: more calls than the account's quota allows, and Bedrock throttles none. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/limits.ts
import { createBedrockClient, isBedrockError } from 'outcrop'
import { limits, readQuotas } from 'outcrop/limits'
import { createFakeBedrock } from 'outcrop/testing'

const fake = createFakeBedrock({
  quotas: [{ model: 'anthropic.claude-sonnet-4-6', tokensPerMinute: 60_000 }],
  reply: { content: [{ type: 'text', text: 'An outcrop.' }], usage: { input_tokens: 20, output_tokens: 150 } },
})
const plain = createBedrockClient({
  region: fake.region,
  credentials: fake.identity,
  fetch: fake.fetch,
  retry: false,
})
const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 1_000,
  messages: [{ role: 'user' as const, content: 'What is bedrock where it meets the surface?' }],
}

const { quotas } = await readQuotas(plain)
console.log('The account has', quotas[0]?.tokensPerMinute, 'tokens per minute.')

const limiter = limits({ quotas, maxWait: 2_000 })
const bedrock = plain.withOptions({ middleware: [limiter] })
const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => bedrock.messages.create(params)))
const answered = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
const waited = answered.filter(({ metadata }) => (metadata.limits?.waited ?? 0) > 100)
console.log(`${answered.length} calls were answered, ${waited.length} of them after a wait.`)
for (const outcome of outcomes) {
  if (outcome.status === 'fulfilled' || !isBedrockError(outcome.reason, 'quota_exceeded')) continue
  console.log(`The others can try again in ${outcome.reason.retryAfter} ms.`)
  break
}
const throttled = fake.calls.filter(({ status }) => status === 429)
console.log(`Bedrock throttled ${throttled.length} calls.`)
const [budget] = limiter.snapshot().budgets
console.log(`Used ${budget?.used} of ${budget?.quota} tokens.`)
