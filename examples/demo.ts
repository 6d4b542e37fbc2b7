// Streams a message to the terminal with everything that a real call needs: credentials, SigV4, HTTP, event stream.
//
//   npm run demo -- "your prompt"                              against the embedded fake Bedrock, over HTTP
//   npm run demo -- --live --region R --model M "your prompt"  against Amazon Bedrock, with your own credentials
import { parseArgs } from 'node:util'
import { createBedrockClient, isBedrockError } from 'outcrop'
import { createFakeBedrock } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    live: { type: 'boolean', default: false },
    region: { type: 'string' },
    model: { type: 'string', default: 'sonnet' },
  },
})
const prompt = positionals.join(' ') || 'What is an outcrop, in two sentences?'

const fake = createFakeBedrock({ region: 'us-east-1' })
const server = values.live ? undefined : await serveFakeBedrock(fake)
const bedrock = server
  ? createBedrockClient({ region: fake.region, credentials: fake.identity, endpoint: server.url })
  : createBedrockClient({ region: values.region })

const controller = new AbortController()
process.once('SIGINT', () => controller.abort(new Error('interrupted')))

try {
  const started = performance.now()
  let firstToken: number | undefined
  const stream = bedrock.messages.stream(
    { model: values.model, max_tokens: 1024, messages: [{ role: 'user', content: prompt }] },
    { signal: controller.signal },
  )
  for await (const text of stream.textStream) {
    firstToken ??= performance.now() - started
    process.stdout.write(text)
  }
  const message = await stream.finalMessage()
  const { model, usage } = message.metadata
  const signature = fake.calls.at(-1)?.signature
  const rows = [
    ['model', model.id],
    ['stop reason', message.stop_reason],
    ['tokens', `${usage.inputTokens} in, ${usage.outputTokens} out`],
    ['time to first token', `${firstToken?.toFixed(0)} ms`],
    ...(server ? [['signature', signature?.valid ? 'verified' : `refused: ${signature?.reason}`]] : []),
  ]
  console.log(`\n\n${rows.map(([name, value]) => `${name?.padEnd(20)} ${value}`).join('\n')}`)
} catch (error) {
  if (controller.signal.aborted) console.error('\nInterrupted.')
  else console.error(isBedrockError(error) ? `\n${error.name}: ${error.message}\n${error.hint ?? ''}` : error)
  process.exitCode = controller.signal.aborted ? 130 : 1
} finally {
  await server?.close()
}
