import { existsSync, readFileSync } from 'node:fs'
import { createBedrockClient } from 'outcrop'
import { createBedrockClient as createCoreClient } from 'outcrop/core'
import { createBedrockApiKey } from 'outcrop/credentials'
import { createFakeBedrock, type FaultName } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'
import { hintTable } from '../../src/hints/table.ts'

const params = { model: 'sonnet', max_tokens: 10, messages: [{ role: 'user' as const, content: 'Hi' }] }

/** The words that each fault's hint must contain. */
const rows: [fault: FaultName, anchor: string, says: RegExp][] = [
  ['on-demand', 'on-demand-throughput', /use us\.anthropic\.claude-sonnet-4-6 in us-east-1/],
  ['invalid-model', 'invalid-model-identifier', /us-east-1 has no model/],
  ['use-case-form', 'use-case-form', /use case form/],
  ['legacy-model', 'legacy-model', /Legacy/],
  ['retired-model', 'retired-model', /retired/],
  ['marketplace', 'marketplace-subscription', /aws-marketplace:Subscribe/],
  ['marketplace-pending', 'marketplace-subscription', /15 minutes/],
  ['scp-denied', 'service-control-policy', /denies the Region [a-z]+-/],
  ['iam-denied', 'iam-permission', /outcrop iam-policy/],
  ['model-access', 'model-access', /Model access/],
  ['account-not-authorized', 'model-access', /AWS Support/],
  ['expired-token', 'expired-credentials', /have expired/],
  ['bearer-expired', 'expired-api-key', /API key/],
  ['bearer-invalid', 'api-key-region', /us-east-1/],
  ['invalid-token', 'invalid-credentials', /session token/],
  ['signature-mismatch', 'signature-mismatch', /proxy/],
  ['input-too-long', 'input-too-long', /context window/],
  ['caching-unavailable', 'prompt-caching', /Prompt caching is not available/],
  ['extra-inputs', 'unknown-field', /rejects a field or beta/],
  ['invalid-beta', 'unknown-field', /rejects a beta/],
  ['throttling-per-day', 'daily-quota', /daily/],
  ['throttling', 'throttling', /max_tokens/],
  ['throttling-tokens', 'throttling', /max_tokens/],
  ['service-quota', 'service-quota', /Service Quotas/],
  ['model-not-ready', 'model-not-ready', /loading/],
  ['model-timeout', 'model-timeout', /Stream/],
  ['model-error', 'model-error', /model itself/],
  ['unavailable', 'capacity', /your quota is not/],
  ['internal', 'internal-error', /AWS Support/],
  ['unknown-guardrail', 'unknown-guardrail', /guardrail's ID/],
  ['not-found', 'not-found', /does not have/],
]

describe('each error of the service has a hint', () => {
  test.each(rows)('%s', async (fault, anchor, says) => {
    const fake = createFakeBedrock()
    const options = { region: fake.region, credentials: fake.identity, fetch: fake.fetch, retry: false as const }
    fake.fail(fault, { times: 3 })
    const error = await createBedrockClient(options)
      .messages.create(params)
      .catch((error) => error)
    expect(error.hint).toMatch(says)
    expect(error.hint).toContain(`docs/troubleshooting.md#${anchor}`)
    fake.reset()
    fake.fail(fault, { times: 3 })
    const core = await createCoreClient(options)
      .messages.create({ ...params, model: 'us.anthropic.claude-sonnet-4-6' })
      .catch((error) => error)
    expect(core.hint ?? '').not.toContain('troubleshooting')
  })

  test('names the Region of a short-term API key for another Region', async () => {
    const fake = createFakeBedrock()
    const token = await createBedrockApiKey({ credentials: fake.identity, region: 'us-east-1' })
    const bedrock = createBedrockClient({ region: 'eu-west-1', credentials: { token }, fetch: fake.fetch })
    const error = await bedrock.messages.create(params).catch((error) => error)
    expect(error).toMatchObject({
      status: 403,
      hint: expect.stringContaining('is for us-east-1, but this call went to eu-west-1'),
    })
    expect(error.hint).not.toContain(token)
  })

  test('says when a short-term API key expired', async () => {
    const fake = createFakeBedrock()
    const date = new Date('2026-01-01T00:00:00Z')
    const token = await createBedrockApiKey({ credentials: fake.identity, region: 'us-east-1', expiresIn: 60, date })
    fake.fail('bearer-expired', { times: 2 })
    const bedrock = createBedrockClient({ region: 'us-east-1', credentials: { token }, fetch: fake.fetch })
    const error = await bedrock.messages.create(params).catch((error) => error)
    expect(error.hint).toContain('expired at 2026-01-01 00:01 UTC')
  })

  test('is added to errors in a stream', async () => {
    const fake = createFakeBedrock()
    fake.fail('stream-throttling', { after: 2 })
    const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })
    const error = await bedrock.messages
      .stream(params)
      .finalMessage()
      .catch((error) => error)
    expect(error).toMatchObject({ code: 'stream_exception', hint: expect.stringContaining('#throttling') })
  })
})

test('every row is a heading of docs/troubleshooting.md', () => {
  const file = new URL('../../docs/troubleshooting.md', import.meta.url)
  expect(existsSync(file)).toBe(true)
  const anchors = [...readFileSync(file, 'utf8').matchAll(/<a id="([\w-]+)"><\/a>/g)].map((match) => match[1])
  expect(anchors).toEqual(expect.arrayContaining([...new Set(hintTable.map(([id]) => id))]))
})
