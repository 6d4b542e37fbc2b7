import { createRequire, syncBuiltinESMExports } from 'node:module'
import { context, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { AlwaysOffSampler, BasicTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { createBedrockClient } from 'outcrop'
import { telemetry } from 'outcrop/telemetry'
import { createFakeBedrock } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { onlySpan, openClient, openSdk, params, rejectionOf, requestModel } from './support.ts'

let sdk: ReturnType<typeof openSdk>
beforeEach(() => {
  sdk = openSdk()
  sdk.register()
})
afterEach(() => sdk.close())

/** Runs something in a span of the application. */
function within<T>(name: string, run: (span: Span) => Promise<T>): Promise<T> {
  return trace.getTracer('app').startActiveSpan(name, async (span) => {
    try {
      return await run(span)
    } finally {
      span.end()
    }
  })
}

/** The names of a span and those above it, innermost first. */
function pathOf(span: ReadableSpan): string[] {
  const parent = sdk.spans().find((each) => each.spanContext().spanId === span.parentSpanContext?.spanId)
  return [span.name, ...(parent ? pathOf(parent) : [])]
}
const paths = (name: string): string[] =>
  sdk
    .spans()
    .filter((span) => span.name.startsWith(name))
    .map((span) => pathOf(span).join(' < '))

describe('the active span is the parent', () => {
  const chat = `chat ${requestModel} < handler`

  test("of a create's span", async () => {
    const { bedrock } = openClient(sdk, { options: { tracer: undefined } })
    await within('handler', () => bedrock.messages.create(params))
    expect(paths('chat')).toEqual([chat])
  })

  test("of a stream's span, however it ends", async () => {
    const { fake, bedrock } = openClient(sdk, { options: { tracer: undefined } })
    await within('handler', async () => {
      for await (const _ of bedrock.messages.stream(params));
      for await (const _ of bedrock.messages.stream(params)) break
      await bedrock.messages.stream(params).finalText()
      const stream = await bedrock.messages.stream(params).started()
      stream.abort()
      fake.fail('stream-truncated', { after: 2 })
      await rejectionOf(bedrock.messages.stream(params).finalMessage())
    })
    expect(paths('chat')).toEqual([chat, chat, chat, chat, chat])
  })

  test("of a stream's span that is read elsewhere, such as a response's body", async () => {
    const { bedrock } = openClient(sdk, { options: { tracer: undefined } })
    const response = await within('handler', () => bedrock.messages.stream(params).toResponse())
    const body = await within('another', async () => bedrock.messages.stream(params).toReadableStream())
    await response.text()
    await new Response(body).text()
    expect(paths('chat')).toEqual([chat, `chat ${requestModel} < another`])
  })

  test('of each span of concurrent calls', async () => {
    const { bedrock } = openClient(sdk, { options: { tracer: undefined } })
    const names = Array.from({ length: 20 }, (_, i) => `request ${i}`)
    await Promise.all(
      names.map((name, i) =>
        within(name, () => (i % 2 ? bedrock.messages.create(params) : bedrock.messages.stream(params).finalMessage())),
      ),
    )
    expect(paths('chat').sort()).toEqual(names.map((name) => `chat ${requestModel} < ${name}`).sort())
  })

  test('and is active again after the call', async () => {
    const { bedrock } = openClient(sdk, { options: { tracer: undefined } })
    await within('handler', async (span) => {
      for await (const _ of bedrock.messages.stream(params)) expect(trace.getActiveSpan()).toBe(span)
      await bedrock.messages.create(params)
      expect(trace.getActiveSpan()).toBe(span)
    })
  })

  test('unless the call has a context', async () => {
    const { bedrock } = openClient(sdk)
    const span = sdk.tracer.startSpan('given')
    const given = trace.setSpan(ROOT_CONTEXT, span)
    await within('handler', () => bedrock.messages.create(params, { telemetry: { context: given } }))
    span.end()
    expect(paths('chat')).toEqual([`chat ${requestModel} < given`])
  })
})

describe('the span of a call contains', () => {
  test('each attempt, and the request for credentials', async () => {
    const fake = createFakeBedrock()
    const inner = trace.getTracer('app')
    const { bedrock } = openClient(sdk, {
      client: {
        credentials: async () => {
          inner.startSpan('credentials').end()
          return fake.identity
        },
        fetch: async (...request) => {
          inner.startSpan('attempt').end()
          return fake.fetch(...request)
        },
      },
    })
    fake.fail('throttling')
    await bedrock.messages.stream(params).finalMessage()
    expect(paths('attempt')).toEqual([`attempt < chat ${requestModel}`, `attempt < chat ${requestModel}`])
    expect(paths('credentials')).toEqual([`credentials < chat ${requestModel}`])
  })

  test('the request of an instrumented node:http, whose headers are not signed', async () => {
    const instrumentation = new HttpInstrumentation()
    instrumentation.setTracerProvider(sdk.tracerProvider)
    createRequire(import.meta.url)('node:http')
    syncBuiltinESMExports()
    const fake = createFakeBedrock()
    const server = await serveFakeBedrock(fake, { port: 0 })
    try {
      const bedrock = createBedrockClient({
        region: fake.region,
        credentials: fake.identity,
        endpoint: server.url,
        middleware: [telemetry()],
      })
      await within('handler', () => bedrock.messages.create(params))
      expect(paths('POST')).toContain(`POST < chat ${requestModel} < handler`)
      expect(fake.calls[0]?.signature).toEqual({ valid: true })
    } finally {
      instrumentation.disable()
      syncBuiltinESMExports()
      await server.close()
    }
  })
})

describe('traceparent', () => {
  test('is sent on request, unsigned', async () => {
    const { fake, bedrock } = openClient(sdk, { options: { propagate: true } })
    await bedrock.messages.create(params)
    await bedrock.messages.stream(params).finalMessage()
    sdk.spans().forEach((span, i) => {
      const { traceId, spanId } = span.spanContext()
      expect(fake.calls[i]?.headers).toMatchObject({ traceparent: `00-${traceId}-${spanId}-01` })
      expect(fake.calls[i]?.headers.authorization).toMatch(/SignedHeaders=(?!\S*trace)/)
      expect(fake.calls[i]?.signature).toEqual({ valid: true })
    })
    expect(sdk.spans()).toHaveLength(2)
  })

  test('continues an incoming trace, with its state', async () => {
    const { fake, bedrock } = openClient(sdk, { options: { propagate: true } })
    const traceState = { serialize: () => 'vendor=1', get: () => '1', set: () => traceState, unset: () => traceState }
    const incoming = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, traceState }
    await context.with(trace.setSpanContext(ROOT_CONTEXT, incoming), () => bedrock.messages.create(params))
    expect(fake.calls[0]?.headers.traceparent).toMatch(/^00-a{32}-(?!b{16})[\da-f]{16}-01$/)
    expect(fake.calls[0]?.headers.tracestate).toBe('vendor=1')
    expect(fake.calls[0]?.signature).toEqual({ valid: true })
  })

  test('is not sent by default, or without a trace', async () => {
    const { fake, bedrock } = openClient(sdk)
    await bedrock.messages.create(params)
    trace.disable()
    const idle = openClient(sdk, { options: { propagate: true, tracer: trace.getTracer('idle') } })
    await idle.bedrock.messages.create(params)
    for (const { headers } of [...fake.calls, ...idle.fake.calls]) expect(headers).not.toHaveProperty('traceparent')
  })

  test('is sent for a trace that is not sampled', async () => {
    const tracer = new BasicTracerProvider({ sampler: new AlwaysOffSampler() }).getTracer('off')
    const { fake, bedrock } = openClient(sdk, { options: { propagate: true, tracer } })
    await bedrock.messages.create(params)
    expect(fake.calls[0]?.headers.traceparent).toMatch(/-00$/)
    expect(sdk.spans()).toEqual([])
    expect(await sdk.measured()).toHaveProperty(['gen_ai.client.inference.duration'])
  })
})

describe('registration', () => {
  test('may happen after the client is created', async () => {
    trace.disable()
    const fake = createFakeBedrock()
    const bedrock = createBedrockClient({
      region: fake.region,
      credentials: fake.identity,
      fetch: fake.fetch,
      middleware: [telemetry()],
    })
    await bedrock.messages.create(params)
    expect(sdk.spans()).toEqual([])
    trace.setGlobalTracerProvider(sdk.tracerProvider)
    await bedrock.messages.create(params)
    expect(onlySpan(sdk).instrumentationScope.name).toBe('outcrop')
  })

  test('is ignored if tracer and meter are false', async () => {
    const { bedrock } = openClient(sdk, { options: { tracer: false, meter: false } })
    await bedrock.messages.create(params)
    expect(sdk.spans()).toEqual([])
    expect(await sdk.measured()).toEqual({})
  })
})
