import { createHash, createHmac } from 'node:crypto'
import { Sha256 } from '@aws-crypto/sha256-js'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { HttpRequest } from '@smithy/protocol-http'
import { SignatureV4 } from '@smithy/signature-v4'
import { fromUtf8, toUtf8 } from '@smithy/util-utf8'
import { eventsByHand, sendByHand } from './bound.mjs'

const identity = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI-EXAMPLE' }
const region = 'us-east-1'
const hostname = `bedrock-runtime.${region}.amazonaws.com`
const path = '/model/us.anthropic.claude-sonnet-4-6/invoke'
const headers = { 'content-type': 'application/json', accept: 'application/json' }

class NodeSha256 {
  constructor(secret) {
    this.hash = secret ? createHmac('sha256', secret) : createHash('sha256')
  }
  update(data) {
    this.hash.update(data)
  }
  async digest() {
    return new Uint8Array(this.hash.digest())
  }
}

function smithySigner(sha256) {
  const signer = new SignatureV4({ credentials: identity, region, service: 'bedrock', sha256 })
  return (body, date) => {
    const request = new HttpRequest({
      method: 'POST',
      protocol: 'https:',
      hostname,
      path,
      headers: { ...headers, host: hostname },
      body,
    })
    return signer.sign(request, { signingDate: date })
  }
}

// A new second for each request, as time goes on; the day and so the signing key stay.
const dateAt = (i) => new Date(1_790_000_000_000 + (i % 20_000) * 1000)

function signing(size) {
  const body = new Uint8Array(size).fill(97)
  const own = (signRequest) => (i) =>
    signRequest(
      { method: 'POST', url: `https://${hostname}${path}`, headers, body },
      { identity, region, service: 'bedrock', date: dateAt(i) },
    )
  const smithy = (sha256) => {
    const sign = smithySigner(sha256)
    return (i) => sign(body, dateAt(i))
  }
  return {
    outcrop: async () => own((await import('outcrop/sigv4')).signRequest),
    'smithy + sha256-js': async () => smithy(Sha256),
    'smithy + node:crypto': async () => smithy(NodeSha256),
  }
}

const deltas = 5_000
const codec = new EventStreamCodec(toUtf8, fromUtf8)

function frame(event) {
  const bytes = Buffer.from(JSON.stringify(event)).toString('base64')
  return codec.encode({
    headers: {
      ':event-type': { type: 'string', value: 'chunk' },
      ':content-type': { type: 'string', value: 'application/json' },
      ':message-type': { type: 'string', value: 'event' },
    },
    body: fromUtf8(JSON.stringify({ bytes, p: 'abcdefghijklmnopqrstuvwxyz'.slice(0, bytes.length % 26) })),
  })
}

function streamBytes(deltas) {
  const usage = { input_tokens: 10, output_tokens: 1 }
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [],
    stop_reason: null,
    usage,
  }
  const events = [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...Array.from({ length: deltas }, (_, i) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: `word ${i} of a long answer, ` },
    })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: deltas } },
    { type: 'message_stop' },
  ]
  return Buffer.concat(events.map(frame))
}

function chunked(bytes, size) {
  const chunks = []
  for (let i = 0; i < bytes.length; i += size) chunks.push(bytes.subarray(i, i + size))
  return chunks
}

const parse = (payload) => JSON.parse(Buffer.from(JSON.parse(toUtf8(payload)).bytes, 'base64').toString())

function decoding(size) {
  const body = () => chunked(streamBytes(deltas), size)
  const own = (createEventStreamDecoder) => {
    const chunks = body()
    return async () => {
      const decoder = createEventStreamDecoder()
      let events = 0
      for (const chunk of chunks) for (const { payload } of decoder.push(chunk)) if (parse(payload).type) events++
      decoder.end()
      assertCount(events)
    }
  }
  return {
    outcrop: async () => own((await import('outcrop/event-stream')).createEventStreamDecoder),
    'outcrop, web platform': async () =>
      own((await import('./node_modules/.outcrop-web.mjs')).createEventStreamDecoder),
    'smithy codec, hand-wired': async () => {
      const chunks = body()
      return async () => {
        let held = new Uint8Array(0)
        let events = 0
        for (const chunk of chunks) {
          held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
          while (held.length >= 4) {
            const length = new DataView(held.buffer, held.byteOffset).getUint32(0)
            if (held.length < length) break
            if (parse(codec.decode(held.subarray(0, length)).body).type) events++
            held = held.subarray(length)
          }
        }
        assertCount(events)
      }
    },
    ...(size > 1000 && {
      'messages.stream, the whole path': () => streaming().outcrop(),
      'raw drain': async () => {
        const chunks = body()
        return async () => {
          let sum = 0
          for (const chunk of chunks) sum += chunk.length
          if (sum === 0) throw new Error('nothing came')
        }
      },
    }),
  }
}

/** Makes responses with the stream of a message. */
function streamedResponses(count = deltas) {
  const chunks = chunked(streamBytes(count), 16_384)
  return () =>
    new Response(
      new ReadableStream({
        start(controller) {
          for (const chunk of chunks) controller.enqueue(chunk)
          controller.close()
        },
      }),
      { headers: { 'content-type': 'application/vnd.amazon.eventstream' } },
    )
}

// The whole path of a streamed message, over an in-memory fetch.
function streaming() {
  const drain = (start) => async () => {
    let events = 0
    for await (const event of await start()) if (event.type) events++
    assertCount(events)
  }
  return {
    outcrop: async () => {
      const { bedrock } = await client(streamedResponses())
      return drain(() => bedrock.messages.stream(params))
    },
    '@anthropic-ai/bedrock-sdk': async () => {
      const bedrock = await anthropicClient(streamedResponses())
      return drain(() => bedrock.messages.stream(params))
    },
  }
}

// From frames to server-sent events. Ours is the whole path, with the request and the call to Bedrock.
function converting() {
  const respond = streamedResponses()
  const drain = async (convert) => {
    const whole = await (await convert()).text()
    assertCount(whole.split('\n\n').length - 1)
    return async () => {
      let bytes = 0
      for await (const chunk of (await convert()).body) bytes += chunk.length
      if (bytes !== whole.length) throw new Error(`${bytes} bytes in place of ${whole.length}`)
    }
  }
  const url = 'https://api.anthropic.com/v1/messages?beta=true'
  const init = { method: 'POST', body: JSON.stringify({ ...params, stream: true }) }
  return {
    outcrop: async () => {
      const { bedrock } = await client(respond)
      const { anthropicFetch } = await import('outcrop/anthropic')
      const fetch = anthropicFetch(bedrock)
      return drain(() => fetch(url, init))
    },
    '@anthropic-ai/bedrock-sdk': async () => {
      const { eventStreamToSSEResponse } = await import('@anthropic-ai/bedrock-sdk/core/streaming')
      return drain(() => eventStreamToSSEResponse(respond()))
    },
    'decoder and base64 alone': async () => {
      const { createEventStreamDecoder } = await import('outcrop/event-stream')
      return async () => {
        const bare = createEventStreamDecoder()
        let events = 0
        for await (const chunk of respond().body)
          for (const { payload } of bare.push(chunk))
            if (Buffer.from(JSON.parse(toUtf8(payload)).bytes, 'base64').length > 0) events++
        assertCount(events)
      }
    },
  }
}

function assertCount(events, expected = deltas + 5) {
  if (events !== expected) throw new Error(`${events} events in place of ${expected}`)
}

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'x'.repeat(1000) }],
}
const answer = JSON.stringify({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'y'.repeat(1000) }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 300, output_tokens: 300 },
})
const jsonResponse = () => new Response(answer, { headers: { 'content-type': 'application/json' } })

async function client(fetch, door = 'outcrop', middleware = []) {
  const { createBedrockClient } = await import(door)
  return { bedrock: createBedrockClient({ region, credentials: identity, fetch: async () => fetch(), middleware }) }
}

async function anthropicClient(fetch) {
  const { AnthropicBedrock } = await import('@anthropic-ai/bedrock-sdk')
  const { accessKeyId, secretAccessKey } = identity
  return new AnthropicBedrock({
    awsRegion: region,
    awsAccessKey: accessKeyId,
    awsSecretKey: secretAccessKey,
    fetch: async () => fetch(),
  })
}

/** A call as one wires it by hand with AWS's packages. */
function smithyCall(sha256, respond) {
  const sign = smithySigner(sha256)
  const fetch = async () => respond()
  return async () => {
    const { model, ...body } = params
    const text = JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', ...body })
    const signed = await sign(text, new Date())
    const response = await fetch(`https://${hostname}${signed.path}`, {
      method: 'POST',
      headers: signed.headers,
      body: text,
      signal: AbortSignal.timeout(60_000),
    })
    if (!response.ok) throw new Error(String(response.status))
    return response
  }
}

function creating() {
  const own = async (door) => {
    const { bedrock } = await client(jsonResponse, door)
    return () => bedrock.messages.create(params)
  }
  const smithy = (sha256) => {
    const call = smithyCall(sha256, jsonResponse)
    return async () => (await call()).json()
  }
  return {
    outcrop: () => own('outcrop'),
    'outcrop/core': () => own('outcrop/core'),
    '@anthropic-ai/bedrock-sdk': async () => {
      const bedrock = await anthropicClient(jsonResponse)
      return () => bedrock.messages.create(params)
    },
    'smithy + sha256-js, hand-wired': async () => smithy(Sha256),
    'smithy + node:crypto, hand-wired': async () => smithy(NodeSha256),
  }
}

// One short answer, with the request that it takes.
function streamingShort() {
  const count = 200
  const drain = (start) => async () => {
    let events = 0
    for await (const event of await start()) if (event.type) events++
    assertCount(events, count + 5)
  }
  const own = async (door) => {
    const { bedrock } = await client(streamedResponses(count), door)
    return drain(() => bedrock.messages.stream(params))
  }
  return {
    outcrop: () => own('outcrop'),
    'outcrop/core': () => own('outcrop/core'),
    'smithy, hand-wired': async () => {
      const call = smithyCall(NodeSha256, streamedResponses(count))
      return drain(async () => smithyEvents((await call()).body))
    },
    'the bound': async () => {
      const call = byHand(streamedResponses(count))
      return drain(async () => eventsByHand((await call(params)).body))
    },
  }
}

async function* smithyEvents(chunks) {
  let held = new Uint8Array(0)
  for await (const chunk of chunks) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    while (held.length >= 4) {
      const length = new DataView(held.buffer, held.byteOffset).getUint32(0)
      if (held.length < length) break
      yield parse(codec.decode(held.subarray(0, length)).body)
      held = held.subarray(length)
    }
  }
}

const byHand = (respond) => sendByHand({ identity, region, hostname, path, fetch: async () => respond() })

// A request of so many characters and a short answer, beside what cannot be left out.
function creatingAtTheBound(size) {
  const sized = { ...params, messages: [{ role: 'user', content: 'x'.repeat(size) }] }
  const own = async (door) => {
    const { bedrock } = await client(jsonResponse, door)
    return () => bedrock.messages.create(sized)
  }
  return {
    outcrop: () => own('outcrop'),
    'outcrop/core': () => own('outcrop/core'),
    'the bound': async () => {
      const call = byHand(jsonResponse)
      return async () => (await call(sized)).json()
    },
  }
}

function caching() {
  const calling = async (makeMiddleware, changes = () => ({})) => {
    const { bedrock } = await client(jsonResponse, 'outcrop', makeMiddleware(await import('outcrop/caching')))
    return (i) => bedrock.messages.create({ ...params, system: 'x'.repeat(8000), temperature: 0, ...changes(i) })
  }
  const stored = ({ responseCaching, memoryStore }) => [responseCaching({ store: memoryStore() })]
  return {
    'no middleware': () => calling(() => []),
    promptCaching: () => calling(({ promptCaching }) => [promptCaching()]),
    'responseCaching, a miss': () => calling(stored, (i) => ({ metadata: { user_id: `user-${i}-${Math.random()}` } })),
    'responseCaching, a hit': () => calling(stored),
  }
}

export const groups = [
  { name: 'sign 1 KB', baseline: 'smithy + sha256-js', operations: 3_000, contestants: signing(1_000) },
  { name: 'sign 100 KB', baseline: 'smithy + sha256-js', operations: 100, contestants: signing(100_000) },
  { name: 'sign 5 MB', baseline: 'smithy + sha256-js', operations: 3, contestants: signing(5_000_000) },
  {
    name: 'decode 5,000 deltas, 16 KB chunks',
    baseline: 'smithy codec, hand-wired',
    operations: 20,
    contestants: decoding(16_384),
  },
  {
    name: 'decode 5,000 deltas, 7-byte chunks',
    baseline: 'outcrop',
    operations: 5,
    contestants: (({ outcrop }) => ({ outcrop }))(decoding(7)),
  },
  {
    name: 'stream 5,000 deltas',
    baseline: '@anthropic-ai/bedrock-sdk',
    operations: 10,
    contestants: streaming(),
  },
  {
    name: 'frames to server-sent events, 5,000 deltas',
    baseline: 'decoder and base64 alone',
    operations: 40,
    contestants: converting(),
  },
  {
    name: 'stream 200 deltas',
    baseline: 'smithy, hand-wired',
    operations: 200,
    contestants: streamingShort(),
  },
  {
    name: 'create 1 KB, at the bound',
    baseline: 'the bound',
    operations: 4_000,
    contestants: creatingAtTheBound(1_000),
  },
  {
    name: 'create 100 KB, at the bound',
    baseline: 'the bound',
    operations: 400,
    contestants: creatingAtTheBound(100_000),
  },
  {
    name: 'create 5 MB, at the bound',
    baseline: 'the bound',
    operations: 10,
    contestants: creatingAtTheBound(5_000_000),
  },
  {
    name: 'create 1 KB message',
    baseline: 'smithy + sha256-js, hand-wired',
    operations: 3_000,
    contestants: creating(),
  },
  {
    name: 'load, and create the first message',
    baseline: '@anthropic-ai/bedrock-sdk',
    isCold: true,
    operations: 1,
    contestants: (({ outcrop, 'outcrop/core': core, '@anthropic-ai/bedrock-sdk': sdk }) => ({
      outcrop,
      'outcrop/core': core,
      '@anthropic-ai/bedrock-sdk': sdk,
    }))(creating()),
  },
  {
    name: 'create behind caching',
    baseline: 'no middleware',
    operations: 2_000,
    contestants: caching(),
  },
]
