// Resolving model names: aliases, pins, overrides, residency. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/models.ts
import { createBedrockClient, isBedrockError } from 'outcrop'
import { createFakeBedrock } from 'outcrop/testing'

const arn = 'arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/opus-46-prod'
const fake = createFakeBedrock({
  region: 'eu-central-1',
  models: { applicationProfiles: { [arn]: 'anthropic.claude-opus-4-6-v1' } },
})

const bedrock = createBedrockClient({
  region: fake.region,
  credentials: fake.identity,
  fetch: fake.fetch,
  models: {
    pins: { opus: 'claude-opus-4-6' },
    overrides: { 'claude-opus-4-6': arn },
    aliases: { fast: 'haiku' },
    residency: 'eu',
    // Look only unknown names up in the account.
    discovery: 'fallback',
    profiles: { [arn]: 'eu.anthropic.claude-opus-4-6-v1' },
  },
})

for (const name of ['default', 'opus', 'fast', 'global.anthropic.claude-opus-5', 'sonet']) {
  console.log(`${await bedrock.models.explain(name)}\n`)
}

// The ARN is in another Region: the call goes there, and is signed for it.
await bedrock.messages.create({ model: 'opus', max_tokens: 64, messages: [{ role: 'user', content: 'Hello!' }] })
const [call] = fake.calls
console.log(`called ${call?.model}\n    in ${call?.region}, signature ${call?.signature.valid ? 'valid' : 'refused'}`)

// A model that may run outside the residency is refused before anything is sent.
try {
  await bedrock.invoke({ model: 'global.anthropic.claude-opus-5', body: {} })
} catch (error) {
  if (!isBedrockError(error, 'model_resolution')) throw error
  console.log(`\n${error.message}\n${error.hint}`)
}
