import { mkdtempSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import { type BedrockCoreClient, createBedrockClient } from 'outcrop/core'
import { createNodeFetch, type NodeFetchOptions } from 'outcrop/node'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type Certificate, createCertificate } from './certificate.ts'
import { type Listening, listen, message, onRequest, params, response } from './support.ts'

let certificate: Certificate
let mine: Certificate
beforeAll(() => {
  certificate = createCertificate()
  mine = createCertificate('me')
})
const servers: Listening[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function serve(options: object = {}, more = ''): Promise<Listening> {
  const server = await listen((socket) => onRequest(socket, () => answer(socket, more)), { ...certificate, ...options })
  servers.push(server)
  return server
}

function answer(socket: Socket, more: string): void {
  socket.write(response(undefined, ...(more ? [more] : [])))
  if (more) socket.end()
}

function client({ port }: { port: number }, options: NodeFetchOptions): BedrockCoreClient {
  return createBedrockClient({
    region: 'us-east-1',
    credentials: 'none',
    endpoint: `https://localhost:${port}`,
    retry: false,
    fetch: createNodeFetch(options),
  })
}

test('shares one connection among 20 calls', async () => {
  const server = await serve()
  const bedrock = client(server, { ca: certificate.cert })
  for (let i = 0; i < 20; i++) await bedrock.messages.create(params)
  expect(server.connections).toHaveLength(1)
})

test('resumes a TLS session on the next connection', async () => {
  const server = await serve({}, 'connection: close')
  const bedrock = client(server, { ca: certificate.cert })
  for (let i = 0; i < 3; i++) await bedrock.messages.create(params)
  expect(server.connections).toHaveLength(3)
  expect((server.connections.at(-1) as TLSSocket).isSessionReused()).toBe(true)
})

test('rejects an untrusted certificate, says what to do, and sends nothing', async () => {
  const heads: string[] = []
  const server = await listen((socket) => onRequest(socket, (head) => heads.push(head)), certificate)
  servers.push(server)
  await expect(client(server, {}).messages.create(params)).rejects.toMatchObject({
    code: 'connection',
    retryable: false,
    hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
  })
  expect(heads).toEqual([])
})

test('sends a client certificate', async () => {
  const server = await serve({ requestCert: true, rejectUnauthorized: true, ca: mine.cert })
  await expect(client(server, { ca: certificate.cert }).messages.create(params)).rejects.toMatchObject({
    code: 'connection',
  })
  await client(server, { ca: certificate.cert, ...mine }).messages.create(params)
  expect((server.connections.at(-1) as TLSSocket).getPeerCertificate().subject.CN).toBe('me')
})

test.each([
  ['a path instead of a certificate', () => ({ ca: '/etc/ssl/root.crt' })],
  ['an invalid key', () => ({ cert: mine.cert, key: 's3cret-key' })],
  ['the key of another certificate', () => ({ cert: mine.cert, key: certificate.key })],
  ['a missing NODE_EXTRA_CA_CERTS file', () => ({ env: { NODE_EXTRA_CA_CERTS: '/does/not/exist' } })],
])('reports %s as a ConfigurationError', async (_, options) => {
  const server = await serve()
  const call = async (): Promise<unknown> => client(server, options()).messages.create(params)
  const error: unknown = await call().catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'configuration' })
  expect(inspect(error)).not.toMatch(/s3cret|PRIVATE KEY/)
})

test('uses a custom agent', async () => {
  const server = await serve()
  const agent = new https.Agent({ keepAlive: true, ca: certificate.cert, maxSockets: 1 })
  const requests = vi.spyOn(agent as unknown as { addRequest(): void }, 'addRequest')
  const bedrock = client(server, { agent })
  await Promise.all(Array.from({ length: 5 }, () => bedrock.messages.create(params)))
  expect(requests).toHaveBeenCalledTimes(5)
  expect(server.connections).toHaveLength(1)
  agent.destroy()
})

test('connects to a Unix socket', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'outcrop-socket-')), 's')
  const server = http.createServer((_, outgoing) => outgoing.end(message))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const fetch = createNodeFetch({ socketPath: path })
  const bedrock = createBedrockClient({ region: 'us-east-1', credentials: 'none', endpoint: 'http://localhost', fetch })
  expect(await bedrock.messages.create(params)).toMatchObject({ id: 'msg_1' })
  server.closeAllConnections()
  server.close()
})

test.each([
  [{ agent: new https.Agent(), socketPath: '/x' }, /agent and socketPath/],
  [{ proxy: 'http://a', socketPath: '/x' }, /proxy and socketPath/],
  [{ prxy: 'http://a' }, /prxy/],
  [{ agent: {} }, /agent/],
])('rejects impossible options: %#', (options, message) => {
  expect(() => createNodeFetch(options as never)).toThrow(
    expect.objectContaining({ code: 'configuration', message: expect.stringMatching(message) }),
  )
})
