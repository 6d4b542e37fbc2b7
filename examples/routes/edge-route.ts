// A Next.js route, `app/chat/route.ts`, for the edge or Node. A page reads it with `readMessageStream(response)`.
import { createBedrockClient, type MessageParam } from 'outcrop'

export const runtime = 'edge'

const bedrock = createBedrockClient()

export async function POST(request: Request): Promise<Response> {
  const { messages } = (await request.json()) as { messages: MessageParam[] }
  const stream = bedrock.messages.stream({ model: 'sonnet', max_tokens: 1024, messages }, { signal: request.signal })
  return stream.toResponse()
}
