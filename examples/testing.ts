// Testing an app without AWS: replies, faults and recorded calls. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/testing.ts
import assert from 'node:assert/strict'
import { BedrockRuntimeClient, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime'
import { createBedrockClient } from 'outcrop'
import { createFakeBedrock } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'

const fake = createFakeBedrock({ reply: 'An outcrop is where bedrock meets the surface.' })
const bedrock = createBedrockClient({
  region: fake.region,
  credentials: fake.identity,
  fetch: fake.fetch,
  retry: { baseDelay: 1 },
})
const params = {
  model: 'sonnet',
  max_tokens: 64,
  messages: [{ role: 'user' as const, content: 'What is an outcrop?' }],
}

// A throttled call is retried.
fake.fail('throttling', { times: 2 })
const { metadata } = await bedrock.messages.create(params)
assert.equal(metadata.attempts, 3)

// A cut stream is an error.
fake.fail('stream-truncated', { after: 3 })
await assert.rejects(bedrock.messages.stream(params).finalMessage(), { code: 'stream_truncated' })

// The fake records each call, and whether AWS would accept its signature.
const last = fake.calls.at(-1)
assert.equal(last?.operation, 'InvokeModelWithResponseStream')
assert.ok(last?.signature.valid)

// AWS's own SDK can call it too, over HTTP/2 on the same port as HTTP/1.1.
const server = await serveFakeBedrock(fake)
const { accessKeyId, secretAccessKey } = fake.identity
const sdk = new BedrockRuntimeClient({
  region: fake.region,
  credentials: { accessKeyId, secretAccessKey },
  endpoint: server.url,
})
const body = JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 64, messages: params.messages })
const answer = await sdk.send(new InvokeModelCommand({ modelId: 'us.anthropic.claude-sonnet-4-6', body }))
assert.match(new TextDecoder().decode(answer.body), /bedrock meets the surface/)
sdk.destroy()
await server.close()

assert.ok(fake.calls.every(({ signature }) => signature.valid))
console.log(`${fake.calls.length} calls, every signature verified`)
