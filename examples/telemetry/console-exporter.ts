import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base'

/** Prints spans as a tree. In production, OTLPTraceExporter of `@opentelemetry/exporter-trace-otlp-http` sends them to a collector. */
export class TreeExporter implements SpanExporter {
  exported = 0

  export(spans: ReadableSpan[], done: (result: { code: number }) => void): void {
    this.exported += spans.length
    const ids = new Set(spans.map((span) => span.spanContext().spanId))
    const print = (span: ReadableSpan, depth: number): void => {
      const indent = '  '.repeat(depth)
      const [seconds, nanoseconds] = span.duration
      console.log(`${indent}${span.name}  ${(seconds * 1000 + nanoseconds / 1e6).toFixed(1)} ms`)
      for (const [name, value] of Object.entries(span.attributes)) console.log(`${indent}    ${name} = ${value}`)
      for (const { name, attributes } of span.events)
        console.log(`${indent}    * ${name} ${JSON.stringify(attributes)}`)
      for (const child of spans)
        if (child.parentSpanContext?.spanId === span.spanContext().spanId) print(child, depth + 1)
    }
    for (const span of spans) if (!ids.has(span.parentSpanContext?.spanId ?? '')) print(span, 0)
    done({ code: 0 })
  }

  async shutdown(): Promise<void> {}
}
