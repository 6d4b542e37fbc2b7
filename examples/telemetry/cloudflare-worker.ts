// Cloudflare Workers. The spans of a request leave before its context ends. `AWS_BEARER_TOKEN_BEDROCK` is a secret,
// `AWS_REGION` one of `vars`.
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
    // The span ends when the answer has been sent, or its reader has left. Only then is it there to be flushed.
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const sent = response.body?.pipeTo(writable).catch(() => {})
    context.waitUntil(Promise.resolve(sent).then(() => provider.forceFlush()))
    return new Response(readable, response)
  },
}
