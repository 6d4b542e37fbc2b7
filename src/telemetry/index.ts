/**
 * OpenTelemetry spans and metrics for each call, by the conventions for generative AI.
 *
 * @module
 */
export { telemetry } from './telemetry.ts'
export type { TelemetryCallOptions, TelemetryOptions } from './options.ts'
export type { TelemetryConventions } from './names.ts'
export type {
  TelemetryAttributes,
  TelemetryCounter,
  TelemetryHistogram,
  TelemetryMeter,
  TelemetrySpan,
  TelemetrySpanContext,
  TelemetryTracer,
} from './opentelemetry.ts'
