import { createBedrockClient } from 'outcrop'
import { createFakeBedrock } from 'outcrop/testing'
import { expect, test } from 'vitest'

// In its own file, because a file that imports outcrop/guardrails has the check.
test('guardInput requires outcrop/guardrails', async () => {
  const fake = createFakeBedrock()
  const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })
  const call = bedrock.messages.create(
    { model: 'sonnet', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] },
    { guardrail: { identifier: 'gr1', version: 1, guardInput: true } },
  )
  await expect(call).rejects.toMatchObject({
    code: 'configuration',
    hint: expect.stringContaining('outcrop/guardrails'),
  })
  expect(fake.calls).toEqual([])
})
