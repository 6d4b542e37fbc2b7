// Runs each gateway in `deploy/` on its own runtime, or on a stand-in for it. Skips runtimes that `npm run test:runtimes`
// has not installed.
//
//   npm run build && npx tsx examples/deploy.ts
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import Anthropic from '@anthropic-ai/sdk'
import { createApiKey, hashApiKey } from 'outcrop/gateway'
import { createFakeBedrock } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { callLambda, installLambda } from '../test/runtimes/lambda.ts'
import { serveWorker } from '../test/runtimes/workerd.ts'

const reply = 'An outcrop is where bedrock meets the surface.'
const workerd = join(import.meta.dirname, '../node_modules/.cache/outcrop/runtimes/node_modules/.bin/workerd')
const fake = createFakeBedrock({ reply })
const bedrock = await serveFakeBedrock(fake)
const key = createApiKey()
const { accessKeyId, secretAccessKey } = fake.identity
const env = {
  AWS_REGION: fake.region,
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_ENDPOINT_URL: bedrock.url,
  GATEWAY_KEYS: JSON.stringify([{ id: 'example', sha256: await hashApiKey(key) }]),
}
Object.assign(process.env, env)

/** Calls a gateway as a user's program would. */
async function ask(baseURL: string, send: typeof fetch = fetch): Promise<string> {
  const anthropic = new Anthropic({ baseURL, apiKey: key, fetch: send, maxRetries: 0 })
  const message = await anthropic.messages
    .stream({
      model: 'claude-sonnet-4-6',
      max_tokens: 100,
      messages: [{ role: 'user', content: 'What is an outcrop?' }],
    })
    .finalMessage()
  const [block] = message.content
  assert.equal(block?.type === 'text' && block.text, reply)
  const withoutKey = await send(`${baseURL}/v1/messages`, { method: 'POST', body: '{}' })
  assert.equal(withoutKey.status, 401)
  return `answered with ${message.usage.output_tokens} tokens, refused a call without a key`
}

async function runWorker(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'deploy/cloudflare-worker.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    conditions: ['workerd', 'worker', 'browser'],
    logLevel: 'error',
  })
  const worker = await serveWorker(workerd, outputFiles[0]?.text as string, { env })
  try {
    return await ask(worker.url)
  } finally {
    await worker.close()
  }
}

async function runLambda(): Promise<string> {
  installLambda()
  const { handler } = await import('./deploy/lambda.ts')
  return ask('https://function.example', (input, init) => callLambda(handler, new Request(input, init)))
}

async function runHono(): Promise<string> {
  const { default: app } = await import('./deploy/hono.ts')
  return ask('http://app.example/claude', async (input, init) => app.fetch(new Request(input, init)))
}

const outcomes = {
  'cloudflare-worker.ts': existsSync(workerd)
    ? await runWorker()
    : 'SKIPPED: `npm run test:runtimes` installs the runtime',
  'lambda.ts': await runLambda(),
  'hono.ts': await runHono(),
}
for (const [file, outcome] of Object.entries(outcomes)) console.log(`${file.padEnd(22)} ${outcome}`)
await bedrock.close()
