import type { TelemetrySpan } from './opentelemetry.ts'

/**
 * Returns the headers that pass a span on to the receiver of the request. No baggage, because an application's baggage
 * is not meant for AWS.
 *
 * @see https://www.w3.org/TR/trace-context/
 */
export function traceContextHeaders(span: TelemetrySpan): Record<string, string> {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext()
  // Without an SDK there is no trace, and its IDs are zeros.
  if (!/^(?!0+$)[\da-f]{32}$/.test(traceId) || !/^(?!0+$)[\da-f]{16}$/.test(spanId)) return {}
  const flags = (traceFlags & 0xff).toString(16).padStart(2, '0')
  const tracestate = traceState?.serialize()
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, ...(tracestate && { tracestate }) }
}
