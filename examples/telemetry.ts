// OpenTelemetry: a trace of an application's calls, its metrics, and recipes for Workers and Lambda, which must flush. Runs on
// the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/telemetry.ts
import assert from 'node:assert/strict'
import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { createBedrockClient } from 'outcrop'
import { telemetry } from 'outcrop/telemetry'
import { createFakeBedrock } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { TreeExporter } from './telemetry/console-exporter.ts'

// An application sets this up once; `NodeSDK` of `@opentelemetry/sdk-node` does the same.
const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(new TreeExporter())] })
const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: metricExporter })] })
trace.setGlobalTracerProvider(provider)
metrics.setGlobalMeterProvider(meterProvider)
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())

const fake = createFakeBedrock({ reply: 'An outcrop is where bedrock meets the surface.' })
const bedrock = createBedrockClient({
  region: fake.region,
  credentials: fake.identity,
  fetch: fake.fetch,
  retry: { baseDelay: 10 },
  middleware: [telemetry()],
})

const messages = [{ role: 'user' as const, content: 'What is an outcrop?' }]
await trace.getTracer('my-app').startActiveSpan('GET /answer', async (span) => {
  await bedrock.messages.countTokens({ model: 'sonnet', messages })
  // The first attempt fails, and becomes an event of the span.
  fake.fail('throttling')
  const stream = bedrock.messages.stream({ model: 'sonnet', max_tokens: 100, messages })
  for await (const text of stream.textStream) process.stdout.write(text)
  process.stdout.write('\n\n')
  span.end()
})
await provider.forceFlush()

await meterProvider.forceFlush()
console.log('\nMetrics:')
for (const { scopeMetrics } of metricExporter.getMetrics())
  for (const { metrics } of scopeMetrics) for (const { descriptor } of metrics) console.log(`  ${descriptor.name}`)
await meterProvider.shutdown()

// The recipes call the fake over HTTP.
const server = await serveFakeBedrock(fake)
const { accessKeyId, secretAccessKey } = fake.identity
const env = {
  AWS_REGION: fake.region,
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_ENDPOINT_URL: server.url,
}
Object.assign(process.env, env)

console.log('\nAWS Lambda:')
const { handler } = await import('./telemetry/lambda.ts')
assert.match((await handler({ question: 'What is an outcrop?' })).answer, /bedrock/)

console.log('\nCloudflare Workers:')
const { default: worker } = await import('./telemetry/cloudflare-worker.ts')
const pending: Promise<unknown>[] = []
const request = new Request('http://worker', { method: 'POST', body: JSON.stringify({ messages }) })
const response = await worker.fetch(request, env, { waitUntil: (promise) => pending.push(promise) })
assert.match(await response.text(), /bedrock/)
await Promise.all(pending)
await server.close()
