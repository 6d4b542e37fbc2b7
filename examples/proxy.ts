// Through a company's proxy: here a small one of our own, which opens tunnels and asks for a password.
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
  // Whatever host is asked for, it is the fake that answers.
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
  // AWS's own host is https, and goes through a tunnel; plain http is for this example alone.
  endpoint: { url: 'http://bedrock.example.com', allowHttp: true },
}
const params = { model: 'sonnet', max_tokens: 64, messages: [{ role: 'user' as const, content: 'Hello!' }] }

// Without a user, the proxy says no, and the error says that it was the proxy.
const anonymous = createBedrockClient({ ...options, fetch: createNodeFetch({ proxy: `http://${address}` }) })
try {
  await anonymous.messages.create(params)
} catch (error) {
  if (!isBedrockError(error, 'connection')) throw error
  console.log(error.message.replace(address, 'proxy:3128'))
  console.log(error.hint?.replace(address, 'proxy:3128'))
}

// HTTPS_PROXY and HTTP_PROXY of the environment do the same without a line of code.
const bedrock = createBedrockClient({ ...options, env: { HTTP_PROXY: `http://me:example-password@${address}` } })
const message = await bedrock.messages.create(params)
console.log(message.content[0]?.type === 'text' && message.content[0].text)

proxy.close()
await server.close()
