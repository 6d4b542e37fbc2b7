import { createServer } from 'node:http'
import { type BedrockCoreClient, type CoreClientOptions, createBedrockClient } from 'outcrop/core'
import { createNodeFetch } from 'outcrop/node'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Listening, listen, message, onRequest, params, response } from './support.ts'

const servers: Listening[] = []
afterEach(async () => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
  for (const server of servers.splice(0)) await server.close()
})

async function serve(...args: Parameters<typeof listen>): Promise<Listening> {
  const server = await listen(...args)
  servers.push(server)
  return server
}

function client({ port }: { port: number }, options: CoreClientOptions = {}): BedrockCoreClient {
  return createBedrockClient({
    region: 'us-east-1',
    credentials: 'none',
    endpoint: `http://127.0.0.1:${port}`,
    retry: false,
    ...options,
  })
}

describe('the transport', () => {
  const answering = async (): Promise<{ server: Listening; heads: string[] }> => {
    const heads: string[] = []
    const server = await serve((socket) =>
      onRequest(socket, (head) => {
        heads.push(head)
        socket.write(response())
      }),
    )
    return { server, heads }
  }
  // Only `fetch` sends this header.
  const isOfFetch = (head: string | undefined): boolean => /sec-fetch-mode/i.test(head ?? '')

  test('is node:http by default', async () => {
    const { server, heads } = await answering()
    await client(server).messages.create(params)
    expect(heads.map(isOfFetch)).toEqual([false])
    expect(heads[0]).toMatch(/^POST \/model\/us\.anthropic\.claude-sonnet-4-6\/invoke HTTP\/1\.1\r\n/)
    expect(heads[0]).toMatch(new RegExp(`\\r\\nhost: 127.0.0.1:${server.port}\\r\\n`, 'i'))
  })

  test('is the given fetch, even the native one', async () => {
    const { server, heads } = await answering()
    await client(server, { fetch: globalThis.fetch }).messages.create(params)
    expect(heads.map(isOfFetch)).toEqual([true])
  })

  test('is the global fetch while it is replaced', async () => {
    const { server, heads } = await answering()
    const bedrock = client(server)
    const replaced = vi.fn(async () => Response.json(JSON.parse(message)))
    vi.stubGlobal('fetch', replaced)
    await bedrock.messages.create(params)
    expect(replaced).toHaveBeenCalledOnce()
    vi.unstubAllGlobals()
    await bedrock.messages.create(params)
    expect(heads.map(isOfFetch)).toEqual([false])
  })

  describe('with a global undici dispatcher', () => {
    class Agent {
      dispatch(): never {
        throw new Error('through the dispatcher')
      }
    }
    class ProxyAgent extends Agent {}
    class EnvHttpProxyAgent extends Agent {}
    // Node 26's own dispatcher, where older versions of undici look for theirs.
    class Dispatcher1Wrapper extends Agent {}
    const withDispatchers = async (dispatchers: object[], call: () => Promise<unknown>): Promise<unknown> => {
      const keys = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')]
      const before = keys.map((key) => (globalThis as never)[key])
      keys.forEach((key, i) => {
        Object.assign(globalThis, { [key]: dispatchers[i] })
      })
      try {
        return await call()
      } finally {
        keys.forEach((key, i) => {
          Object.assign(globalThis, { [key]: before[i] })
        })
      }
    }
    afterEach(() => vi.unstubAllEnvs())

    test.each([
      ["a user's own", [new ProxyAgent()]],
      ["a user's own, under undici 7", [new ProxyAgent(), new ProxyAgent()]],
      ["a user's own environment agent", [new EnvHttpProxyAgent()]],
    ])('%s: uses fetch', async (_, dispatchers) => {
      const { server, heads } = await answering()
      const call = withDispatchers(dispatchers, () => client(server).messages.create(params))
      await expect(call).rejects.toMatchObject({ code: 'connection' })
      expect(heads).toEqual([])
    })

    test.each([
      ['none', [], ''],
      ["Node's own", [new Agent()], ''],
      ["Node 24's own", [new Agent(), new Agent()], ''],
      ["Node 26's own", [new Dispatcher1Wrapper(), new Agent()], ''],
      ["Node's own environment agent", [new EnvHttpProxyAgent(), new EnvHttpProxyAgent()], '1'],
    ])('%s: uses node:http', async (_, dispatchers, useEnvironment) => {
      vi.stubEnv('NODE_USE_ENV_PROXY', useEnvironment)
      const { server, heads } = await answering()
      await withDispatchers(dispatchers, () => client(server).messages.create(params))
      expect(heads.map(isOfFetch)).toEqual([false])
    })
  })

  test('createNodeFetch returns a fetch', async () => {
    const server = createServer(async (request, outgoing) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      outgoing.setHeader('x-method', `${request.method} ${request.url}`)
      outgoing.setHeader('set-cookie', ['a=1', 'b=2'])
      if (request.url === '/none') outgoing.writeHead(204)
      outgoing.end(request.url === '/none' ? undefined : `you said ${Buffer.concat(chunks)}`)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
    const fetch = createNodeFetch()
    const answer = await fetch(`${url}/a?b#c`, { method: 'POST', body: new URLSearchParams({ x: 'ü' }) })
    expect([answer.status, answer.headers.get('x-method'), answer.headers.getSetCookie()]).toEqual([
      200,
      'POST /a?b',
      ['a=1', 'b=2'],
    ])
    expect(await answer.text()).toBe('you said x=%C3%BC')
    expect(await (await fetch(new Request(`${url}/c`))).text()).toBe('you said ')
    expect((await fetch(`${url}/none`)).body).toBe(null)
    await expect(fetch(url, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    server.close()
  })
})

describe('kept-alive connections', () => {
  test('are shared by 20 sequential calls', async () => {
    const server = await serve((socket) => onRequest(socket, () => socket.write(response())))
    const bedrock = client(server)
    const warnings: string[] = []
    const hear = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', hear)
    for (let i = 0; i < 20; i++) await bedrock.messages.create(params)
    process.off('warning', hear)
    expect(server.connections).toHaveLength(1)
    // Of listeners that pile up on a socket.
    expect(warnings).toEqual([])
  })

  test('are shared by clients', async () => {
    const server = await serve((socket) => onRequest(socket, () => socket.write(response())))
    for (let i = 0; i < 5; i++) await client(server).messages.create(params)
    expect(server.connections).toHaveLength(1)
  })

  test('are all replaced at once when dead, and the call is sent once more', async () => {
    let isDead = false
    const server = await serve((socket) =>
      onRequest(socket, (_, count) => (isDead && count > 1 ? socket.resetAndDestroy() : socket.write(response()))),
    )
    const pauses: number[] = []
    const clock = {
      now: () => Date.now(),
      setTimeout: (callback: () => void, milliseconds: number) => {
        pauses.push(milliseconds)
        return setTimeout(callback, milliseconds)
      },
      clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
    }
    const bedrock = client(server, { retry: {}, retryBudget: 0, clock, timeout: { response: 300_000 } })
    await Promise.all(Array.from({ length: 5 }, () => bedrock.messages.create(params)))
    expect(server.connections).toHaveLength(5)
    isDead = true
    pauses.length = 0
    const { metadata } = await bedrock.messages.create(params)
    expect(metadata.attempts).toBe(2)
    expect(server.connections).toHaveLength(6)
    // Deadlines, but no pause.
    expect(pauses.filter((milliseconds) => milliseconds < 10_000)).toEqual([])
  })

  test('are not reused after a long idle time, as after a frozen function wakes up', async () => {
    const server = await serve((socket) => onRequest(socket, () => socket.write(response())))
    const bedrock = client(server)
    await bedrock.messages.create(params)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
    await bedrock.messages.create(params)
    expect(server.connections).toHaveLength(2)
  })

  test('are not reused if data follows an answer', async () => {
    const poison = response(message.replace('fine', 'evil'))
    const server = await serve((socket) =>
      onRequest(socket, () => {
        socket.write(response())
        setImmediate(() => socket.write(poison))
      }),
    )
    const bedrock = client(server)
    for (let i = 0; i < 5; i++) {
      const { content } = await bedrock.messages.create(params)
      expect(content).toEqual([expect.objectContaining({ text: 'fine' })])
      await expect.poll(() => server.connections.at(-1)?.destroyed).toBe(true)
    }
  })

  test('are closed by a call that is aborted in any phase', async () => {
    const server = await serve((socket) => onRequest(socket, () => socket.write('HTTP/1.1 200 OK\r\n')))
    const controller = new AbortController()
    const call = client(server).messages.create(params, { signal: controller.signal })
    await expect.poll(() => server.connections.length).toBe(1)
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    await expect.poll(() => server.connections[0]?.destroyed).toBe(true)
  })
})

describe('encodings and interim responses', () => {
  const cases: [string, string[]][] = [
    ['100 Continue', ['HTTP/1.1 100 Continue\r\n\r\n', response()]],
    ['early hints', ['HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n', 'HTTP/1.1 102 Processing\r\n\r\n', response()]],
    [
      'trailers',
      [
        'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n',
        `${message.length.toString(16)}\r\n${message}\r\n0\r\nx-sum: 1\r\n\r\n`,
      ],
    ],
  ]
  test.each(cases)('accepts %s', async (_, parts) => {
    const server = await serve((socket) => onRequest(socket, () => void parts.map((part) => socket.write(part))))
    const bedrock = client(server)
    for (let i = 0; i < 3; i++) expect((await bedrock.messages.create(params)).stop_reason).toBe('end_turn')
    expect(server.connections).toHaveLength(1)
  })

  test.each(['gzip', 'deflate', 'br'])('decodes or rejects %s, which was not requested', async (coding) => {
    const zlib = await import('node:zlib')
    const compress = { gzip: zlib.gzipSync, deflate: zlib.deflateSync, br: zlib.brotliCompressSync }[coding]
    const bytes = compress?.(message) as Buffer
    let asked: string | undefined
    const server = await serve((socket) =>
      onRequest(socket, (head) => {
        asked = /accept-encoding/i.exec(head)?.[0]
        socket.write(
          `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: ${coding}\r\ncontent-length: ${bytes.length}\r\n\r\n`,
        )
        socket.write(bytes)
      }),
    )
    const bedrock = client(server)
    for (let i = 0; i < 2; i++) expect((await bedrock.messages.create(params)).stop_reason).toBe('end_turn')
    expect(server.connections).toHaveLength(1)
    expect(asked).toBeUndefined()
  })

  test('slows the sender down for a slow reader', async () => {
    const chunk = Buffer.alloc(65_536, 32)
    let sent = 0
    const server = await serve((socket) =>
      onRequest(socket, () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 200000000\r\n\r\n')
        const send = (): void => {
          while (sent < 200_000_000 && !socket.destroyed) {
            sent += chunk.length
            if (!socket.write(chunk)) {
              socket.once('drain', send)
              return
            }
          }
        }
        send()
      }),
    )
    const answer = await client(server).fetch('/model/x/invoke', { method: 'POST', body: '{}' })
    const reader = answer.body?.getReader()
    await reader?.read()
    // Until nothing goes on, the buffers of both sides fill up.
    let before = -1
    await expect
      .poll(() => {
        const isSettled = before === sent
        before = sent
        return isSettled
      })
      .toBe(true)
    expect(sent).toBeLessThan(50_000_000)
    await reader?.cancel()
    await expect.poll(() => server.connections[0]?.destroyed).toBe(true)
  })
})
