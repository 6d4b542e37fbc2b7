// The cost of telemetry per call. Processes differ by a few percent, so each contestant takes turns with the baseline in one
// process, a few calls at a time.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { metrics, trace } from '@opentelemetry/api'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'
import { createBedrockClient } from 'outcrop'
import { telemetry } from 'outcrop/telemetry'
import { answer } from './http-bodies.mjs'

export const name = 'create 1 KB message, with telemetry'
export const baseline = 'without telemetry'
export const format = (microseconds) => `${microseconds.toFixed(1)} µs`
const batch = 10
const batches = 800

const client = (middleware) =>
  createBedrockClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI-EXAMPLE' },
    fetch: async () => new Response(answer, { headers: { 'content-type': 'application/json' } }),
    middleware,
  })
const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'x'.repeat(1000) }],
}

const clients = {
  [baseline]: () => client([]),
  // Its difference from the baseline is noise.
  'without telemetry, again': () => client([]),
  'no SDK registered': () => client([telemetry()]),
  'no SDK, tracer and meter of the API': () =>
    client([telemetry({ tracer: trace.getTracer('app'), meter: metrics.getMeter('app') })]),
  'an SDK that exports nothing': () =>
    client([
      telemetry({
        tracer: new BasicTracerProvider().getTracer('app'),
        meter: new MeterProvider().getMeter('app'),
      }),
    ]),
}

/** Returns the times of each round, in microseconds per call, by contestant. */
export async function measure(rounds) {
  const times = Object.fromEntries(Object.keys(clients).map((contestant) => [contestant, []]))
  for (let round = 0; round < rounds; round++) {
    for (const contestant of Object.keys(clients)) {
      const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), contestant])
      const [base, time] = JSON.parse(output)
      // Scaled from this process's baseline to that of the first process.
      times[contestant].push(contestant === baseline ? base : (time / base) * times[baseline][round])
    }
  }
  return times
}

async function compare(contestant) {
  const pair = [baseline, contestant].map((each) => ({ bedrock: clients[each](), spent: 0 }))
  for (let round = -100; round < batches; round++) {
    // In random order, so that garbage collection affects both equally.
    for (const each of Math.random() < 0.5 ? pair : pair.toReversed()) {
      const { user, system } = process.cpuUsage()
      for (let i = 0; i < batch; i++) await each.bedrock.messages.create(params)
      const after = process.cpuUsage()
      if (round >= 0) each.spent += after.user + after.system - user - system
    }
  }
  return pair.map(({ spent }) => spent / batches / batch)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await compare(process.argv[2])))
