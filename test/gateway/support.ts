import { type BedrockClientOptions, createBedrockClient } from 'outcrop'
import {
  type AccessLogEntry,
  type ApiKey,
  apiKeys,
  createGateway,
  type Gateway,
  type GatewayOptions,
  hashApiKey,
} from 'outcrop/gateway'
import { encodeEventStreamMessage } from 'outcrop/event-stream'
import { type GatewayServer, serveGateway } from 'outcrop/gateway/node'
import { createFakeBedrock, type FakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'
import { onTestFinished } from 'vitest'

/** Alice's key: not one that `createApiKey` would make. */
export const key = 'key-of-alice'

export interface Connected {
  readonly fake: FakeBedrock
  readonly gateway: Gateway
  readonly log: AccessLogEntry[]
  /** Calls the gateway with Alice's key. */
  readonly call: (path: string, init?: RequestInit & { readonly json?: unknown }) => Promise<Response>
}

export interface ConnectOptions extends Partial<GatewayOptions> {
  /** Of Alice. */
  readonly caller?: Partial<ApiKey>
  readonly fake?: FakeBedrockOptions
  readonly client?: BedrockClientOptions
}

/** A gateway with one key in front of a fake Bedrock. */
export async function connect({
  caller,
  fake: fakeOptions,
  client,
  ...options
}: ConnectOptions = {}): Promise<Connected> {
  const fake = createFakeBedrock({ reply: 'Hello!', ...fakeOptions })
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    retry: false,
    ...client,
  })
  const log: AccessLogEntry[] = []
  const gateway = createGateway(bedrock, {
    authenticate: apiKeys([{ id: 'alice', sha256: await hashApiKey(key), ...caller }]),
    accessLog: (entry) => log.push(entry),
    ...options,
  })
  const call: Connected['call'] = (path, { json, ...init } = {}) =>
    gateway.fetch(
      new Request(`http://gateway.example${path}`, {
        ...(json !== undefined && { method: 'POST', body: JSON.stringify(json) }),
        ...init,
        headers: { 'x-api-key': key, 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
      }),
    )
  return { fake, gateway, log, call }
}

/** The same over HTTP. */
export async function serve(options: ConnectOptions = {}): Promise<Connected & { readonly server: GatewayServer }> {
  const connected = await connect(options)
  const server = await serveGateway(connected.gateway, { port: 0 })
  onTestFinished(() => server.close())
  return { ...connected, server }
}

export const params = {
  model: 'claude-sonnet-4-6',
  max_tokens: 1000,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

/** A body for the Invoke API. */
export const body = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 1000, messages: params.messages }

const frame = (event: object): Uint8Array =>
  encodeEventStreamMessage({
    headers: {
      ':message-type': { type: 'string', value: 'event' },
      ':event-type': { type: 'string', value: 'chunk' },
      ':content-type': { type: 'string', value: 'application/json' },
    },
    payload: new TextEncoder().encode(JSON.stringify({ bytes: btoa(JSON.stringify(event)) })),
  })

/** A Bedrock whose streams continue until `end` is called, and which counts the frames that are read. */
export function endlessBedrock() {
  const message = { type: 'message', role: 'assistant', id: 'msg_1', model: 'claude', content: [], stop_reason: null }
  const start = frame({ type: 'message_start', message: { ...message, usage: { input_tokens: 1, output_tokens: 1 } } })
  const text = 'word '.repeat(2_000)
  const delta = frame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })
  const stop = frame({ type: 'message_stop' })
  const upstream = {
    /** Streams that have begun and neither ended nor were left. */
    open: 0,
    left: 0,
    /** Frames that were taken, of some 14 kB each. */
    taken: 0,
    isEnding: false,
    fetch: async (): Promise<Response> => {
      upstream.open++
      let sent = 0
      const body = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            // A model takes its time: other requests get theirs.
            await new Promise((resolve) => setImmediate(resolve))
            if (sent++ === 0) return controller.enqueue(start)
            if (!upstream.isEnding) {
              upstream.taken++
              return controller.enqueue(delta)
            }
            upstream.open--
            controller.enqueue(stop)
            controller.close()
          },
          cancel() {
            upstream.open--
            upstream.left++
          },
        },
        { highWaterMark: 0 },
      )
      return new Response(body, { headers: { 'content-type': 'application/vnd.amazon.eventstream' } })
    },
  }
  return upstream
}
