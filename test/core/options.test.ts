import { createBedrockClient } from 'outcrop'
import { memoryStore, promptCaching, responseCaching } from 'outcrop/caching'
import { guardrails } from 'outcrop/guardrails'
import { createFakeBedrock } from 'outcrop/testing'
import { expect, test } from 'vitest'

const store = memoryStore()
const cases: [string, () => unknown, string][] = [
  ['endpoint', () => createBedrockClient({ endpoint: { alowHttp: true } as never }), 'allowHttp'],
  ['models', () => createBedrockClient({ models: { residencey: 'eu' } as never }), 'residency'],
  ['promptCaching', () => promptCaching({ tll: '1h' } as never), 'ttl'],
  ['responseCaching', () => responseCaching({ store, namspace: 'a' } as never), 'namespace'],
  ['memoryStore', () => memoryStore({ maxByte: 1 } as never), 'maxBytes'],
  [
    'guardrails',
    () => guardrails({ identifier: 'gr1', version: 1, onIntervantion: 'throw' } as never),
    'onIntervention',
  ],
]
test.each(cases)('%s refuses an option that there is not, with the nearest name', (_, make, name) => {
  expect(make).toThrow(expect.objectContaining({ code: 'configuration', hint: `Did you mean ${name}?` }))
})

test("a call's guardrail too", async () => {
  const fake = createFakeBedrock()
  const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })
  const call = bedrock.messages.create(
    { model: 'sonnet', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] },
    { guardrail: { identifier: 'gr1', version: 1, onIntervantion: 'throw' } as never },
  )
  await expect(call).rejects.toMatchObject({ code: 'configuration', hint: 'Did you mean onIntervention?' })
  expect(fake.calls).toEqual([])
})
