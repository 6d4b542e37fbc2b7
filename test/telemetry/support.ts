import { context, type ContextManager, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { type BedrockClient, type BedrockClientOptions, createBedrockClient } from 'outcrop'
import { telemetry, type TelemetryOptions } from 'outcrop/telemetry'
import { createFakeBedrock, type FakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'
import { expect } from 'vitest'

export const params = { model: 'sonnet', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] }
export const requestModel = 'us.anthropic.claude-sonnet-4-6'

export const rejectionOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error,
  )

/** One measurement: its attributes, and a number, or the count and sum of a histogram. */
export interface Measured {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly value: number | { readonly count: number; readonly sum: number }
}

/** OpenTelemetry's own SDK, with exporters that keep what they get. */
export function openSdk() {
  const spanExporter = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] })
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const contextManager: ContextManager = new AsyncLocalStorageContextManager().enable()
  return {
    tracerProvider,
    meterProvider,
    tracer: tracerProvider.getTracer('test'),
    meter: meterProvider.getMeter('test'),
    spans: (): ReadableSpan[] => spanExporter.getFinishedSpans(),
    /** The measurements of each metric, by its name. */
    async measured(): Promise<Record<string, Measured[]>> {
      await meterProvider.forceFlush()
      const found = (metricExporter.getMetrics().at(-1)?.scopeMetrics ?? []).flatMap(({ metrics }) => metrics)
      return Object.fromEntries(
        found.map(({ descriptor, dataPoints }) => [
          descriptor.name,
          dataPoints.map(({ attributes, value }) => ({
            attributes,
            value: typeof value === 'number' ? value : { count: value.count, sum: (value as { sum: number }).sum },
          })),
        ]),
      )
    },
    /** Registers all of it, as an application does. */
    register(): void {
      trace.setGlobalTracerProvider(tracerProvider)
      metrics.setGlobalMeterProvider(meterProvider)
      context.setGlobalContextManager(contextManager)
    },
    async close(): Promise<void> {
      trace.disable()
      metrics.disable()
      context.disable()
      contextManager.disable()
      await tracerProvider.shutdown()
      await meterProvider.shutdown()
    },
  }
}

/** A client on a fake, whose calls are told to an SDK. */
export function openClient(
  sdk: ReturnType<typeof openSdk>,
  {
    options,
    client,
    bedrock: fakeOptions,
  }: { options?: TelemetryOptions; client?: BedrockClientOptions; bedrock?: FakeBedrockOptions } = {},
): { readonly fake: FakeBedrock; readonly bedrock: BedrockClient } {
  const fake = createFakeBedrock(fakeOptions)
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    retry: { baseDelay: 0 },
    ...client,
    middleware: [telemetry({ tracer: sdk.tracer, meter: sdk.meter, ...options }), ...(client?.middleware ?? [])],
  })
  return { fake, bedrock }
}

/** The only span there is. */
export function onlySpan(sdk: ReturnType<typeof openSdk>): ReadableSpan {
  const spans = sdk.spans()
  expect(spans.map(({ name }) => name)).toHaveLength(1)
  return spans[0] as ReadableSpan
}
