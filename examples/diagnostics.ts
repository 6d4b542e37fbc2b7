// The doctor and the least-privilege IAM policy as functions. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/diagnostics.ts
import { createBedrockClient } from 'outcrop'
import { iamPolicy, runDoctor } from 'outcrop/diagnostics'
import { createFakeBedrock } from 'outcrop/testing'

const fake = createFakeBedrock()
const { region, identity, fetch } = fake
const client = createBedrockClient({ region, credentials: identity, fetch })

for await (const { status, check, subject, message } of runDoctor({
  client,
  region,
  credentials: async () => identity,
  fetch,
}))
  console.log(`${status.padEnd(8)} ${[check, subject].filter(Boolean).join(' ')}: ${message}`)

const { id } = await client.models.resolve('sonnet')
console.log(
  JSON.stringify(iamPolicy({ region, account: '123456789012', models: [id], features: ['stream', 'count'] }), null, 2),
)
