// Hono, on any of its runtimes. Streams server-sent events.
import { Hono } from 'hono'
import { createBedrockClient, type MessageParam } from 'outcrop'

const bedrock = createBedrockClient()

const app = new Hono()
app.post('/chat', async (c) => {
  const { messages } = await c.req.json<{ messages: MessageParam[] }>()
  const stream = bedrock.messages.stream({ model: 'sonnet', max_tokens: 1024, messages }, { signal: c.req.raw.signal })
  return stream.toResponse({ format: 'sse' })
})

export default app
