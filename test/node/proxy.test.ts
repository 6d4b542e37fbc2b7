import { inspect } from 'node:util'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { type BedrockCoreClient, type CoreClientOptions, createBedrockClient } from 'outcrop/core'
import { createNodeFetch } from 'outcrop/node'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { proxyFromEnvironment } from '../../src/node/proxy.ts'
import { type Certificate, createCertificate } from './certificate.ts'
import { type Listening, listen, onRequest, params, passOn, response } from './support.ts'

const servers: Listening[] = []
let certificate: Certificate
beforeAll(() => {
  certificate = createCertificate()
})
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function serve(...args: Parameters<typeof listen>): Promise<Listening> {
  const server = await listen(...args)
  servers.push(server)
  return server
}

const answering = (isTls: boolean): Promise<Listening> =>
  serve((socket) => onRequest(socket, () => socket.write(response())), isTls ? certificate : undefined)

/** A proxy that opens tunnels to one port, whatever host is asked for; with the heads of what it was sent. */
async function proxying(
  port: number,
  { answer = 'HTTP/1.1 200 Connected\r\n\r\n', isTls = false }: { answer?: string; isTls?: boolean } = {},
): Promise<Listening & { heads: string[] }> {
  const heads: string[] = []
  const accept = (socket: Socket): void => {
    let held = ''
    const read = (chunk: Buffer): void => {
      held += chunk.toString('latin1')
      if (!held.includes('\r\n\r\n')) return
      socket.off('data', read)
      heads.push(held)
      if (!held.startsWith('CONNECT')) {
        const upstream = connect(port, '127.0.0.1')
        upstream.write(held)
        socket.on('data', (more) => upstream.write(more))
        upstream.on('data', (more) => socket.write(more))
        upstream.on('error', () => {})
        return
      }
      socket.write(answer)
      if (/ 200 /.test(answer)) passOn(socket, port)
    }
    socket.on('data', read)
  }
  return { ...(await serve(accept, isTls ? certificate : undefined)), heads }
}

function client(options: CoreClientOptions = {}): BedrockCoreClient {
  return createBedrockClient({ region: 'us-east-1', credentials: 'none', retry: false, ...options })
}

const write = async (text: string): Promise<string> => {
  const { mkdtempSync, writeFileSync } = await import('node:fs')
  const { join } = await import('node:path')
  const { tmpdir } = await import('node:os')
  const path = join(mkdtempSync(join(tmpdir(), 'outcrop-ca-')), 'root.txt')
  writeFileSync(path, text)
  return path
}

describe('a tunnel', () => {
  const endpoint = 'https://localhost'

  test("uses HTTPS_PROXY and NODE_EXTRA_CA_CERTS of the client's env; 5 calls share it", async () => {
    const server = await answering(true)
    const proxy = await proxying(server.port)
    const env = {
      HTTPS_PROXY: `http://me:s%40cret-word@127.0.0.1:${proxy.port}`,
      NODE_EXTRA_CA_CERTS: await write(certificate.cert),
    }
    // Local hosts bypass the proxy, so the certificate is for another name of this machine.
    const bedrock = client({ env, endpoint: 'https://bedrock.example.com', fetch: undefined })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({
      code: 'connection',
      message: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
    })
    expect(proxy.heads[0]).toMatch(/^CONNECT bedrock\.example\.com:443 HTTP\/1\.1\r\n/)
    expect(proxy.heads[0]).toContain(
      `proxy-authorization: Basic ${Buffer.from('me:s@cret-word').toString('base64')}\r\n`,
    )
  })

  test.each([false, true])('uses the `proxy` option; over TLS: %s', async (isTls) => {
    const server = await answering(true)
    const proxy = await proxying(server.port, { isTls })
    const fetch = createNodeFetch({
      proxy: `http${isTls ? 's' : ''}://localhost:${proxy.port}`,
      ca: certificate.cert,
    })
    const bedrock = client({ fetch, endpoint })
    for (let i = 0; i < 5; i++) await bedrock.messages.create(params)
    expect(proxy.heads).toHaveLength(1)
    expect(proxy.heads[0]).toMatch(/^CONNECT localhost:443 HTTP/)
    expect(proxy.heads[0]).not.toMatch(/authorization/i)
  })

  test.each([
    [407, false, /NAME:PASSWORD@HOST/],
    [403, false, /NO_PROXY/],
    [503, true, /NO_PROXY/],
  ])("reports a %d as the proxy's, without the password", async (status, retryable, hint) => {
    const proxy = await proxying(1, { answer: `HTTP/1.1 ${status} No\r\ncontent-length: 2\r\n\r\nno` })
    const fetch = createNodeFetch({ proxy: `http://me:s3cret-word@127.0.0.1:${proxy.port}` })
    const error: unknown = await client({ fetch, endpoint })
      .messages.create(params)
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'connection',
      retryable,
      message: `The proxy 127.0.0.1:${proxy.port} refused to connect to localhost:443: HTTP ${status}`,
      hint: expect.stringMatching(hint),
    })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/s3cret|bWU6czNj/)
    await expect.poll(() => proxy.connections[0]?.destroyed).toBe(true)
  })

  test('reports an unreachable proxy', async () => {
    const gone = await listen(() => {})
    await gone.close()
    const fetch = createNodeFetch({ proxy: `http://me:s3cret-word@127.0.0.1:${gone.port}` })
    await expect(client({ fetch, endpoint }).messages.create(params)).rejects.toMatchObject({
      code: 'connection',
      retryable: true,
      message: `Could not reach the proxy 127.0.0.1:${gone.port}: ECONNREFUSED`,
    })
    await expect(client({ fetch, endpoint: 'http://localhost:9' }).messages.create(params)).rejects.toMatchObject({
      message: `Could not reach the proxy 127.0.0.1:${gone.port}: ECONNREFUSED`,
    })
  })

  test('rejects bytes that come before TLS', async () => {
    const proxy = await proxying(1, { answer: 'HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n' })
    const fetch = createNodeFetch({ proxy: `http://127.0.0.1:${proxy.port}` })
    await expect(client({ fetch, endpoint }).messages.create(params)).rejects.toMatchObject({ code: 'connection' })
  })

  test('closes for an aborted call, and after timeout.connect', async () => {
    const proxy = await serve((socket) => socket.resume())
    const fetch = createNodeFetch({ proxy: `http://127.0.0.1:${proxy.port}` })
    const controller = new AbortController()
    const call = client({ fetch, endpoint }).messages.create(params, { signal: controller.signal })
    await expect.poll(() => proxy.connections.length).toBe(1)
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    await expect.poll(() => proxy.connections[0]?.destroyed).toBe(true)

    const timers = new Map<object, { callback: () => void; milliseconds: number }>()
    const clock = {
      now: () => Date.now(),
      setTimeout: (callback: () => void, milliseconds: number) => {
        const handle = {}
        timers.set(handle, { callback, milliseconds })
        return handle
      },
      clearTimeout: (handle: unknown) => void timers.delete(handle as object),
    }
    const late = client({ fetch, endpoint, clock, timeout: { connect: 1234 } }).messages.create(params)
    const rejection = expect(late).rejects.toMatchObject({ code: 'timeout', phase: 'connect', retryable: true })
    await expect.poll(() => proxy.connections.length).toBe(2)
    for (const { callback, milliseconds } of timers.values()) if (milliseconds === 1234) callback()
    await rejection
    await expect.poll(() => proxy.connections[1]?.destroyed).toBe(true)
    expect(timers.size).toBe(0)
  })
})

describe('without TLS', () => {
  test("sends the request to the proxy, and reports its 407 as the proxy's", async () => {
    const server = await answering(false)
    const proxy = await proxying(server.port)
    const fetch = createNodeFetch({ proxy: `me:s3cret-word@127.0.0.1:${proxy.port}` })
    const endpoint = { url: 'http://bedrock.example.com:8080', allowHttp: true }
    await client({ fetch, endpoint }).messages.create(params)
    expect(proxy.heads[0]).toMatch(
      /^POST http:\/\/bedrock\.example\.com:8080\/model\/[^ ]+ HTTP\/1\.1\r\nhost: bedrock\.example\.com:8080\r\n/i,
    )
    expect(proxy.heads[0]).toMatch(/proxy-authorization: Basic /i)

    const refusing = createServer((_, outgoing) => outgoing.writeHead(407).end('no'))
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve))
    const { port } = refusing.address() as { port: number }
    await expect(
      client({ fetch: createNodeFetch({ proxy: `http://127.0.0.1:${port}` }), endpoint }).messages.create(params),
    ).rejects.toMatchObject({
      code: 'connection',
      message: `The proxy 127.0.0.1:${port} refused to connect to bedrock.example.com:8080: HTTP 407`,
    })
    refusing.close()
  })
})

describe('proxies of the environment', () => {
  const found = (url: string, env: Record<string, string>): string | undefined =>
    proxyFromEnvironment(new URL(url), env)?.url.href
  const p = 'http://proxy.example.com:3128/'

  test.each<[string, Record<string, string>, string | undefined]>([
    ['https://a.example', { HTTPS_PROXY: p }, p],
    ['https://a.example', { https_proxy: p, HTTPS_PROXY: 'http://other' }, p],
    ['https://a.example', { HTTPS_PROXY: 'proxy.example.com:3128' }, p],
    ['https://a.example', { HTTP_PROXY: p }, undefined],
    ['http://a.example', { HTTP_PROXY: p }, p],
    ['http://a.example', { http_proxy: p }, p],
    // https://httpoxy.org
    ['http://a.example', { HTTP_PROXY: p, REQUEST_METHOD: 'GET' }, undefined],
    ['https://a.example', { HTTPS_PROXY: '  ' }, undefined],
    ['https://a.example', { HTTPS_PROXY: p, NO_PROXY: '*' }, undefined],
    ['https://a.example', { HTTPS_PROXY: p, NO_PROXY: 'a.example' }, undefined],
    ['https://a.example', { HTTPS_PROXY: p, no_proxy: 'x, A.EXAMPLE' }, undefined],
    ['https://b.a.example', { HTTPS_PROXY: p, NO_PROXY: 'x a.example' }, undefined],
    ['https://b.a.example', { HTTPS_PROXY: p, NO_PROXY: '.a.example' }, undefined],
    ['https://b.a.example', { HTTPS_PROXY: p, NO_PROXY: '*.a.example' }, undefined],
    ['https://ba.example', { HTTPS_PROXY: p, NO_PROXY: 'a.example' }, p],
    ['https://a.example', { HTTPS_PROXY: p, NO_PROXY: 'a.example:443' }, undefined],
    ['https://a.example', { HTTPS_PROXY: p, NO_PROXY: 'a.example:444' }, p],
    ['https://10.1.2.3', { HTTPS_PROXY: p, NO_PROXY: '10.0.0.0/8' }, undefined],
    ['https://11.1.2.3', { HTTPS_PROXY: p, NO_PROXY: '10.0.0.0/8' }, p],
    ['https://10.1.2.3', { HTTPS_PROXY: p, NO_PROXY: '10.0.0.0/99, x/y, /, 2.3' }, p],
    ['https://[2001:db8::1]:8443', { HTTPS_PROXY: p, NO_PROXY: '[2001:db8::1]:8443' }, undefined],
    ['https://[2001:db8::1]', { HTTPS_PROXY: p, NO_PROXY: '2001:db8::/32' }, undefined],
    ['https://[2001:db8::1]', { HTTPS_PROXY: p, NO_PROXY: '2001:db8::1' }, undefined],
    // Local hosts: the fake, a gateway, a container's metadata.
    ['http://localhost:8080', { HTTP_PROXY: p }, undefined],
    ['http://127.0.0.1', { HTTP_PROXY: p }, undefined],
    ['http://[::1]', { HTTP_PROXY: p }, undefined],
    ['http://169.254.170.2', { HTTP_PROXY: p }, undefined],
    ['http://[fd00:ec2::254]', { HTTP_PROXY: p }, undefined],
  ])('for %s with %j', (url, env, expected) => {
    expect(found(url, env)).toBe(expected)
  })

  test.each(['socks5://proxy.example.com', 'http://', 'ftp://me:s3cret-word@x'])(
    'rejects %s without quoting it',
    async (value) => {
      const error: unknown = await client({ env: { HTTPS_PROXY: value } })
        .messages.create(params)
        .catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'configuration', message: 'HTTPS_PROXY is not the URL of an HTTP proxy' })
      expect(inspect(error)).not.toContain('s3cret')
      expect(() => createNodeFetch({ proxy: value })).toThrow(expect.objectContaining({ code: 'configuration' }))
    },
  )
})
