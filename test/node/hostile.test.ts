import { createBedrockClient, isBedrockError } from 'outcrop/core'
import { afterEach, expect, test } from 'vitest'
import { type Listening, listen, message, onRequest, params, response } from './support.ts'

const servers: Listening[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

/** Calls a server that answers with these bytes and, where `ends` says so, closes the connection. */
async function answerTo(bytes: readonly (string | Buffer)[], ends = false): Promise<unknown> {
  const server = await listen((socket) =>
    onRequest(socket, () => {
      for (const part of bytes) socket.write(part)
      if (ends) socket.end()
    }),
  )
  servers.push(server)
  const bedrock = createBedrockClient({
    region: 'us-east-1',
    credentials: 'none',
    endpoint: `http://127.0.0.1:${server.port}`,
    retry: false,
  })
  const result: unknown = await bedrock.messages.create(params).catch((error: unknown) => error)
  // Nobody uses the connection again; only where the body was whole by HTTP's rules, it may be kept.
  if (!bytes.join('').includes('content-encoding: gzip'))
    await expect.poll(() => server.connections.every(({ destroyed }) => destroyed)).toBe(true)
  return result
}

const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'

test.each<[string, string[], boolean?]>([
  ['text that is not HTTP', ['SSH-2.0-OpenSSH_9.6\r\n']],
  ['another HTTP version', ['HTTP/9.9 200 OK\r\n\r\n']],
  ['an invalid status', ['HTTP/1.1 2x0 OK\r\n\r\n']],
  ['a header without a colon', [`${head}nonsense\r\n\r\n`]],
  ['a header over two lines', [`${head}x-a: b\r\n c\r\n\r\n`]],
  ['a NUL in a header', [`${head}x-a: b\0c\r\n\r\n`]],
  ['a megabyte of headers', [`${head}${`x-a: ${'b'.repeat(1000)}\r\n`.repeat(1000)}`]],
  ['an endless header', [`${head}x-a: `, 'b'.repeat(1_000_000)]],
  ['two content-lengths', [`${head}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!`]],
  ['a content-length with chunks', [`${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`]],
  ['an invalid content-length', [`${head}content-length: -5\r\n\r\n`]],
  ['a body shorter than its length', [`${head}content-length: 500\r\n\r\n{"id":`], true],
  ['an invalid chunk length', [`${head}transfer-encoding: chunked\r\n\r\nZZ\r\nhello\r\n`]],
  ['a chunk longer than its length', [`${head}transfer-encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n`]],
  ['endless chunks', [`${head}transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n`], true],
  ['another protocol', ['HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n']],
  ['no response', [], true],
  ['half of the headers', [head], true],
  ['an unknown compression', [`${head}content-encoding: zstd\r\ncontent-length: 2\r\n\r\n{}`]],
  ['a body that is not gzip', [`${head}content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}`]],
])('reports %s as a connection error', async (_, bytes, ends) => {
  const error = await answerTo(bytes, ends)
  expect(error).toMatchObject({ name: 'ConnectionError', code: 'connection' })
  expect((error as Error).message.length).toBeLessThan(300)
})

test.each<[string, string]>([
  ['a second response', response() + response(message.replace('fine', 'evil'))],
  ['other bytes', `${response()}GET / HTTP/1.1\r\n\r\n`],
])('closes the connection after a response followed by %s', async (_, bytes) => {
  const result = await answerTo([bytes])
  if (isBedrockError(result)) expect(result).toMatchObject({ code: 'connection' })
  else expect(result).toMatchObject({ content: [{ text: 'fine' }] })
})

test('does not follow redirects', async () => {
  const server = await listen((socket) =>
    onRequest(socket, () =>
      socket.write(
        `HTTP/1.1 307 Elsewhere\r\nlocation: http://127.0.0.1:${server.port}/x\r\ncontent-length: 0\r\n\r\n`,
      ),
    ),
  )
  servers.push(server)
  const bedrock = createBedrockClient({
    region: 'us-east-1',
    credentials: { token: 'example-token' },
    endpoint: `http://127.0.0.1:${server.port}`,
  })
  await expect(bedrock.messages.create(params)).rejects.toMatchObject({ code: 'service', status: 307 })
})
