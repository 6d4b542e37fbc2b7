import { createHash, createHmac } from 'node:crypto'
import { Sha256 } from '@aws-crypto/sha256-js'
import { HttpRequest } from '@smithy/protocol-http'
import { SignatureV4 } from '@smithy/signature-v4'
import { toUtf8 } from '@smithy/util-utf8'
import { eventsByHand, sendByHand } from './bound.mjs'
import { chunked, codec, messageBytes } from './frames.mjs'
import { concurrentAnswers, largeAnswers } from './large-answers.mjs'
import { identity, peers, region } from './peers.mjs'
import { answer } from './http-bodies.mjs'

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

// Each request has a new second, as in reality. The day stays, and so does the signing key.
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
function streamBytes(count) {
  const delta = (_, i) => ({ type: 'text_delta', text: `word ${i} of a long answer, ` })
  return messageBytes({ type: 'text', text: '' }, Array.from({ length: count }, delta))
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
      'messages.stream, the whole path': () => streaming(deltas).outcrop(),
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

/** Returns a function that creates responses with the stream of a message. */
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

// A streamed message, including its request, over an in-memory `fetch`.
function streaming(count) {
  const respond = streamedResponses(count)
  const drain = (start) => async () => {
    let events = 0
    for await (const event of await start()) if (event.type) events++
    assertCount(events, count + 5)
  }
  const own = (subpath, read) => async () => {
    const { bedrock } = await client(respond, subpath)
    return read ? () => read(bedrock.messages.stream(params)) : drain(() => bedrock.messages.stream(params))
  }
  const peer = (name) => async () => {
    const { stream } = await peers[name]({ fetch: async () => respond() })
    return async () => {
      let parts = 0
      for await (const _ of await stream(params)) parts++
      if (parts < count) throw new Error(`${parts} parts in place of ${count} or more`)
    }
  }
  return {
    outcrop: own('outcrop'),
    'outcrop, textStream': own('outcrop', async ({ textStream }) => {
      let length = 0
      for await (const text of textStream) length += text.length
      if (length === 0) throw new Error('nothing came')
    }),
    'outcrop, finalMessage': own('outcrop', async (stream) => {
      if ((await stream.finalMessage()).stop_reason !== 'end_turn') throw new Error('not the message')
    }),
    'outcrop/core': own('outcrop/core'),
    'smithy, hand-wired': async () => {
      const call = smithyCall(NodeSha256, respond)
      return drain(async () => smithyEvents((await call()).body))
    },
    'aws4fetch + smithy codec': async () => {
      const call = await aws4fetchCall(respond)
      return drain(async () => smithyEvents((await call()).body))
    },
    ...Object.fromEntries(Object.keys(peers).map((name) => [name, peer(name)])),
    'the bound': async () => {
      const call = byHand(respond)
      return drain(async () => eventsByHand((await call(params)).body))
    },
  }
}

// From frames to server-sent events. Outcrop's case includes the request and the call to Bedrock.
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
const jsonResponse = () => new Response(answer, { headers: { 'content-type': 'application/json' } })

async function client(fetch, subpath = 'outcrop', middleware = []) {
  const { createBedrockClient } = await import(subpath)
  return { bedrock: createBedrockClient({ region, credentials: identity, fetch: async () => fetch(), middleware }) }
}

/** A hand-wired call with AWS's packages. */
function smithyCall(sha256, respond) {
  const sign = smithySigner(sha256)
  const fetch = async () => respond()
  return async (input = params) => {
    const text = bodyOf(input)
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

/** A hand-wired call with aws4fetch, for example in a Worker. */
async function aws4fetchCall(respond) {
  const { AwsClient } = await import('aws4fetch')
  const aws = new AwsClient({ ...identity, region, service: 'bedrock' })
  const fetch = async () => respond()
  return async (input = params) => {
    const request = await aws.sign(`https://${hostname}${path}`, { method: 'POST', headers, body: bodyOf(input) })
    const response = await fetch(request)
    if (!response.ok) throw new Error(String(response.status))
    return response
  }
}

const bodyOf = ({ model: _, ...body }) => JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', ...body })

// Requests of different lengths, with a short answer.
function creating(size) {
  const sized = { ...params, messages: [{ role: 'user', content: 'x'.repeat(size) }] }
  const own = (subpath) => async () => {
    const { bedrock } = await client(jsonResponse, subpath)
    return () => bedrock.messages.create(sized)
  }
  const peer = (name) => async () => {
    const { create } = await peers[name]({ fetch: async () => jsonResponse() })
    return () => create(sized)
  }
  const wired = (call) => async () => (await call(sized)).json()
  return {
    outcrop: own('outcrop'),
    'outcrop/core': own('outcrop/core'),
    'smithy + sha256-js, hand-wired': async () => wired(smithyCall(Sha256, jsonResponse)),
    'smithy + node:crypto, hand-wired': async () => wired(smithyCall(NodeSha256, jsonResponse)),
    'aws4fetch, hand-wired': async () => wired(await aws4fetchCall(jsonResponse)),
    ...Object.fromEntries(Object.keys(peers).map((name) => [name, peer(name)])),
    'the bound': async () => wired(byHand(jsonResponse)),
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

// Of 10 MB.
const megabytes = (microseconds) => `${(10e6 / microseconds).toPrecision(2)} MB/s`

export const groups = [
  { name: 'sign 1 KB', operations: 3_000, contestants: signing(1_000), plot: true },
  { name: 'sign 100 KB', operations: 100, contestants: signing(100_000) },
  { name: 'sign 5 MB', operations: 3, contestants: signing(5_000_000) },
  { name: 'decode 5,000 deltas, 16 KB chunks', operations: 10, contestants: decoding(16_384) },
  {
    name: 'decode 5,000 deltas, 7-byte chunks',
    operations: 5,
    contestants: (({ outcrop }) => ({ outcrop }))(decoding(7)),
  },
  { name: 'stream 5,000 deltas', operations: 6, contestants: streaming(deltas), plot: true },
  { name: 'stream 200 deltas', operations: 100, contestants: streaming(200) },
  { name: 'frames to server-sent events, 5,000 deltas', operations: 10, contestants: converting() },
  {
    name: 'an answer of 10 MB',
    baseline: 'text, cuts of 64 KB',
    operations: 1,
    contestants: largeAnswers,
    format: megabytes,
  },
  {
    name: 'answers of 50 KB',
    baseline: 'one at a time',
    operations: 1,
    contestants: concurrentAnswers,
    format: megabytes,
  },
  { name: 'create 1 KB', operations: 1_500, contestants: creating(1_000), plot: true },
  { name: 'create 100 KB', operations: 300, contestants: creating(100_000) },
  { name: 'create 5 MB', operations: 8, contestants: creating(5_000_000) },
  { name: 'create behind caching', baseline: 'no middleware', operations: 1_000, contestants: caching() },
]
