// What is used of OpenTelemetry's API, by structure: its own objects fit, and nobody needs its package for these types.

/** Attributes of a span, an event or a measurement, by name. */
export type TelemetryAttributes = Record<string, string | number | boolean | string[]>

/** A span, as `@opentelemetry/api` has it. */
export interface TelemetrySpan {
  setAttributes(attributes: TelemetryAttributes): unknown
  addEvent(name: string, attributes: TelemetryAttributes): unknown
  setStatus(status: { code: number; message?: string }): unknown
  isRecording(): boolean
  spanContext(): TelemetrySpanContext
  end(): void
}

/** What identifies a span, as `@opentelemetry/api` has it. */
export interface TelemetrySpanContext {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly traceState?: { serialize(): string } | undefined
}

/** Makes spans: what `trace.getTracer('my-app')` of `@opentelemetry/api` gives. */
export interface TelemetryTracer {
  startActiveSpan<T>(name: string, options: SpanOptions, run: (span: TelemetrySpan) => T): T
  startActiveSpan<T>(name: string, options: SpanOptions, context: unknown, run: (span: TelemetrySpan) => T): T
}

interface SpanOptions {
  kind: number
  attributes: TelemetryAttributes
}

/** Makes instruments: what `metrics.getMeter('my-app')` of `@opentelemetry/api` gives. */
export interface TelemetryMeter {
  createHistogram(name: string, options: HistogramOptions): TelemetryHistogram
  createCounter(name: string, options: InstrumentOptions): TelemetryCounter
}

interface InstrumentOptions {
  description: string
  unit: string
}

interface HistogramOptions extends InstrumentOptions {
  advice: { explicitBucketBoundaries: number[] }
}

/** A histogram, as `@opentelemetry/api` has it. */
export interface TelemetryHistogram {
  record(value: number, attributes: TelemetryAttributes): void
}

/** A counter, as `@opentelemetry/api` has it. */
export interface TelemetryCounter {
  add(value: number, attributes: TelemetryAttributes): void
}

/** `SpanKind.CLIENT` */
export const clientKind = 2
/** `SpanStatusCode.ERROR` */
export const errorStatus = 2

// Where every copy of `@opentelemetry/api` 1.x keeps what an SDK registered, so that copies of several versions and formats
// act as one. Looked up at each call: an SDK may be registered after the client was made.
const registry: unique symbol = Symbol.for('opentelemetry.js.api.1') as never

interface Registry {
  readonly trace?: { getTracer(name: string): TelemetryTracer }
  readonly metrics?: { getMeter(name: string): TelemetryMeter }
}

const registered = (): Registry => (globalThis as { readonly [registry]?: Registry })[registry] ?? {}

/** The tracer of the registered provider, if there is one. */
export const registeredTracer = (): TelemetryTracer | undefined => registered().trace?.getTracer('outcrop')

/** The meter of the registered provider, if there is one. */
export const registeredMeter = (): TelemetryMeter | undefined => registered().metrics?.getMeter('outcrop')
