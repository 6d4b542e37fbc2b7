// The program that every consumer runs, in the consumer's form.

/** Where the fake is, and who may call it. */
export interface Settings {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** The output of a successful program. */
export const expected = 'An outcrop is bedrock that shows at the surface, in 1 call'

const body = `
  const bedrock = createBedrockClient(settings)
  const stream = bedrock.messages.stream({
    model: 'sonnet',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'What is an outcrop?' }],
  })
  let text = ''
  for await (const piece of stream.textStream) text += piece
  const { metadata } = await stream.finalMessage()
  return text.slice(0, 47) + ', in ' + metadata.attempts + ' call'`

/** For Node and bundlers, as it is written in JavaScript. */
export const module = (settings: Settings): string => `import { createBedrockClient } from 'outcrop'
const settings = ${JSON.stringify(settings)}
export async function run() {${body}
}
`

/** The same for `require`. */
export const script = (settings: Settings): string => `const { createBedrockClient } = require('outcrop')
const settings = ${JSON.stringify(settings)}
exports.run = async function run() {${body}
}
`

/** In strict TypeScript, with every subpath among the imports. */
export const typed = (settings: Settings, subpaths: readonly string[]): string => `import {
  type BedrockClientOptions,
  createBedrockClient,
  isBedrockError,
  type Message,
  type MessageParam,
  type Middleware,
} from 'outcrop'
import { tool, type StandardSchema } from 'outcrop/tools'
${subpaths.map((subpath, i) => `import * as module${i} from '${subpath}'`).join('\n')}
export const modules: object[] = [${subpaths.map((_, i) => `module${i}`).join(', ')}]
const settings: BedrockClientOptions = ${JSON.stringify(settings)}

export async function run(): Promise<string> {${body}
}

export const middleware: Middleware = async (request, next, { region }) => {
  try {
    return await next({ ...request, headers: { ...request.headers, 'x-region': region } })
  } catch (error) {
    if (isBedrockError(error, 'service')) console.log(error.status, error.retryAfter)
    throw error
  }
}

export function answer(message: Message): MessageParam {
  return { role: message.role, content: message.content }
}

export const makeTool = (schema: StandardSchema<{ city: string }>) =>
  tool({ name: 'weather', inputSchema: schema, jsonSchema: { type: 'object' }, run: ({ city }) => city.length })

// @ts-expect-error A message needs max_tokens.
export const wrong = () => createBedrockClient().messages.stream({ model: 'sonnet', messages: [] })
`

/** A Worker, and a route handler of Next. */
export const handler = (settings: Settings): string => `import { createBedrockClient } from 'outcrop'

const bedrock = createBedrockClient(${JSON.stringify(settings)})

async function answer(request) {
  const { prompt } = await request.json()
  const messages = [{ role: 'user', content: prompt }]
  return bedrock.messages.stream({ model: 'sonnet', max_tokens: 100, messages }).toResponse()
}
`

/** Asks a handler over `fetch`, and tells what it answered. */
export const asking = `import { readMessageStream } from 'outcrop'
export async function ask(answer) {
  const request = { method: 'POST', body: JSON.stringify({ prompt: 'What is an outcrop?' }) }
  const stream = readMessageStream(await answer('http://127.0.0.1/api', request))
  const text = await stream.finalText()
  return text.slice(0, 47) + ', in 1 call'
}
`
