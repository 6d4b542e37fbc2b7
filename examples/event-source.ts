// A message as server-sent events, for a browser. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/event-source.ts
import { createBedrockClient } from 'outcrop'
import { toEventStream } from 'outcrop/anthropic'
import { createFakeBedrock } from 'outcrop/testing'

const fake = createFakeBedrock({ reply: 'An outcrop is where bedrock meets the surface.' })
const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })

// A route for any server that uses Request and Response.
const route = (question: string): Promise<Response> =>
  toEventStream(
    bedrock.messages.stream({ model: 'sonnet', max_tokens: 256, messages: [{ role: 'user', content: question }] }),
  )

// In the browser:
//
//   const source = new EventSource('/chat?question=…')
//   source.addEventListener('content_block_delta', ({ data }) => show(JSON.parse(data).delta.text))
//   for (const last of ['message_stop', 'error']) source.addEventListener(last, () => source.close())
const response = await route('What is an outcrop?')
console.log(response.headers.get('content-type'))
console.log((await response.text()).split('\n\n').slice(0, 4).join('\n\n'))
