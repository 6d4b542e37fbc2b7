// The Vercel AI SDK on Bedrock, and a route for `useChat`. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/ai-sdk.ts
import { createAnthropic } from '@ai-sdk/anthropic'
import { convertToModelMessages, DefaultChatTransport, readUIMessageStream, streamText, type UIMessage } from 'ai'
import { createBedrockClient } from 'outcrop'
import { anthropicOptions } from 'outcrop/anthropic'
import { createFakeBedrock } from 'outcrop/testing'

const fake = createFakeBedrock({ reply: 'An outcrop is where bedrock meets the surface.' })
const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })

// The only new line.
const claude = createAnthropic(anthropicOptions(bedrock))

// app/api/chat/route.ts
async function POST(request: Request): Promise<Response> {
  const { messages } = (await request.json()) as { messages: UIMessage[] }
  const result = streamText({
    model: claude('claude-sonnet-4-6'),
    messages: await convertToModelMessages(messages),
    // The client retries already. The call ends if the browser disconnects.
    maxRetries: 0,
    abortSignal: request.signal,
  })
  return result.toUIMessageStreamResponse()
}

// `useChat()` does this in the browser.
const transport = new DefaultChatTransport({
  api: 'https://app.example/api/chat',
  fetch: async (input, init) => POST(new Request(input, init)),
})
const stream = await transport.sendMessages({
  trigger: 'submit-message',
  chatId: 'chat',
  messageId: undefined,
  messages: [{ id: '1', role: 'user', parts: [{ type: 'text', text: 'What is an outcrop?' }] }],
  abortSignal: undefined,
})
let message: UIMessage | undefined
for await (const soFar of readUIMessageStream({ stream })) message = soFar
console.log(message?.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(''))
