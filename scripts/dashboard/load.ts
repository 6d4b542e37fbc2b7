import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { createBedrockClient, type Clock, type JsonObject } from 'outcrop'
import { memoryStore, responseCaching } from 'outcrop/caching'
import { apiKeys, createGateway, hashApiKey } from 'outcrop/gateway'
import { guardrails } from 'outcrop/guardrails'
import { telemetry } from 'outcrop/telemetry'
import { createFakeBedrock } from 'outcrop/testing'
import { parseText, type Scrape, samplesOf } from './prometheus.ts'

class Reader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** Returns a source of numbers from 0 up to 1 that are the same in each run. */
function createRandom(): () => number {
  let state = 23
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

/** A clock that advances only by the duration of calls. */
function createClock(): Clock & { pass(milliseconds: number): void } {
  let now = Date.UTC(2026, 0, 1)
  return {
    now: () => now,
    // Delays take no time, and timeouts never fire.
    setTimeout: (callback, milliseconds) => (milliseconds === 0 ? setTimeout(callback, 0) : undefined),
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
    pass: (milliseconds) => {
      now += milliseconds
    },
  }
}

/** Calls the fake through a client and a gateway for some simulated seconds, and returns the metrics of every 30 seconds. */
export async function runLoad(seconds: number): Promise<Scrape[]> {
  const clock = createClock()
  const random = createRandom()
  const between = (least: number, most: number): number => least + (most - least) * random()
  const reply = ({ body }: { body: JsonObject }) => {
    const cached = random() < 0.7
    return {
      content: [{ type: 'text', text: 'An outcrop is where bedrock meets the surface.' }],
      usage: {
        input_tokens: Math.round(between(100, 900)),
        output_tokens: Math.round(between(50, Number(body.max_tokens))),
        cache_read_input_tokens: cached ? 4000 : 0,
        cache_creation_input_tokens: cached ? 0 : 4000,
      },
    }
  }
  const guardrail = { identifier: 'gr1abc2def3g', versions: ['1'], blockedWords: ['forbidden'] }
  const fake = createFakeBedrock({ reply: reply as never, guardrails: [guardrail], clock })
  const reader = new Reader()
  const meter = new MeterProvider({ readers: [reader] }).getMeter('outcrop')
  const scrapes: Scrape[] = []
  const started = clock.now()
  let next = 0
  const scrape = async (): Promise<void> => {
    const time = (clock.now() - started) / 1000
    if (time < next) return
    next = time + 30
    const { resourceMetrics } = await reader.collect()
    const gateway = await (await front.fetch(new Request('http://gateway/metrics'))).text()
    scrapes.push({ time, samples: [...samplesOf(resourceMetrics), ...parseText(gateway)] })
  }
  const common = {
    region: fake.region,
    credentials: fake.identity,
    clock,
    random,
    retry: { baseDelay: 0 },
    retryBudget: false,
    fetch: async (...request: Parameters<typeof fetch>) => {
      clock.pass(150 + 900 * random() ** 3)
      await scrape()
      return fake.fetch(...request)
    },
  } as const
  const bedrock = createBedrockClient({
    ...common,
    middleware: [
      telemetry({ tracer: false, meter }),
      guardrails({ identifier: 'gr1abc2def3g', version: 1 }),
      responseCaching({ store: memoryStore({ clock }), ttl: 120_000 }),
    ],
  })
  const keys = ['alice', 'bob', 'ci']
  const front = createGateway(createBedrockClient(common), {
    authenticate: apiKeys(
      await Promise.all(keys.map(async (id) => ({ id, sha256: await hashApiKey(`key-of-${id}`) }))),
    ),
    prices: { sonnet: { input: 3, output: 15 }, haiku: { input: 1, output: 5 }, opus: { input: 5, output: 25 } },
    openMetrics: true,
    clock,
  })

  const isIncident = (): boolean => Math.abs((clock.now() - started) / 1000 / seconds - 0.6) < 0.08
  const params = () => ({
    model: random() < 0.6 ? 'sonnet' : random() < 0.7 ? 'haiku' : 'opus',
    max_tokens: 500,
    messages: [
      { role: 'user' as const, content: `${random() < 0.03 ? 'forbidden ' : ''}${Math.floor(random() * 40)}` },
    ],
  })
  const misbehave = (): void => {
    if (random() < (isIncident() ? 0.6 : 0.02)) fake.fail('throttling', { times: isIncident() ? 4 : 1 })
    else if (random() < 0.02) fake.fail('unavailable')
    else if (random() < 0.01) fake.fail('stream-truncated', { after: 4 })
  }
  const call = async (): Promise<void> => {
    const kind = random()
    if (kind < 0.05) await bedrock.messages.countTokens({ model: 'sonnet', messages: params().messages })
    else if (kind < 0.4) await bedrock.messages.create({ ...params(), ...(random() < 0.5 && { temperature: 0 }) })
    else for await (const _ of bedrock.messages.stream(params())) clock.pass(between(20, 120))
  }
  const ask = async (): Promise<void> => {
    const key = keys[Math.floor(random() ** 2 * 3)]
    const body = JSON.stringify({ ...params(), stream: random() < 0.5 })
    const headers = { 'x-api-key': `key-of-${key}`, 'content-type': 'application/json' }
    const response = await front.fetch(new Request('http://gateway/v1/messages', { method: 'POST', headers, body }))
    for await (const _ of response.body ?? []) clock.pass(between(20, 120))
  }
  while (clock.now() - started < seconds * 1000) {
    misbehave()
    await call().catch(() => {})
    misbehave()
    await Promise.all(Array.from({ length: Math.floor(random() * 4) }, () => ask().catch(() => {})))
    clock.pass(between(50, 600 * (1.2 + Math.sin((clock.now() - started) / 200_000))))
    await scrape()
  }
  return scrapes
}
