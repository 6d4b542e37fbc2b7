import { type Meter, metrics, type Tracer, trace } from '@opentelemetry/api'
import { createBedrockClient, type FailedAttempt } from 'outcrop'
import { createBedrockClient as createCoreClient } from 'outcrop/core'
import { telemetry, type TelemetryMeter, type TelemetryOptions, type TelemetryTracer } from 'outcrop/telemetry'
import { createFakeBedrock } from 'outcrop/testing'
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import { onlySpan, openClient, openSdk, params, requestModel } from './support.ts'

let sdk: ReturnType<typeof openSdk>
beforeEach(() => {
  sdk = openSdk()
})
afterEach(() => sdk.close())

const refused = (options: unknown): string => {
  try {
    telemetry(options as TelemetryOptions)
  } catch (error) {
    return (error as Error).message
  }
  return expect.fail('it was taken')
}

describe('options', () => {
  test("accept OpenTelemetry's own objects", () => {
    expectTypeOf<Tracer>().toExtend<TelemetryTracer>()
    expectTypeOf<Meter>().toExtend<TelemetryMeter>()
    expect(telemetry({ tracer: trace.getTracer('app'), meter: metrics.getMeter('app') })).toBeTypeOf('function')
  })

  test.each<[unknown, string]>([
    [{ trcer: {} }, 'Unknown option "trcer"'],
    [{ tracer: {} }, 'tracer must be an OpenTelemetry tracer or false, not an object'],
    [{ tracer: 'app' }, 'tracer must be an OpenTelemetry tracer or false, not a string'],
    [{ meter: () => {} }, 'meter must be an OpenTelemetry meter or false, not a function'],
    [{ content: 'yes' }, 'content must be true, false or { maxBytes }, not a string'],
    [{ content: { maxbytes: 1 } }, 'Unknown option "content.maxbytes"'],
    [{ content: { maxBytes: 0 } }, 'content.maxBytes must be a whole number of bytes, 1 or more'],
    [{ conventions: '1.36' }, "conventions must be 'latest' or '1.41'"],
    [{ propagate: 'yes' }, 'propagate must be true or false, not a string'],
    [null, 'The options must be an object, not null'],
  ])('are rejected if impossible: %j', (options, message) => {
    expect(refused(options)).toBe(message)
  })

  test.each<[unknown, string]>([
    [{ conversationID: 'c' }, 'Unknown option "telemetry.conversationID"'],
    [{ conversationId: 7 }, 'telemetry.conversationId must be a string, not a number'],
    [{ attributes: 'a' }, 'telemetry.attributes must be an object, not a string'],
    [true, 'telemetry must be an object, not a boolean'],
  ])('of a call are rejected before anything is sent: %j', async (own, message) => {
    const { fake, bedrock } = openClient(sdk)
    await expect(bedrock.messages.create(params, { telemetry: own as never })).rejects.toThrow(message)
    expect(fake.calls).toEqual([])
  })

  test('of a call have a hint if misspelled', async () => {
    const { bedrock } = openClient(sdk)
    const call = bedrock.messages.create(params, { telemtry: false } as never)
    await expect(call).rejects.toMatchObject({ hint: 'Did you mean telemetry?' })
  })
})

describe('a call does not fail because of', () => {
  const broken = () => {
    throw new Error('out of order')
  }
  const logged = () => {
    const errors: unknown[] = []
    const logger = { debug() {}, info() {}, warn() {}, error: (...said: unknown[]) => void errors.push(said) }
    return { errors, logger }
  }

  test('a tracer that throws', async () => {
    const { errors, logger } = logged()
    const { bedrock } = openClient(sdk, { options: { tracer: { startActiveSpan: broken } }, client: { logger } })
    expect((await bedrock.messages.create(params)).type).toBe('message')
    expect(errors).toHaveLength(1)
    expect(await sdk.measured()).toHaveProperty(['gen_ai.client.inference.duration'])
  })

  test('a span and instruments that throw', async () => {
    const { errors, logger } = logged()
    const span = {
      setAttributes: broken,
      addEvent: broken,
      setStatus: broken,
      end: broken,
      spanContext: broken,
      isRecording: () => true,
    }
    const tracer = {
      startActiveSpan: ((_name: string, _options: unknown, run: (one: typeof span) => unknown) => run(span)) as never,
    }
    const meter = { createHistogram: () => ({ record: broken }), createCounter: () => ({ add: broken }) }
    const { fake, bedrock } = openClient(sdk, { options: { tracer, meter, propagate: true }, client: { logger } })
    fake.fail('throttling')
    const heard: FailedAttempt[] = []
    await bedrock.messages.create(params, { onRetry: (failed) => heard.push(failed) })
    expect(heard).toHaveLength(1)
    await bedrock.messages.stream(params).finalMessage()
    expect(errors.length).toBeGreaterThan(3)
  })

  test('a meter that throws', async () => {
    const { errors, logger } = logged()
    const meter = { createHistogram: broken, createCounter: broken }
    const { bedrock } = openClient(sdk, { options: { meter }, client: { logger } })
    await bedrock.messages.create(params)
    expect(errors).toHaveLength(1)
    expect(onlySpan(sdk).name).toBe(`chat ${requestModel}`)
  })
})

test('works with outcrop/core', async () => {
  const fake = createFakeBedrock()
  const bedrock = createCoreClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    middleware: [telemetry({ tracer: sdk.tracer })],
  })
  await bedrock.messages.create({ ...params, model: requestModel })
  expect(onlySpan(sdk).attributes['outcrop.model.source']).toBe('explicit')
})

test('sends the same request with and without it', async () => {
  const fake = createFakeBedrock()
  const client = { region: fake.region, credentials: fake.identity, fetch: fake.fetch }
  const told = createBedrockClient({ ...client, middleware: [telemetry({ tracer: sdk.tracer, meter: sdk.meter })] })
  for (const bedrock of [createBedrockClient(client), told])
    await bedrock.messages.create(params, { telemetry: { conversationId: 'c' }, requestMetadata: { team: 'geo' } })
  const [plain, observed] = fake.calls.map(({ headers, body, path }) => ({ names: Object.keys(headers), body, path }))
  expect(observed).toEqual(plain)
})

test("records a proxy's port as the server's", async () => {
  const { bedrock } = openClient(sdk, { client: { endpoint: 'http://127.0.0.1:8080/bedrock' } })
  await bedrock.messages.create(params).catch(() => {})
  expect(onlySpan(sdk).attributes).toMatchObject({ 'server.address': '127.0.0.1', 'server.port': 8080 })
})

test("records a model's refusal as an answer", async () => {
  const reply = { content: [{ type: 'text', text: 'No.' }], stop_reason: 'refusal' } as never
  const { bedrock } = openClient(sdk, { bedrock: { reply } })
  await bedrock.messages.create(params)
  await bedrock.messages.stream(params).finalMessage()
  for (const { attributes } of sdk.spans()) {
    expect(attributes['gen_ai.response.finish_reasons']).toEqual(['refusal'])
    expect(attributes).not.toHaveProperty(['error.type'])
  }
  expect(sdk.spans()).toHaveLength(2)
})
