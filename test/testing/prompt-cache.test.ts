import { createBedrockClient } from 'outcrop'
import { promptCaching } from 'outcrop/caching'
import { createFakeBedrock } from 'outcrop/testing'
import { expect, test } from 'vitest'

test('a call that the quota refuses writes no cache', async () => {
  const fake = createFakeBedrock({ quotas: [{ model: 'anthropic.claude-sonnet-4-6', tokensPerMinute: 5000 }] })
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    retry: false,
    middleware: [promptCaching()],
  })
  const params = {
    model: 'sonnet',
    system: 'You know every stone by name. '.repeat(300),
    messages: [{ role: 'user' as const, content: 'Hi' }],
  }
  await expect(bedrock.messages.create({ ...params, max_tokens: 5000 })).rejects.toMatchObject({ status: 429 })
  const { metadata } = await bedrock.messages.create({ ...params, max_tokens: 100 })
  expect(metadata.usage.cacheReadInputTokens).toBe(0)
  expect(metadata.usage.cacheWriteInputTokens).toBeGreaterThan(0)
})
