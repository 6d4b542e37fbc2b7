import { type CredentialProvider, createBedrockClient } from 'outcrop'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { everythingOf, setEnvironment } from './support.ts'

const keys = { accessKeyId: 'AKIDEXAMPLEKEYID', secretAccessKey: 'secret-example-of-the-keys' }
let restore: () => void
beforeEach(() => {
  restore = setEnvironment({ AWS_REGION: 'us-east-1', AWS_BEARER_TOKEN_BEDROCK: 'api-key-of-the-environment' })
})
afterEach(() => restore())

test('lists the source, masked key, expiry, and skipped sources', async () => {
  const expiration = new Date('2099-01-01T00:00:00Z')
  const explanation = await createBedrockClient({ credentials: { ...keys, expiration } }).explain()
  expect(explanation.identity).toMatchObject({ kind: 'aws-keys', accessKeyId: 'AKID…EYID', expiration })
  expect(explanation.conflicts.join()).toContain('AWS_BEARER_TOKEN_BEDROCK')
  const shown = everythingOf(explanation)
  for (const secret of [keys.secretAccessKey, keys.accessKeyId, 'api-key-of-the-environment'])
    expect(shown).not.toContain(secret)
})

test("gives providers the client's own fetch", async () => {
  const asked: unknown[] = []
  const fetch: typeof globalThis.fetch = async (input) => {
    asked.push(input)
    return new Response()
  }
  const credentials: CredentialProvider = async (options) => {
    await options?.fetch?.('https://vault.example.com/')
    return keys
  }
  await createBedrockClient({ credentials, fetch }).explain()
  expect(asked).toEqual(['https://vault.example.com/'])
  // Uses the client's own transport: the proxy in its `env`, which cannot be reached.
  const env = { AWS_REGION: 'us-east-1', HTTPS_PROXY: 'http://127.0.0.1:1' }
  const { error } = await createBedrockClient({ credentials, env }).explain()
  expect(error?.message).toContain('Could not reach the proxy 127.0.0.1:1')
})

test('reports credentials that the client finds itself', async () => {
  const { identity, steps } = await createBedrockClient().explain()
  expect(identity).toMatchObject({ kind: 'api-key' })
  expect(steps.find(({ wins }) => wins)?.step).toBe('AWS_BEARER_TOKEN_BEDROCK')
})
