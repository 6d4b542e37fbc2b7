// A Worker with one client for all of its requests, as most have. The client may wait for a promise of another request, which
// may end first.
import { createBedrockClient } from 'outcrop'
import { memoryStore, responseCaching } from 'outcrop/caching'
import { cached } from 'outcrop/credentials'

const clients = new Map()
let ahead = 0
const clock = {
  now: () => Date.now() + ahead,
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (handle) => clearTimeout(handle),
}

function createClient({ scenario, settings, vault }) {
  const keys = cached(
    async ({ fetch }) => ({ ...(await (await fetch(vault)).json()), expiration: new Date(clock.now() + 3_600_000) }),
    { clock },
  )
  return createBedrockClient({
    ...settings,
    ...(scenario === 'credentials' && { credentials: keys }),
    ...(scenario === 'discovery' && { models: { discovery: true } }),
    ...(scenario === 'response cache' && { middleware: [responseCaching({ store: memoryStore() })] }),
  })
}

export default {
  async fetch(request) {
    const { way, passed, ...options } = await request.json()
    ahead = passed
    const name = JSON.stringify(options)
    if (!clients.has(name)) clients.set(name, createClient(options))
    const { messages } = clients.get(name)

    // Answered before Bedrock has, and kept busy: workerd notices that a client has left when it writes to that client.
    const { readable, writable } = new TransformStream()
    const writer = writable.getWriter()
    const write = (text) => writer.write(new TextEncoder().encode(text))
    const heartbeat = setInterval(() => write('.\n').catch(() => {}), 10)
    ask(messages, way)
      .catch((error) => `failed: ${String(error).replaceAll('\n', ' ')}`)
      .then(async (outcome) => {
        clearInterval(heartbeat)
        await write(outcome)
        await writer.close()
      })
      .catch(() => {})
    return new Response(readable)
  },
}

async function ask(messages, way) {
  const params = { model: 'sonnet', max_tokens: 64, temperature: 0, messages: [{ role: 'user', content: 'Why?' }] }
  if (way === 'create') await messages.create(params)
  else for await (const event of messages.stream(params)) if (!event.type) throw new Error('an event without a type')
  return 'done'
}
