// One process of a fleet, started by fleet.test.ts: makes calls within a quota that it shares by Redis with others.
import { Redis } from 'ioredis'
import { createBedrockClient } from '../../src/index.ts'
import { limits, redisLimitStore } from '../../src/limits/index.ts'

const [redisPort, endpoint = '', count] = process.argv.slice(2)
const redis = new Redis(Number(redisPort), '127.0.0.1')
const quota = { model: 'anthropic.claude-sonnet-4-6', bucket: 'cross-region' as const, tokensPerMinute: 100_000 }
const limiter = limits({
  quotas: [quota],
  store: redisLimitStore(redis),
  storeTimeout: 30_000,
  maxWait: 0,
  burst: 59_000,
  account: 'fleet',
})
const bedrock = createBedrockClient({
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example-of-the-fake' },
  endpoint,
  retry: false,
  middleware: [limiter],
})
const outcomes: Record<string, number> = {}
for (let i = 0; i < Number(count); i++) {
  const outcome = await bedrock.messages
    .create({
      model: 'us.anthropic.claude-sonnet-4-6',
      max_tokens: 49_000,
      messages: [{ role: 'user', content: 'Hi' }],
    })
    .then(
      () => 'answered',
      (error: Error) => error.name,
    )
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
}
redis.disconnect()
console.log(JSON.stringify({ outcomes, store: limiter.snapshot().store, instances: limiter.snapshot().instances }))
