// A tool loop, and output that matches a schema. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/tools.ts
import assert from 'node:assert/strict'
import { createBedrockClient } from 'outcrop'
import { createFakeBedrock } from 'outcrop/testing'
import { parse, runTools, tool } from 'outcrop/tools'
import { z } from 'zod'

const fake = createFakeBedrock()
const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })

const weather = tool({
  name: 'weather',
  description: 'Returns the weather in a city.',
  inputSchema: z.object({ city: z.string() }),
  run: ({ city }) => ({ city, sky: 'clear', degrees: 21 }),
})

// The fake calls a tool if the prompt names it.
const runner = runTools(
  bedrock,
  {
    model: 'sonnet',
    max_tokens: 1024,
    messages: [{ role: 'user', content: 'Use weather to see if I need an umbrella.' }],
    tools: [weather],
    limits: { turns: 5 },
    stream: true,
  },
  { signal: AbortSignal.timeout(60_000) },
)
for await (const stream of runner) {
  for await (const text of stream.textStream) process.stdout.write(text)
  process.stdout.write('\n')
}
assert.equal(runner.messages.length, 4)
console.log(`${runner.usage.inputTokens} tokens in, ${runner.usage.outputTokens} out`)

const { parsed_output } = await parse(bedrock, {
  model: 'sonnet',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Name a rock.' }],
  output_config: { format: z.object({ name: z.string(), kind: z.enum(['igneous', 'sedimentary', 'metamorphic']) }) },
})
assert.equal(parsed_output.kind, 'igneous')
console.log(parsed_output)
