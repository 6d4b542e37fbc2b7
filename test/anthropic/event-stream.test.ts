import { createBedrockClient } from 'outcrop/core'
import { encodeEventStreamMessage } from 'outcrop/event-stream'
import { Stream } from '@anthropic-ai/sdk/streaming'
import { anthropicFetch, anthropicOptions, toEventStream } from 'outcrop/anthropic'
import type { FakeReply } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'
import { connect, manualClock, params, post } from './support.ts'

const usage = { input_tokens: 12, output_tokens: 1 }
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [],
  stop_reason: null,
  stop_sequence: null,
}
const start = { type: 'message_start', message: { ...message, usage } }
const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Grüße\n"東京" \u2028' } }
const middle = [
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  delta,
  { type: 'content_block_stop', index: 0 },
]
const end = [
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 4 } },
  { type: 'message_stop' },
]

async function streamed(reply: object[], ...rest: Parameters<typeof connect>): Promise<string> {
  const { fetch } = connect({ ...rest[0], reply: reply as FakeReply }, rest[1])
  return (await post(fetch, { ...params, stream: true })).text()
}

const eventsOf = (text: string): { name: string; data: Record<string, unknown> }[] =>
  text
    .split('\n\n')
    .filter(Boolean)
    .map((event) => {
      const [, name = '', data = ''] = /^event: (\w+)\ndata: ([^\n]*)$/.exec(event) ?? []
      return { name, data: JSON.parse(data) }
    })

describe('server-sent events', () => {
  test("match Anthropic's byte for byte", async () => {
    const events = [start, { type: 'ping' }, ...middle, end[0] as object]
    const text = await streamed([...events, end[1] as object])
    // Bedrock adds its figures to the last one.
    const expected = events.map((event) => `event: ${(event as typeof start).type}\ndata: ${JSON.stringify(event)}\n\n`)
    expect(text.startsWith(expected.join(''))).toBe(true)
    expect(text.slice(expected.join('').length)).toMatch(
      /^event: message_stop\ndata: \{"type":"message_stop",.*\}\n\n$/,
    )
  })

  test("have Anthropic's headers", async () => {
    const { fetch } = connect()
    const response = await post(fetch, { ...params, stream: true })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('request-id')).toMatch(/^0{8}-/)
    await response.body?.cancel()
  })

  test("have only Anthropic's event names", async () => {
    const { fake, fetch } = connect()
    fake.fail('stream-unknown-event')
    const events = eventsOf(await (await post(fetch, { ...params, stream: true })).text())
    expect(events.every(({ name, data }) => name === data.type)).toBe(true)
    expect(events.at(-1)?.name).toBe('message_stop')
    const text = await streamed([start, { type: 'hologram_start' }, ...middle, ...end])
    expect(text).not.toContain('hologram')
  })

  test('always have the usage', async () => {
    const events = eventsOf(
      await streamed([
        { type: 'message_start', message },
        ...middle,
        { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
        { type: 'message_stop' },
      ]),
    )
    expect(events[0]?.data).toMatchObject({ message: { usage: { input_tokens: 0, output_tokens: 0 } } })
    expect(events.at(-2)?.data).toMatchObject({ usage: { output_tokens: 0 } })
    const partly = eventsOf(
      await streamed([{ type: 'message_start', message: { ...message, usage: { input_tokens: 7 } } }, ...end]),
    )
    expect(partly[0]?.data).toMatchObject({ message: { usage: { input_tokens: 7, output_tokens: 0 } } })
  })

  test('end with an error if message_stop is missing', async () => {
    for (const events of [[], [start], [start, ...middle], [{ outputText: 'Not of Claude' }], [{ type: 'ping' }]]) {
      const { fetch } = connect({ reply: events as FakeReply })
      const text = await (await post(fetch, { ...params, stream: true })).text()
      expect(text).toMatch(/\{"type":"error","error":\{"type":"api_error","message":".*before|without/)
    }
  })

  test('end with an error event of its type after a fault, behind the earlier events', async () => {
    const { fake, fetch } = connect({ reply: [start, ...middle, ...end] as FakeReply })
    fake.fail('stream-throttling', { after: 3 })
    const events = eventsOf(await (await post(fetch, { ...params, stream: true })).text())
    expect(events.map(({ name }) => name)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'error',
    ])
    expect(events.at(-1)?.data).toEqual({
      type: 'error',
      error: { type: 'rate_limit_error', message: 'Too many tokens, please wait before trying again.' },
      request_id: expect.stringMatching(/^0{8}-/),
    })
  })

  test('ignore faults after message_stop', async () => {
    const { fake, fetch } = connect({ reply: [start, ...middle, ...end] as FakeReply })
    for (const fault of ['stream-reset', 'stream-cut'] as const) {
      fake.fail(fault, { after: 6 })
      const events = eventsOf(await (await post(fetch, { ...params, stream: true })).text())
      expect(events.at(-1)?.name).toBe('message_stop')
    }
  })

  test('end with an error event if a guardrail throws', async () => {
    const { guardrails } = await import('outcrop/guardrails')
    const guarded = { identifier: 'gr1', versions: ['1'], blockedWords: ['secret'], place: 'end' as const }
    const { fetch } = connect(
      { reply: 'the secret word', guardrails: [guarded] },
      {},
      {
        middleware: [guardrails({ identifier: 'gr1', version: 1, onIntervention: 'throw' })],
      },
    )
    const events = eventsOf(await (await post(fetch, { ...params, stream: true })).text())
    expect(events.at(-1)?.data).toMatchObject({
      error: { type: 'invalid_request_error', message: 'The guardrail intervened' },
    })
  })
})

describe('deltas pass as text', () => {
  const frame = (payload: string): Uint8Array =>
    encodeEventStreamMessage({
      headers: {
        ':message-type': { type: 'string', value: 'event' },
        ':event-type': { type: 'string', value: 'chunk' },
        ':content-type': { type: 'string', value: 'application/json' },
      },
      payload: new TextEncoder().encode(payload),
    })
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  /** Returns what the client receives of these texts between the start and the end of a message. */
  const passed = async (texts: readonly string[], wrap = (bytes: string) => `{"bytes":"${bytes}","p":"abc"}`) => {
    const all = [JSON.stringify(start), ...texts, ...end.map((event) => JSON.stringify(event))]
    const body = Buffer.concat(all.map((text) => frame(wrap(base64(text)))))
    const bedrock = createBedrockClient({
      region: 'us-east-1',
      credentials: 'none',
      fetch: async () => new Response(body, { headers: { 'content-type': 'application/vnd.amazon.eventstream' } }),
    })
    const { fetch } = anthropicOptions(bedrock)
    return (await post(fetch, { ...params, model: 'us.anthropic.claude-sonnet-4-6', stream: true })).text()
  }
  const text = '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"1\\n\\u00fc 東京"}}'

  test('byte for byte', async () => {
    expect(await passed([text, text])).toContain(
      `event: content_block_delta\ndata: ${text}\n\nevent: content_block_delta\ndata: ${text}\n\nevent: message_delta\n`,
    )
  })

  test('with any formatting of the chunk around them', async () => {
    const expected = await passed([text])
    for (const wrap of [
      (bytes: string) => `{"p":"abc","bytes":"${bytes}"}`,
      (bytes: string) => `{ "bytes" : "${bytes}" }`,
      (bytes: string) => `{"bytes":"${bytes.replaceAll('/', '\\/')}"}`,
      (bytes: string) => `{"bytes":"${bytes}","p":"a-b"}`,
    ])
      expect(await passed([text], wrap)).toBe(expected)
  })

  test('with line breaks between JSON tokens, which do not split the event', async () => {
    const spread = text.replace(',"delta"', ',\r\n"delta"')
    expect(await passed([spread])).toContain(`data: ${JSON.stringify(JSON.parse(text))}\n\n`)
  })

  test('but cut JSON is a fault, also within a stream', async () => {
    for (const cut of [text.slice(0, -1), text.slice(0, -12), '{"type":"content_block_delta",']) {
      const events = eventsOf(await passed([text, cut, text]))
      expect(events.map(({ name }) => name)).toEqual(['message_start', 'content_block_delta', 'error'])
      expect(events.at(-1)?.data).toMatchObject({ error: { type: 'api_error' } })
    }
  })
})

describe('pings', () => {
  test('are sent after 15 s of silence, and again', async () => {
    const clock = manualClock()
    const { fake, fetch } = connect({}, { clock })
    fake.fail('stream-stall', { after: 1 })
    const response = await post(fetch, { ...params, stream: true })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const next = async () => new TextDecoder().decode((await reader.read()).value)
    expect(await next()).toMatch(/^event: message_start/)
    for (let i = 0; i < 3; i++) {
      const ping = next()
      await expect.poll(() => clock.timers.size).toBe(1)
      clock.pass(15_000)
      expect(await ping).toBe('event: ping\ndata: {"type": "ping"}\n\n')
    }
    await reader.cancel()
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
    clock.pass(15_000)
    expect(clock.timers.size).toBe(0)
  })

  test('begin the response after 15 s without an event', async () => {
    const clock = manualClock()
    const { fake, fetch } = connect({}, { clock })
    fake.fail('stall')
    const begun = post(fetch, { ...params, stream: true })
    await expect.poll(() => fake.calls.length).toBe(1)
    clock.pass(15_000)
    const response = await begun
    expect(response.status).toBe(200)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('event: ping\ndata: {"type": "ping"}\n\n')
    await reader.cancel()
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
  })

  test('turn later errors into error events', async () => {
    const clock = manualClock()
    let refuse = (): void => {}
    const refused = new Promise<void>((resolve) => {
      refuse = resolve
    })
    const { fake, fetch } = connect(
      {},
      { clock },
      {
        middleware: [
          async (request, next) => {
            await refused
            return next(request)
          },
        ],
      },
    )
    fake.fail('throttling')
    const begun = post(fetch, { ...params, stream: true })
    await expect.poll(() => clock.timers.size).toBe(1)
    clock.pass(15_000)
    const response = await begun
    refuse()
    expect(await response.text()).toMatch(/^event: ping\n.*\n\nevent: error\ndata: .*"rate_limit_error"/)
  })

  test('are not sent while events arrive, or with pingInterval: 0', async () => {
    const clock = manualClock()
    const { fetch } = connect({ reply: [start, ...middle, ...end] as FakeReply }, { clock })
    expect(await (await post(fetch, { ...params, stream: true })).text()).not.toContain('event: ping')
    expect(clock.timers.size).toBe(0)
    for (const pingInterval of [0, Number.POSITIVE_INFINITY]) {
      const quiet = connect({}, { clock, pingInterval })
      const response = await post(quiet.fetch, { ...params, stream: true })
      expect(clock.timers.size).toBe(0)
      await response.body?.cancel()
    }
  })

  test('are not sent to a reader that does not read, for whom nothing is taken from Bedrock', async () => {
    let pulled = 0
    const { fetch } = connect(
      { reply: 'word '.repeat(1000) },
      {},
      {
        middleware: [
          async (request, next) => {
            const response = await next(request)
            if (response.type !== 'stream') return response
            const { events } = response
            async function* counted() {
              for await (const event of events) {
                pulled++
                yield event
              }
            }
            return { ...response, events: counted() }
          },
        ],
      },
    )
    const response = await post(fetch, { ...params, stream: true })
    await new Promise((resolve) => setImmediate(resolve))
    expect(pulled).toBeLessThan(50)
    const text = await response.text()
    expect(pulled).toBe(eventsOf(text).length)
    expect(pulled).toBeGreaterThan(500)
  })
})

describe('toEventStream', () => {
  const read = async (response: Response): Promise<unknown[]> => {
    const events: unknown[] = []
    for await (const event of Stream.fromSSEResponse(response, new AbortController())) events.push(event)
    return events
  }

  test("answers messages.stream in a form that Anthropic's SDK reads", async () => {
    const { bedrock } = connect({ reply: [start, ...middle, ...end] as FakeReply })
    const response = await toEventStream(bedrock.messages.stream(params))
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(await read(response)).toMatchObject([start, ...middle, ...end])
  })

  test('sends a fault as an error response before the first event, and as an error event after it', async () => {
    const { bedrock, fake } = connect()
    fake.fail('throttling')
    const refused = await toEventStream(bedrock.messages.stream(params))
    expect(refused.status).toBe(429)
    fake.fail('stream-truncated')
    await expect(read(await toEventStream(bedrock.messages.stream(params)))).rejects.toMatchObject({
      type: 'api_error',
    })
    fake.fail('iam-denied')
    expect(await (await toEventStream(bedrock.messages.stream(params))).text()).not.toContain('arn:')
  })

  test('ends the call when the reader leaves', async () => {
    const { bedrock, fake } = connect({ reply: 'word '.repeat(500) })
    const response = await toEventStream(bedrock.messages.stream(params))
    await response.body?.cancel()
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
  })

  test('sends pings', async () => {
    const clock = manualClock()
    const { bedrock, fake } = connect()
    fake.fail('stall')
    const waiting = toEventStream(bedrock.messages.stream(params), { clock, pingInterval: 1000 })
    await expect.poll(() => fake.calls.length).toBe(1)
    clock.pass(1000)
    const reader = ((await waiting).body as ReadableStream<Uint8Array>).getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toMatch(/^event: ping/)
    await reader.cancel()
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
  })
})

describe('a client of outcrop/core', () => {
  test('is a backend for full model IDs', async () => {
    const { fake } = connect()
    const bedrock = createBedrockClient({ region: fake.region, credentials: fake.identity, fetch: fake.fetch })
    const { fetch } = anthropicOptions(bedrock)
    const response = await post(fetch, { ...params, model: 'us.anthropic.claude-sonnet-4-6' })
    expect(await response.json()).toMatchObject({ type: 'message' })
    expect((await post(fetch, params)).status).toBe(404)
    const models = await anthropicFetch(bedrock)('https://example/v1/models')
    expect(models.status).toBe(404)
    expect(await models.json()).toMatchObject({ error: { type: 'not_found_error' } })
  })
})
