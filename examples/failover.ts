// Failover: a Region throttles, and a conversation moves, stays with its new cache, and returns. Runs on the embedded fake
// Bedrock.
//
//   npm run build && npx tsx examples/failover.ts
import { createBedrockClient, type MessageParam } from 'outcrop'
import { promptCaching } from 'outcrop/caching'
import { failover } from 'outcrop/failover'
import { createFakeBedrock } from 'outcrop/testing'

const time = { now: Date.now() }
const clock = {
  now: () => time.now,
  setTimeout: (callback: () => void, milliseconds: number) => setTimeout(callback, milliseconds),
  clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
}
const east = createFakeBedrock({ region: 'us-east-1', clock })
const west = createFakeBedrock({ region: 'us-west-2', clock })

const bedrock = createBedrockClient({
  region: 'us-east-1',
  credentials: east.identity,
  fetch: (input, init) => (String(input).includes('us-west-2') ? west : east).fetch(input, init),
  clock,
  retry: { baseDelay: 0 },
  middleware: [promptCaching(), failover([{ region: 'us-west-2' }])],
})

const system = 'You know every stone by name. '.repeat(300)
const messages: MessageParam[] = []
async function ask(content: string): Promise<void> {
  messages.push({ role: 'user', content })
  const answer = await bedrock.messages.create({ model: 'sonnet', max_tokens: 200, system, messages })
  messages.push({ role: 'assistant', content: answer.content })
  const { failover: outcome, usage } = answer.metadata
  const tried = outcome?.tried.map(({ target, cause }) => `${target} ${cause}, `).join('')
  console.log(
    `${content.padEnd(26)} ${tried}${outcome?.target} (${outcome?.reason}): read ${usage.cacheReadInputTokens}, written ${usage.cacheWriteInputTokens}`,
  )
}

await ask('What is an outcrop?')
await ask('And a scree?')
east.fail('throttling-tokens', { times: 2 })
await ask('Which of them is older?')
await ask('And the younger one?')
time.now += 6 * 60_000
await ask('Where can I see both?')
