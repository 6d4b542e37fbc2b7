// Two processes share cached answers in Redis. Runs on the embedded fake Bedrock, and starts its own Redis.
//
//   npm run build && npx tsx examples/shared-redis-cache.ts
import { fork, spawn, spawnSync } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createBedrockClient } from 'outcrop'
import { responseCaching, unstorageStore } from 'outcrop/caching'
import { createFakeBedrock } from 'outcrop/testing'
import { createStorage } from 'unstorage'
import redis from 'unstorage/drivers/redis'

/** The program of each process. */
async function ask(port: number): Promise<void> {
  const driver = redis({ host: '127.0.0.1', port })
  const fake = createFakeBedrock()
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    // Each process may have its own temporary keys. Here, all processes may see the same answers.
    middleware: [
      responseCaching({ store: unstorageStore(createStorage({ driver })), scope: 'store', namespace: 'example' }),
    ],
  })
  const params = { model: 'sonnet', max_tokens: 64, temperature: 0 }
  const messages = [{ role: 'user' as const, content: 'What is an outcrop?' }]
  const { metadata } = await bedrock.messages.stream({ ...params, messages }).finalMessage()
  console.log(`process ${process.pid}: ${metadata.cache?.status}, ${fake.calls.length} calls to Bedrock`)
  // The cache is written in the background, and this process would end before.
  await pause(200)
  await driver.dispose?.()
}

const port = Number(process.argv[2])
if (port) {
  await ask(port)
} else if (spawnSync('redis-server', ['--version']).error) {
  console.log('SKIPPED: redis-server is not installed')
} else {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const free = (probe.address() as AddressInfo).port
  await new Promise((resolve) => probe.close(resolve))
  const server = spawn('redis-server', [
    '--port',
    String(free),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ])
  await pause(500)
  for (let i = 0; i < 2; i++) {
    const child = fork(fileURLToPath(import.meta.url), [String(free)])
    await new Promise((resolve) => child.once('exit', resolve))
  }
  server.kill()
}
