import { chmod, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashApiKey } from 'outcrop/gateway'
import { keysFile } from 'outcrop/gateway/node'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { body, endlessBedrock, key, params, serve } from './support.ts'

const headers = { 'x-api-key': key, 'content-type': 'application/json' }

/** Sends bytes as they are, and gives all that comes back. */
function send(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    let text = ''
    const socket = connectSocket(Number(port), hostname, () => socket.write(bytes))
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}

describe('the server', () => {
  const line = (host: string, extra = ''): string =>
    `POST /v1/messages HTTP/1.1\r\n${host}\r\nx-api-key: ${key}\r\nconnection: close\r\n${extra}`

  test.each([
    ['a content-length with chunks', 'host: gw', 'content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two content-lengths', 'host: gw', 'content-length: 4\r\ncontent-length: 5\r\n\r\nabcde'],
    ['an invalid content-length', 'host: gw', 'content-length: +4\r\n\r\nabcd'],
    ['a coding before chunked', 'host: gw', 'transfer-encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['no host', 'x-none: 1', 'content-length: 2\r\n\r\n{}'],
    ['a host with a path', 'host: gw/v1/models?', 'content-length: 2\r\n\r\n{}'],
    ['a host with a user name', 'host: a@gw', 'content-length: 2\r\n\r\n{}'],
    ['a header with a bare line feed', 'host: gw\nx-evil: 1\r\rx', 'content-length: 2\r\n\r\n{}'],
  ])('refuses %s, so that no second request can hide in the first', async (_, host, rest) => {
    const { server, fake } = await serve()
    const answer = await send(server.url, line(host, rest))
    expect(answer.split('\r\n')[0]).toBe('HTTP/1.1 400 Bad Request')
    expect(answer.match(/HTTP\/1\.1/g)?.length).toBe(1)
    expect(fake.calls).toEqual([])
  })

  test('refuses a request target that is not a path', async () => {
    const { server } = await serve()
    for (const target of ['http://other.example/healthz', '*', 'gw:443'])
      expect(await send(server.url, `GET ${target} HTTP/1.1\r\nhost: gw\r\nconnection: close\r\n\r\n`)).toContain(
        ' 400 ',
      )
    expect(await send(server.url, 'GET //healthz HTTP/1.1\r\nhost: gw\r\nconnection: close\r\n\r\n')).toContain(' 404 ')
  })

  test('answers a client that is still sending too large a body', async () => {
    const { server } = await serve({ maxBodySize: 1000 })
    const response = await fetch(`${server.url}/v1/messages`, { method: 'POST', headers, body: 'x'.repeat(3_000_000) })
    expect(response.status).toBe(413)
    expect(await response.text()).toContain('1000 bytes')
  })

  const open = (url: string, path = '/v1/messages', signal?: AbortSignal): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const sent = request(`${url}${path}`, { method: 'POST', headers, signal })
      sent.once('response', resolve).once('error', reject)
      sent.end(JSON.stringify(path === '/v1/messages' ? { ...params, stream: true } : body))
    })
  const paths = ['/v1/messages', '/model/sonnet/invoke-with-response-stream']

  test.each(paths)('ends the call at Bedrock when the client disconnects: %s', async (path) => {
    const upstream = endlessBedrock()
    const { server, gateway, log } = await serve({ client: { fetch: upstream.fetch } })
    const controller = new AbortController()
    const incoming = await open(server.url, path, controller.signal)
    incoming.once('error', () => {})
    await once(incoming, 'data')
    controller.abort()
    await expect.poll(() => upstream.left).toBe(1)
    await expect.poll(() => gateway.snapshot().active).toBe(0)
    await expect.poll(() => log).toMatchObject([{ status: 499 }])
  })

  test.each(paths)('makes Bedrock wait for a client that does not read: %s', async (path) => {
    const upstream = endlessBedrock()
    const { server } = await serve({ client: { fetch: upstream.fetch } })
    const incoming = await open(server.url, path)
    incoming.pause()
    let before = -1
    await expect
      .poll(
        () => {
          const hasStopped = upstream.taken > 0 && upstream.taken === before
          before = upstream.taken
          return hasStopped
        },
        { interval: 200 },
      )
      .toBe(true)
    // The buffers of two sockets hold a few megabytes; memory beyond them does not grow.
    expect(upstream.taken).toBeLessThan(1_500)
    upstream.isEnding = true
    let text = ''
    for await (const chunk of incoming) text += String(chunk).slice(-2_000)
    expect(upstream.open).toBe(0)
    if (path === '/v1/messages') expect(text).toContain('event: message_stop')
  })

  test('drains: finishes streams, and accepts no connections', async () => {
    const upstream = endlessBedrock()
    const { server, gateway } = await serve({ client: { fetch: upstream.fetch } })
    const streams = await Promise.all(Array.from({ length: 20 }, () => open(server.url)))
    const drained = server.drain()
    expect(gateway.snapshot()).toMatchObject({ draining: true, active: 20 })
    await expect(open(server.url)).rejects.toThrow()
    upstream.isEnding = true
    for (const stream of streams) {
      let end = ''
      for await (const chunk of stream) end = String(chunk)
      expect(end).toContain('event: message_stop')
    }
    await drained
    expect(gateway.snapshot()).toMatchObject({ active: 0, queued: 0 })
  })
})

describe('the keys file', () => {
  let path: string
  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'outcrop-keys-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    path = join(folder, 'keys.json')
  })
  const as = (presented: string): Request => new Request('http://gw', { headers: { 'x-api-key': presented } })

  test('contains only hashes, and belongs only to its owner', async () => {
    const keys = keysFile(path)
    const made = await keys.add({ id: 'alice', models: ['sonnet'] })
    expect(made).toMatch(/^outcrop-[\w-]{43}$/)
    const text = await readFile(path, 'utf8')
    expect(text).not.toContain(made)
    expect(text).toContain(await hashApiKey(made))
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await keys.authenticate(as(made))).toEqual({ id: 'alice', models: ['sonnet'] })
    expect(await keys.authenticate(as(`${made}x`))).toBeUndefined()
  })

  test('takes effect again when it changes', async () => {
    let now = 0
    const clock = { now: () => now, setTimeout, clearTimeout: () => {} }
    const keys = keysFile(path, { clock })
    const alice = await keys.add({ id: 'alice' })
    expect(await keys.authenticate(as(alice))).toMatchObject({ id: 'alice' })
    const bob = await keysFile(path).add({ id: 'bob' })
    await keysFile(path).remove('alice')
    now += 1_001
    expect(await keys.authenticate(as(bob))).toMatchObject({ id: 'bob' })
    expect(await keys.authenticate(as(alice))).toBeUndefined()
  })

  test('keeps the previous keys if a change is broken, and logs it', async () => {
    let now = 0
    const said: unknown[] = []
    const logger = { debug() {}, info() {}, warn() {}, error: (...data: unknown[]) => void said.push(...data) }
    const keys = keysFile(path, { logger, clock: { now: () => now, setTimeout, clearTimeout: () => {} } })
    const alice = await keys.add({ id: 'alice' })
    await keys.authenticate(as(alice))
    await writeFile(path, `{"keys": [{"id": "eve", "sha256": "${alice}"}]}`)
    await utimes(path, 1, 1)
    now += 1_001
    expect(await keys.authenticate(as(alice))).toMatchObject({ id: 'alice' })
    expect(said.length).toBe(2)
    expect(String(said[1])).not.toContain(alice)
  })

  test.each([
    ['not JSON', 'x'],
    ['no list', '{}'],
    ['no hash', '{"keys":[{"id":"a"}]}'],
    ['a key instead of its hash', '{"keys":[{"id":"a","sha256":"outcrop-abc"}]}'],
    ['a misspelled field', `{"keys":[{"id":"a","sha256":"${'0'.repeat(64)}","modles":["sonnet"]}]}`],
    ['a name with a line break', `{"keys":[{"id":"a\\nb","sha256":"${'0'.repeat(64)}"}]}`],
    ['a duplicate name', `{"keys":[{"id":"a","sha256":"${'0'.repeat(64)}"},{"id":"a","sha256":"${'1'.repeat(64)}"}]}`],
    ['an invalid limit', `{"keys":[{"id":"a","sha256":"${'0'.repeat(64)}","limits":{"tokensPerMinute":"1"}}]}`],
    ['a __proto__ field', `{"keys":[{"id":"a","sha256":"${'0'.repeat(64)}","__proto__":{"operator":true}}]}`],
  ])('rejects %s, and names it', async (_, text) => {
    await writeFile(path, text, { mode: 0o600 })
    const error = await keysFile(path)
      .read()
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'configuration' })
    expect(String(error)).not.toContain('outcrop-abc')
  })

  test('rejects a file that others can write to', async () => {
    await keysFile(path).add({ id: 'alice' })
    await chmod(path, 0o666)
    await expect(keysFile(path).read()).rejects.toMatchObject({ code: 'configuration', hint: `chmod 600 ${path}` })
  })

  test('rejects duplicate and invalid names', async () => {
    const keys = keysFile(path)
    await keys.add({ id: 'alice' })
    await expect(keys.add({ id: 'alice' })).rejects.toMatchObject({ code: 'configuration' })
    for (const id of ['', ' a', 'a\u0000', 'a\u202eb', 'x'.repeat(101)])
      await expect(keys.add({ id })).rejects.toMatchObject({ code: 'configuration' })
    await expect(keys.remove('bob')).rejects.toMatchObject({ code: 'configuration' })
  })
})
