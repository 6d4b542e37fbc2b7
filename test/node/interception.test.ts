import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { setupServer } from 'msw/node'
import nock from 'nock'
import { type BedrockCoreClient, type CoreClientOptions, createBedrockClient } from 'outcrop/core'
import { createNodeFetch } from 'outcrop/node'
import { createFakeBedrock } from 'outcrop/testing'
import { bedrockHandlers } from 'outcrop/testing/msw'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Listening, listen, message, onRequest, params, response } from './support.ts'

// Libraries that observe or replace `node:http` see the calls. nock and msw change this process, which is this
// file's own; OpenTelemetry needs one that begins with it.

const fake = createFakeBedrock()
const client = (options: CoreClientOptions = {}): BedrockCoreClient =>
  createBedrockClient({ region: fake.region, credentials: fake.identity, retry: false, ...options })
// The first is what nobody asked for: they replace the global `fetch` as well. The second is `node:http` in any case.
const senders: [string, () => CoreClientOptions][] = [
  ['a client', () => ({})],
  ['a client with createNodeFetch()', () => ({ fetch: createNodeFetch() })],
]
beforeEach(() => fake.reset())

describe.each(senders)('nock and %s', (_, options) => {
  const host = `https://bedrock-runtime.${fake.region}.amazonaws.com`
  const path = `/model/${params.model}/invoke`
  beforeEach(() => {
    if (!nock.isActive()) nock.activate()
    nock.disableNetConnect()
  })
  afterEach(() => {
    nock.cleanAll()
    nock.enableNetConnect()
    nock.restore()
  })

  test('receives a reply of nock', async () => {
    const seen = vi.fn()
    nock(host)
      .post(path, (body) => seen(body) ?? true)
      .matchHeader('authorization', /^AWS4-HMAC-SHA256 /)
      .reply(200, message, { 'content-type': 'application/json' })
    expect(await client(options()).messages.create(params)).toMatchObject({ id: 'msg_1' })
    expect(seen).toHaveBeenCalledWith(expect.objectContaining({ messages: params.messages }))
    expect(nock.isDone()).toBe(true)
  })

  test('receives an error of the service and of the network', async () => {
    nock(host).post(path).reply(429, { message: 'Too many tokens' }, { 'x-amzn-errortype': 'ThrottlingException' })
    nock(host)
      .post(path)
      .replyWithError(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }))
    const bedrock = client(options())
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ type: 'ThrottlingException', status: 429 })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ code: 'connection' })
  })

  test('sends nothing without an interceptor', async () => {
    await expect(client(options()).messages.create(params)).rejects.toMatchObject({ code: 'connection' })
  })
})

describe.each(senders)('msw and %s', (_, options) => {
  const server = setupServer(...bedrockHandlers(fake))
  beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
  afterAll(() => server.close())

  test('receives a message, complete and streamed', async () => {
    const bedrock = client(options())
    const whole = await bedrock.messages.create(params)
    expect(await bedrock.messages.stream(params).finalMessage()).toEqual(whole)
    expect(fake.calls.map(({ signature }) => signature.valid)).toEqual([true, true])
  })

  test('receives faults', async () => {
    const bedrock = client(options())
    fake.fail('throttling')
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ type: 'ThrottlingException' })
    fake.fail('stream-internal', { after: 2 })
    await expect(bedrock.messages.stream(params).finalMessage()).rejects.toMatchObject({ code: 'stream_exception' })
    fake.fail('stream-truncated', { after: 2 })
    await expect(bedrock.messages.stream(params).finalMessage()).rejects.toMatchObject({ code: 'stream_truncated' })
  })
})

test('uses node:http again after they are restored', async () => {
  const heads: string[] = []
  const server = await listen((socket) => onRequest(socket, (head) => heads.push(head) && socket.write(response())))
  const bedrock = client({ endpoint: `http://127.0.0.1:${server.port}` })
  await bedrock.messages.create(params)
  expect(heads.join()).not.toContain('sec-fetch-mode')
  await server.close()
})

describe("OpenTelemetry's instrumentation of node:http", () => {
  let server: Listening
  let directory: string
  beforeAll(async () => {
    server = await listen((socket) =>
      onRequest(socket, (head) =>
        socket.write(response(undefined, `x-parent: ${/^traceparent: (.*)$/m.exec(head)?.[1]}`)),
      ),
    )
    const root = resolve(import.meta.dirname, '../..')
    const cache = join(root, 'node_modules/.cache/outcrop')
    mkdirSync(cache, { recursive: true })
    // Below the packages that it needs.
    directory = mkdtempSync(join(cache, 'telemetry-'))
    for (const [format, extension] of [
      ['esm', 'mjs'],
      ['cjs', 'cjs'],
    ] as const) {
      await build({
        stdin: { contents: "export * from './src/core/index.ts'", resolveDir: root },
        outfile: join(directory, `outcrop.${extension}`),
        bundle: true,
        platform: 'node',
        format,
        alias: { '#platform': join(root, 'src/core/platform/node.ts') },
        logLevel: 'error',
      })
    }
    const begin = `
      const exporter = new InMemorySpanExporter()
      const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
      propagation.setGlobalPropagator(new W3CTraceContextPropagator())
      registerInstrumentations({ tracerProvider, instrumentations: [new HttpInstrumentation()] })`
    const call = `
      const bedrock = createBedrockClient(JSON.parse(process.argv[2]))
      const { metadata } = await bedrock.messages.create(${JSON.stringify(params)})
      const spans = exporter.getFinishedSpans().map(({ name, attributes, spanContext }) => ({ name, attributes }))
      console.log(JSON.stringify({ spans, parent: metadata.headers['x-parent'] }))`
    const packages = {
      '@opentelemetry/api': 'propagation',
      '@opentelemetry/core': 'W3CTraceContextPropagator',
      '@opentelemetry/instrumentation': 'registerInstrumentations',
      '@opentelemetry/instrumentation-http': 'HttpInstrumentation',
      '@opentelemetry/sdk-trace-base': 'BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor',
    }
    const lines = Object.entries(packages)
    writeFileSync(
      join(directory, 'program.mjs'),
      `import { register } from 'node:module'
       ${lines.map(([name, what]) => `import { ${what} } from '${name}'`).join('\n')}
       register('@opentelemetry/instrumentation/hook.mjs', import.meta.url)
       ${begin}
       const { createBedrockClient } = await import('./outcrop.mjs')
       ${call}`,
    )
    writeFileSync(
      join(directory, 'program.cjs'),
      `${lines.map(([name, what]) => `const { ${what} } = require('${name}')`).join('\n')}
       ${begin}
       const { createBedrockClient } = require('./outcrop.cjs')
       void (async () => { ${call} })()`,
    )
  }, 30_000)
  afterAll(() => server.close())

  test.each(['mjs', 'cjs'])('sees a call, and adds its header, in a program.%s', async (extension) => {
    const settings = { region: 'us-east-1', credentials: 'none', endpoint: `http://127.0.0.1:${server.port}` }
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(directory, `program.${extension}`),
      JSON.stringify(settings),
    ])
    const { spans, parent } = JSON.parse(stdout) as { spans: unknown[]; parent: string }
    expect(spans).toHaveLength(1)
    expect(JSON.stringify(spans)).toContain(`/model/${params.model}/invoke`)
    expect(parent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01/)
  })
})
