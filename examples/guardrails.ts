// Guardrails: a blocked call as a result and as an error, and a check without a model. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/guardrails.ts
import { createBedrockClient, isBedrockError } from 'outcrop'
import { applyGuardrail, guardrails } from 'outcrop/guardrails'
import { createFakeBedrock } from 'outcrop/testing'

const fake = createFakeBedrock({
  guardrails: [{ identifier: 'gr1', versions: ['1'], blockedWords: ['granite'], message: 'I may not speak of that.' }],
})
const bedrock = createBedrockClient({
  region: fake.region,
  credentials: fake.identity,
  fetch: fake.fetch,
  middleware: [guardrails({ identifier: 'gr1', version: 1, trace: 'enabled' })],
})
const params = {
  model: 'sonnet',
  max_tokens: 64,
  messages: [{ role: 'user' as const, content: 'Tell me about granite.' }],
}

const { content, stop_reason, metadata } = await bedrock.messages.create(params)
console.log(content, stop_reason)
console.log(metadata.guardrail?.action, JSON.stringify(metadata.guardrail?.assessments))

try {
  for await (const event of bedrock.messages.stream(params, { guardrail: { onIntervention: 'throw' } }))
    console.log(event.type)
} catch (error) {
  if (!isBedrockError(error, 'guardrail_intervened')) throw error
  console.log(`${error.name}: ${error.message}`)
}

const { action } = await applyGuardrail(bedrock, { identifier: 'gr1', version: 1, source: 'INPUT', content: 'granite' })
console.log(`ApplyGuardrail: ${action}`)
