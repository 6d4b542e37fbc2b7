// The used part of OpenTelemetry's API, as structural types, so that these types do not need its package.

/** Attributes of a span, an event or a measurement, by name. */
export type TelemetryAttributes = Record<string, string | number | boolean | string[]>

/** A span, as in `@opentelemetry/api`. */
export interface TelemetrySpan {
  setAttributes(attributes: TelemetryAttributes): unknown
  addEvent(name: string, attributes: TelemetryAttributes): unknown
  setStatus(status: { code: number; message?: string }): unknown
  isRecording(): boolean
  spanContext(): TelemetrySpanContext
  end(): void
}

/** The IDs of a span, as in `@opentelemetry/api`. */
export interface TelemetrySpanContext {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly traceState?: { serialize(): string } | undefined
}

/** Creates spans: the result of `trace.getTracer('my-app')` from `@opentelemetry/api`. */
export interface TelemetryTracer {
  startActiveSpan<T>(name: string, options: SpanOptions, run: (span: TelemetrySpan) => T): T
  startActiveSpan<T>(name: string, options: SpanOptions, context: unknown, run: (span: TelemetrySpan) => T): T
}

interface SpanOptions {
  kind: number
  attributes: TelemetryAttributes
}

/** Creates instruments: the result of `metrics.getMeter('my-app')` from `@opentelemetry/api`. */
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

/** A histogram, as in `@opentelemetry/api`. */
export interface TelemetryHistogram {
  record(value: number, attributes: TelemetryAttributes): void
}

/** A counter, as in `@opentelemetry/api`. */
export interface TelemetryCounter {
  add(value: number, attributes: TelemetryAttributes): void
}

/** `SpanKind.CLIENT` */
export const clientKind = 2
/** `SpanStatusCode.ERROR` */
export const errorStatus = 2

// Every copy of `@opentelemetry/api` 1.x keeps the registered providers here, so that copies of several versions and
// formats share them. Read at each call, because an SDK may be registered after the client was created.
const registry: unique symbol = Symbol.for('opentelemetry.js.api.1') as never

interface Registry {
  readonly trace?: { getTracer(name: string): TelemetryTracer }
  readonly metrics?: { getMeter(name: string): TelemetryMeter }
}

const registered = (): Registry => (globalThis as { readonly [registry]?: Registry })[registry] ?? {}

/** Returns the tracer of the registered provider, if there is one. */
export const registeredTracer = (): TelemetryTracer | undefined => registered().trace?.getTracer('outcrop')

/** Returns the meter of the registered provider, if there is one. */
export const registeredMeter = (): TelemetryMeter | undefined => registered().metrics?.getMeter('outcrop')
