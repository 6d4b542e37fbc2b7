import { createBedrockClient } from 'outcrop'
import { readQuotas } from 'outcrop/limits'
import { createFakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'
import { expect, test } from 'vitest'

function setUp(options: FakeBedrockOptions) {
  const fake = createFakeBedrock(options)
  const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })
  return { fake, bedrock }
}

test("reads the account's quotas, signed for Service Quotas", async () => {
  const { fake, bedrock } = setUp({
    quotas: [
      { model: 'anthropic.claude-opus-5-5', tokensPerMinute: 30_000_000 },
      { model: 'anthropic.claude-opus-5-5', bucket: 'global', tokensPerMinute: 0 },
      {
        model: 'anthropic.claude-haiku-4-5-20251001-v1:0',
        bucket: 'on-demand',
        tokensPerMinute: 5_000_000,
        requestsPerMinute: 5_000,
      },
    ],
    tokensPerDay: 700_000_000,
  })
  await expect(readQuotas(bedrock)).resolves.toEqual({
    region: 'us-east-1',
    tokensPerDay: 700_000_000,
    quotas: [
      { model: 'anthropic.claude-opus-5-5', bucket: 'cross-region', region: 'us-east-1', tokensPerMinute: 30_000_000 },
      { model: 'anthropic.claude-opus-5-5', bucket: 'global', region: 'us-east-1', tokensPerMinute: 0 },
      {
        model: 'anthropic.claude-haiku-4-5-20251001-v1:0',
        bucket: 'on-demand',
        region: 'us-east-1',
        tokensPerMinute: 5_000_000,
        requestsPerMinute: 5_000,
      },
    ],
  })
  expect(fake.calls).toHaveLength(1)
  expect(fake.calls[0]).toMatchObject({
    operation: 'ListServiceQuotas',
    signature: { valid: true },
    headers: { host: 'servicequotas.us-east-1.amazonaws.com' },
  })
})

test('reads all pages', async () => {
  const models = ['opus-5', 'sonnet-5', 'opus-4-8', 'opus-4-7', 'sonnet-4-6', 'opus-5-5', 'sonnet-5-5', 'fable-5']
  const quotas = models.flatMap((name) =>
    (['on-demand', 'cross-region', 'global'] as const).map((bucket) => ({
      model: `anthropic.claude-${name}`,
      bucket,
      tokensPerMinute: 1_000,
    })),
  )
  const { fake, bedrock } = setUp({ quotas })
  expect((await readQuotas(bedrock)).quotas).toHaveLength(24)
  expect(fake.calls.length).toBeGreaterThan(1)
})

test.each([
  ['Cross-region InvokeModel tokens per minute for Anthropic Claude Fable 5.1', 'L-0', 'anthropic.claude-fable-5-1'],
  [
    'Cross-Region model inference tokens per minute for Anthropic Claude Fable 5',
    'L-D06938E7',
    'anthropic.claude-fable-5',
  ],
  [
    'Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1',
    'L-F4DDD3EB',
    'anthropic.claude-sonnet-4-5-20250929-v1:0',
  ],
  [
    'Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1 1M Context Length',
    'L-1',
    undefined,
  ],
  ['Batch inference tokens for Anthropic Claude Sonnet 4.6', 'L-2', undefined],
  // The code is that of another quota.
  ['Cross-region model inference tokens per minute for Anthropic Claude Fable 5.1', 'L-D06938E7', undefined],
])('%s (%s)', async (QuotaName, QuotaCode, model) => {
  const { fake } = setUp({})
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: async () => Response.json({ Quotas: [{ QuotaName, QuotaCode, Value: 5 }] }),
  })
  const { quotas } = await readQuotas(bedrock)
  expect(quotas.map((quota) => quota.model)).toEqual(model === undefined ? [] : [model])
})

test('names a missing permission', async () => {
  const { bedrock } = setUp({ models: { denied: ['servicequotas:ListServiceQuotas'] } })
  await expect(readQuotas(bedrock)).rejects.toMatchObject({
    type: 'AccessDeniedException',
    hint: expect.stringContaining('servicequotas:ListServiceQuotas'),
  })
})

test('rejects an API key, and a Region that would lead to another host, before anything is sent', async () => {
  const { fake, bedrock } = setUp({})
  const withKey = bedrock.withOptions({ credentials: { token: 'bedrock-api-key-example' } })
  await expect(readQuotas(withKey)).rejects.toMatchObject({ code: 'configuration' })
  await expect(readQuotas(bedrock, { region: 'evil.example/' })).rejects.toMatchObject({ code: 'configuration' })
  expect(fake.calls).toEqual([])
})
