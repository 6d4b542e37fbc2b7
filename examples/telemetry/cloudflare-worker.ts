// Cloudflare Workers: exports the spans of a request before its context ends. Set AWS_BEARER_TOKEN_BEDROCK with
// `wrangler secret put`, and AWS_REGION in `vars`.
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { type BedrockClient, createBedrockClient, type MessageParam } from 'outcrop'
import { telemetry } from 'outcrop/telemetry'
import { TreeExporter } from './console-exporter.ts'

const exporter = new TreeExporter()
const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] })
const tracer = provider.getTracer('my-worker')
let bedrock: BedrockClient | undefined

export default {
  async fetch(
    request: Request,
    env: Record<string, string>,
    context: { waitUntil(promise: Promise<unknown>): void },
  ): Promise<Response> {
    bedrock ??= createBedrockClient({ env, middleware: [telemetry({ tracer })] })
    const { messages } = (await request.json()) as { messages: MessageParam[] }
    const response = await bedrock.messages.stream({ model: 'sonnet', max_tokens: 1024, messages }).toResponse()
    // The span ends when the response has been sent or the client has disconnected, and can be flushed only then.
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const sent = response.body?.pipeTo(writable).catch(() => {})
    context.waitUntil(Promise.resolve(sent).then(() => provider.forceFlush()))
    return new Response(readable, response)
  },
}
