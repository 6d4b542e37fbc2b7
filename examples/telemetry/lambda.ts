// AWS Lambda: flushes before the handler returns, because the runtime then freezes, and other spans would wait for the next
// call or be lost.
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { createBedrockClient } from 'outcrop'
import { telemetry } from 'outcrop/telemetry'
import { TreeExporter } from './console-exporter.ts'

const exporter = new TreeExporter()
const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] })
const bedrock = createBedrockClient({ middleware: [telemetry({ tracer: provider.getTracer('my-function') })] })

export async function handler({ question }: { question: string }): Promise<{ answer: string }> {
  try {
    const messages = [{ role: 'user' as const, content: question }]
    const stream = bedrock.messages.stream({ model: 'sonnet', max_tokens: 1024, messages })
    return { answer: await stream.finalText() }
  } finally {
    await provider.forceFlush()
  }
}
