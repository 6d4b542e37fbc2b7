// Prompt caching: a growing conversation, and how much of it is read from the cache. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/prompt-caching.ts
import { createBedrockClient, type MessageParam } from 'outcrop'
import { explainCaching, promptCaching } from 'outcrop/caching'
import { createFakeBedrock } from 'outcrop/testing'

const fake = createFakeBedrock()
const bedrock = createBedrockClient({
  region: fake.region,
  credentials: fake.identity,
  fetch: fake.fetch,
  middleware: [promptCaching()],
})
const system = 'You know every stone by name. '.repeat(300)
const messages: MessageParam[] = []
for (const content of ['What is an outcrop?', 'And a scree?', 'Which of them is older?']) {
  messages.push({ role: 'user', content })
  const answer = await bedrock.messages.create({ model: 'sonnet', max_tokens: 200, system, messages })
  messages.push({ role: 'assistant', content: answer.content })
  const { inputTokens, cacheReadInputTokens, cacheWriteInputTokens } = answer.metadata.usage
  console.log(
    `${content.padEnd(26)} read ${cacheReadInputTokens}, written ${cacheWriteInputTokens}, uncached ${inputTokens}`,
  )
}
console.log(`\n${explainCaching({ system, messages: messages as never }, await bedrock.models.resolve('sonnet'))}`)
