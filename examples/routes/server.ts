// Deno and Bun serve a module's default export: `deno serve --allow-net --allow-env server.ts`, `bun server.ts`.
import { createBedrockClient, type MessageParam } from 'outcrop'

const bedrock = createBedrockClient()

export default {
  async fetch(request: Request): Promise<Response> {
    const { messages } = (await request.json()) as { messages: MessageParam[] }
    const stream = bedrock.messages.stream({ model: 'sonnet', max_tokens: 1024, messages }, { signal: request.signal })
    return stream.toResponse()
  },
}
