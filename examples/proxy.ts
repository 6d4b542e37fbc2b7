// Calls through a company's proxy that requires a password. Runs on the embedded fake Bedrock, with a small proxy.
//
//   npm run build && npx tsx examples/proxy.ts
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createBedrockClient, isBedrockError } from 'outcrop'
import { createNodeFetch } from 'outcrop/node'
import { createFakeBedrock } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'

const fake = createFakeBedrock({ reply: 'Hello from behind the proxy.' })
const server = await serveFakeBedrock(fake)
const { port } = new URL(server.url)

const expected = `Basic ${Buffer.from('me:example-password').toString('base64')}`
const proxy = createServer((request, response) => {
  if (request.headers['proxy-authorization'] !== expected) {
    response.writeHead(407).end()
    return
  }
  // Every request goes to the fake, for any host.
  const body: Uint8Array[] = []
  request
    .on('data', (chunk) => body.push(chunk))
    .on('end', () => forward(request, Buffer.concat(body), response.socket as Socket))
})
function forward({ method, url = '', rawHeaders }: IncomingMessage, body: Uint8Array, client: Socket): void {
  const { pathname } = new URL(url)
  const upstream = connect(Number(port), '127.0.0.1')
  const headers = rawHeaders.flatMap((text, i) => (i % 2 ? [] : [`${text}: ${rawHeaders[i + 1]}`]))
  upstream.write(`${method} ${pathname} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
  upstream.end(body)
  upstream.pipe(client)
}
await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`

const options = {
  region: fake.region,
  credentials: fake.identity,
  // AWS's own hosts use https, through a tunnel. Plain http is only for this example.
  endpoint: { url: 'http://bedrock.example.com', allowHttp: true },
}
const params = { model: 'sonnet', max_tokens: 64, messages: [{ role: 'user' as const, content: 'Hello!' }] }

// Without a password the proxy refuses, and the error names the proxy.
const anonymous = createBedrockClient({ ...options, fetch: createNodeFetch({ proxy: `http://${address}` }) })
try {
  await anonymous.messages.create(params)
} catch (error) {
  if (!isBedrockError(error, 'connection')) throw error
  console.log(error.message.replace(address, 'proxy:3128'))
  console.log(error.hint?.replace(address, 'proxy:3128'))
}

// HTTPS_PROXY and HTTP_PROXY in the environment need no code.
const bedrock = createBedrockClient({ ...options, env: { HTTP_PROXY: `http://me:example-password@${address}` } })
const message = await bedrock.messages.create(params)
console.log(message.content[0]?.type === 'text' && message.content[0].text)

proxy.close()
await server.close()
