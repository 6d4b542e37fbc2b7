// A gateway for a team, with a key for each person, called by Anthropic's SDK. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/gateway.ts
import assert from 'node:assert/strict'
import Anthropic from '@anthropic-ai/sdk'
import { createBedrockClient } from 'outcrop'
import { apiKeys, createApiKey, createGateway, hashApiKey } from 'outcrop/gateway'
import { serveGateway } from 'outcrop/gateway/node'
import { createFakeBedrock } from 'outcrop/testing'

const fake = createFakeBedrock({ reply: 'Hello, Alice.' })
const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })

// Give the key to Alice, and store its hash.
const key = createApiKey()
const gateway = createGateway(bedrock, {
  authenticate: apiKeys([
    { id: 'alice', sha256: await hashApiKey(key), models: ['sonnet', 'haiku'], limits: { spendPerDay: 20 } },
  ]),
  prices: { sonnet: { input: 3, output: 15 }, haiku: { input: 1, output: 5 } },
  accessLog: (entry) => console.log(JSON.stringify(entry)),
})
const server = await serveGateway(gateway, { port: 0 })

const anthropic = new Anthropic({ baseURL: server.url, apiKey: key })
const params = { max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hello!' }] }
const message = await anthropic.messages.create({ model: 'claude-sonnet-4-6', ...params })
assert.equal(message.content[0]?.type === 'text' && message.content[0].text, 'Hello, Alice.')

// Alice cannot call other models, and an unknown key cannot call any.
await assert.rejects(anthropic.messages.create({ model: 'claude-opus-4-8', ...params }), Anthropic.NotFoundError)
const unknown = new Anthropic({ baseURL: server.url, apiKey: 'unknown', maxRetries: 0 })
await assert.rejects(unknown.messages.create({ model: 'claude-sonnet-4-6', ...params }), Anthropic.AuthenticationError)

const [alice] = gateway.snapshot().keys
assert.ok(alice && alice.spentToday > 0)
await server.drain()
