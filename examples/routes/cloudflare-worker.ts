// Cloudflare Workers. `wrangler secret put AWS_BEARER_TOKEN_BEDROCK`, and AWS_REGION among `vars`.
import { type BedrockClient, createBedrockClient, type MessageParam } from 'outcrop'

// One client for all requests of an isolate: it keeps credentials, signing keys and what it learned.
let bedrock: BedrockClient | undefined

export default {
  async fetch(request: Request, env: Record<string, string>): Promise<Response> {
    bedrock ??= createBedrockClient({ env })
    const { messages } = (await request.json()) as { messages: MessageParam[] }
    return bedrock.messages.stream({ model: 'sonnet', max_tokens: 1024, messages }).toResponse()
  },
}
