// Cloudflare Workers. Set AWS_BEARER_TOKEN_BEDROCK with `wrangler secret put`, and AWS_REGION in `vars`.
import { type BedrockClient, createBedrockClient, type MessageParam } from 'outcrop'

// Shared by all requests of an isolate, because it caches credentials, signing keys and what it has learned.
let bedrock: BedrockClient | undefined

export default {
  async fetch(request: Request, env: Record<string, string>): Promise<Response> {
    bedrock ??= createBedrockClient({ env })
    const { messages } = (await request.json()) as { messages: MessageParam[] }
    return bedrock.messages.stream({ model: 'sonnet', max_tokens: 1024, messages }).toResponse()
  },
}
