import { type BedrockCoreClient, type CoreClientOptions, createBedrockClient, type Middleware } from 'outcrop/core'
import { createFakeBedrock } from 'outcrop/testing'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { capturingFetch, keys } from './capture.ts'

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

function client(fetch: typeof globalThis.fetch, options: CoreClientOptions = {}): BedrockCoreClient {
  return createBedrockClient({ region: 'us-east-1', credentials: keys, retry: false, fetch, ...options })
}

const answering = (answer: () => Response): BedrockCoreClient => client(async () => answer())

/** A response whose body comes in the given pieces. */
function inPieces(pieces: readonly Uint8Array[], init?: ResponseInit): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
  return new Response(body, init)
}

describe('the body of a response', () => {
  const message = { type: 'message', content: [{ type: 'text', text: 'grün \u{1f333} a\ufeffb' }], usage: {} }
  const bytes = new TextEncoder().encode(JSON.stringify(message))

  test('is read completely, wherever the network cuts it', async () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => {
        const ends = [...at.sort((a, b) => a - b), bytes.length]
        const pieces = ends.map((end, i) => bytes.slice(ends[i - 1] ?? 0, end))
        const { content } = await answering(() => inPieces(pieces)).messages.create(params)
        expect(content).toEqual(message.content)
      }),
      { numRuns: 50 },
    )
  })

  test('may begin with a byte order mark', async () => {
    const mark = new Uint8Array([0xef, 0xbb, 0xbf])
    const { content } = await answering(() => inPieces([mark, bytes])).messages.create(params)
    expect(content).toEqual(message.content)
  })

  test('that breaks off rejects with a ConnectionError', async () => {
    const broken = (): Response =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(bytes.slice(0, 9)),
          pull: (controller) => controller.error(new TypeError('terminated')),
        }),
      )
    await expect(answering(broken).messages.create(params)).rejects.toMatchObject({
      code: 'connection',
      message: expect.stringContaining('The connection was lost inside the response'),
    })
  })
})

describe('a redirect', () => {
  const refused = (answer: () => Response) =>
    answering(answer)
      .messages.create(params)
      .then(
        () => expect.unreachable(),
        (error: Error) => error,
      )

  test.each([
    [
      'https://login.example/path?code=1',
      'The endpoint answered with a redirect to https://login.example, which is not',
    ],
    ['/login', 'The endpoint answered with a redirect, which is not followed'],
    [undefined, 'The endpoint answered with a redirect, which is not followed'],
  ])('to %s', async (location, message) => {
    for (const status of [300, 302, 399]) {
      const headers = location === undefined ? {} : { location }
      const error = await refused(() => new Response('moved', { status, headers }))
      expect(error).toMatchObject({
        code: 'service',
        status,
        retryable: false,
        hint: expect.stringContaining('target'),
      })
      expect(error.message).toContain(message)
      expect(error.message).not.toContain('code=1')
    }
  })

  test('is reported if a browser hides its status', async () => {
    expect((await refused(() => Response.error())).message).toContain('answered with a redirect')
  })

  test('is not reported for other statuses', async () => {
    for (const status of [400, 404])
      expect((await refused(() => Response.json({ message: 'No' }, { status }))).message).toBe('No')
  })
})

test('the metadata and the log have the latency since the start of the call', async () => {
  const time = { now: 5_000 }
  const clock = {
    now: () => time.now,
    setTimeout: () => undefined,
    clearTimeout: () => {},
  }
  const fake = createFakeBedrock({ clock })
  const lines: string[] = []
  const logger = { debug() {}, info: (line: string) => void lines.push(line), warn() {}, error() {} }
  const slow: typeof fetch = (input, init) => {
    time.now += 250
    return fake.fetch(input, init)
  }
  const bedrock = client(slow, { credentials: fake.identity, clock, logger, region: fake.region })
  expect((await bedrock.messages.create(params)).metadata.latency).toBe(250)
  const { metadata } = await bedrock.messages.stream(params).finalMessage()
  expect(metadata).toMatchObject({ firstByteLatency: 250, latency: 250 })
  expect(lines).toEqual([expect.stringContaining(' ms=250 '), expect.stringContaining(' ms=250 ')])
})

test("the metadata has the response's headers", async () => {
  const bedrock = answering(() => Response.json({ type: 'message', content: [] }, { headers: { 'X-Served-By': 'a' } }))
  const { metadata } = await bedrock.messages.create(params)
  expect(metadata.headers).toMatchObject({ 'x-served-by': 'a', 'content-type': 'application/json' })
})

describe('headers of a call', () => {
  test('are sent trimmed, without those that are undefined', async () => {
    const { fetch, requests } = capturingFetch(() => Response.json({ type: 'message', content: [] }))
    const headers = { 'X-App': ' \tone ', 'x-none': undefined, "x!#$%&'*+.^_`|~-9": 'odd' }
    await client(fetch).messages.create(params, { headers: headers as never })
    expect(requests[0]?.headers).toMatchObject({ 'x-app': 'one', "x!#$%&'*+.^_`|~-9": 'odd' })
    expect(requests[0]?.headers).not.toHaveProperty('x-none')
  })

  test('are signed as they arrive', async () => {
    const fake = createFakeBedrock()
    const bedrock = client(fake.fetch, { credentials: fake.identity, region: fake.region })
    await bedrock.messages.create(params, { headers: { 'x-app': '  two  words\t' } })
    expect(fake.calls).toMatchObject([{ status: 200, signature: { valid: true } }])
  })

  test.each<[object, string]>([
    [{ 'x app': 'one' }, 'Not a header name: "x app"'],
    [{ ' x-app': 'one' }, 'Not a header name: " x-app"'],
    [{ 'x-app:': 'one' }, 'Not a header name: "x-app:"'],
    [{ '': 'one' }, 'Not a header name: ""'],
    [{ 'x-app': 'one\r\nx-evil: 1' }, 'The header x-app has a value that HTTP cannot carry'],
    [{ 'x-app': '\u2713' }, 'The header x-app has a value that HTTP cannot carry'],
    [{ 'x-app': 7 }, 'The header x-app has a value that HTTP cannot carry'],
    [{ 'x-app': null }, 'The header x-app has a value that HTTP cannot carry'],
  ])('%j are refused before anything is sent', async (headers, message) => {
    const { fetch, requests } = capturingFetch()
    await expect(client(fetch).messages.create(params, { headers: headers as never })).rejects.toMatchObject({
      code: 'configuration',
      message,
    })
    expect(requests).toEqual([])
  })
})

describe('a middleware', () => {
  const pass: Middleware = (request, next) => next(request)

  test('gets only the middleware after it as inner', async () => {
    const seen: (readonly Middleware[])[] = []
    const look: Middleware = (request, next, { inner }) => {
      seen.push(inner)
      return next(request)
    }
    const { fetch } = capturingFetch(() => Response.json({ type: 'message', content: [] }))
    await client(fetch, { middleware: [pass, look, pass, look] }).messages.create(params)
    expect(seen).toEqual([[pass, look], []])
  })

  test('that answers a stream with JSON rejects the call', async () => {
    const { fetch } = capturingFetch(() => Response.json({ type: 'message', content: [] }))
    const turn: Middleware = (request, next) =>
      next({
        ...request,
        operation: request.operation === 'InvokeModel' ? 'InvokeModelWithResponseStream' : 'InvokeModel',
      })
    await expect(
      client(fetch, { middleware: [turn] })
        .messages.stream(params)
        .finalMessage(),
    ).rejects.toMatchObject({
      code: 'configuration',
      message: 'A middleware answered InvokeModelWithResponseStream with type json, not stream',
    })
  })
})

test('a model that is already resolved is called as it is, without the resolver', async () => {
  const { fetch, requests } = capturingFetch(() => Response.json({ type: 'message', content: [] }))
  const resolve = vi.fn()
  const model = { id: 'eu.anthropic.claude-sonnet-4-6', region: 'eu-west-1', source: 'override' as const }
  const { metadata } = await client(fetch, { models: { resolve } }).invoke({ model, body: {} })
  expect(requests[0]?.url).toBe(
    'https://bedrock-runtime.eu-west-1.amazonaws.com/model/eu.anthropic.claude-sonnet-4-6/invoke',
  )
  expect(metadata.model).toBe(model)
  expect(resolve).not.toHaveBeenCalled()
})
