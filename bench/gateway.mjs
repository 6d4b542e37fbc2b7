// Holds many streams open through the gateway for a while, and as many through a bare proxy.
//   node scripts/build.mjs --fast && node bench/gateway.mjs [streams=1000] [seconds=30] [way]
// Each event contains the time at which it was sent, so the receiver knows its delay. Prints lost streams, delays and memory
// of the gateway, and of a proxy that only copies bytes. Two cores are enough.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request, Agent } from 'node:http'
import { fileURLToPath } from 'node:url'

const [role = '', ...given] = process.argv.slice(2)
const eventsPerStream = 20
const interval = 1000
const key = 'key-of-the-load-run'

const now = () => performance.timeOrigin + performance.now()
const roles = { upstream, proxy, gateway }

if (Object.hasOwn(roles, role)) await roles[role](...given)
else await measure(Number(role || 1000), Number(given[0] ?? 30), given[1] ?? '')

/** A Bedrock whose streams send an event every second, for 20 s. */
async function upstream() {
  const { encodeEventStreamMessage } = await import('../dist/core/event-stream/index.js')
  const text = (value) => ({ type: 'string', value })
  const headers = { ':message-type': text('event'), ':event-type': text('chunk') }
  const frame = (event) => {
    const bytes = Buffer.from(JSON.stringify(event)).toString('base64')
    return encodeEventStreamMessage({ headers, payload: Buffer.from(JSON.stringify({ bytes, p: 'abcdefgh' })) })
  }
  const message = { type: 'message', role: 'assistant', id: 'msg_1', model: 'claude', content: [], stop_reason: null }
  const start = frame({ type: 'message_start', message: { ...message, usage: { input_tokens: 9, output_tokens: 1 } } })
  const stop = frame({ type: 'message_stop' })
  // Streams of one group get the same bytes at the same time.
  const groups = Array.from({ length: 50 }, () => new Map())
  let count = 0
  groups.forEach((streams, i) => {
    const tick = () => {
      const delta = { type: 'text_delta', text: `@${now()}@ ${'word '.repeat(8)}` }
      const chunk = frame({ type: 'content_block_delta', index: 0, delta })
      for (const [response, sent] of streams) {
        if (sent === eventsPerStream) {
          streams.delete(response)
          response.end(stop)
        } else {
          streams.set(response, sent + 1)
          response.write(chunk)
        }
      }
    }
    setTimeout(() => setInterval(tick, interval), (i * interval) / groups.length)
  })
  const server = createServer((incoming, response) => {
    incoming.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
      response.write(start)
      const group = groups[count++ % groups.length]
      group.set(response, 0)
      response.once('close', () => group.delete(response))
    })
  })
  await announce(server)
}

/** A bare proxy, for the cost that any proxy in Node has. */
async function proxy(url) {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  const server = createServer((incoming, outgoing) => {
    const { method, headers } = incoming
    const sent = request(`${url}/model/m/invoke-with-response-stream`, { method, headers, agent }, (response) => {
      outgoing.writeHead(response.statusCode, response.headers)
      response.pipe(outgoing)
    })
    incoming.pipe(sent)
  })
  await announce(server)
}

async function gateway(url) {
  const { createBedrockClient } = await import('../dist/index.js')
  const { apiKeys, createGateway, hashApiKey } = await import('../dist/gateway/index.js')
  const { serveGateway } = await import('../dist/gateway/node/index.js')
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-of-the-load-run' }
  const bedrock = createBedrockClient({ region: 'us-east-1', endpoint: url, credentials })
  const sha256 = await hashApiKey(key)
  const gateway = createGateway(bedrock, {
    authenticate: apiKeys([{ id: 'load', sha256, limits: { tokensPerMinute: 1e9, spendPerDay: 1e6 } }]),
    prices: { sonnet: { input: 3, output: 15 } },
    maxConcurrent: 10_000,
    accessLog: () => {},
  })
  const server = await serveGateway(gateway, { port: 0 })
  process.send({ url: server.url })
}

async function announce(server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.send({ url: `http://127.0.0.1:${server.address().port}` })
}

async function begin(...args) {
  const child = fork(fileURLToPath(import.meta.url), args)
  const [{ url }] = await once(child, 'message')
  return { child, url }
}

async function measure(streams, seconds, only) {
  const bedrock = await begin('upstream')
  const ways = [
    ['bare proxy', await begin('proxy', bedrock.url), '/'],
    ["gateway, Bedrock's API", await begin('gateway', bedrock.url), '/model/sonnet/invoke-with-response-stream'],
    ["gateway, Anthropic's API", await begin('gateway', bedrock.url), '/v1/messages'],
  ]
  console.log(`${streams} streams at a time for ${seconds} s, an event every ${interval} ms in each`)
  for (const [name, { child, url }, path] of ways) {
    if (!name.includes(only)) {
      child.kill()
      continue
    }
    const result = await load(url + path, streams, seconds, child.pid)
    console.log(name.padEnd(26), result)
    child.kill()
  }
  bedrock.child.kill()
}

async function load(url, streams, seconds, pid) {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  const delays = []
  const firsts = []
  const memory = []
  const end = now() + seconds * 1000 + eventsPerStream * interval
  const outcomes = { whole: 0 }
  const cpuBefore = cpuMilliseconds(pid)
  const sampler = setInterval(() => memory.push(residentMegabytes(pid)), 1000)
  const lanes = Array.from({ length: streams }, async () => {
    // Spread over one stream's duration, as in a steady state.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * eventsPerStream * interval))
    while (now() < end) {
      const outcome = await stream(url, agent, delays, firsts)
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
  })
  await Promise.all(lanes)
  clearInterval(sampler)
  agent.destroy()
  return [
    JSON.stringify(outcomes),
    `event p50 ${quantile(delays, 0.5)} ms, p99 ${quantile(delays, 0.99)} ms`,
    `first byte p50 ${quantile(firsts, 0.5)} ms, p99 ${quantile(firsts, 0.99)} ms`,
    `CPU ${(((cpuMilliseconds(pid) - cpuBefore) * 1000) / delays.length).toFixed(0)} µs per event`,
    `memory ${memory
      .slice(3)
      .filter((_, i, all) => i % Math.ceil(all.length / 6) === 0)
      .join(' ')} MB`,
  ].join('; ')
}

function stream(url, agent, delays, firsts) {
  const body = JSON.stringify({
    anthropic_version: 'bedrock-2023-05-31',
    max_tokens: 1000,
    messages: [{ role: 'user', content: 'Hi' }],
    ...(url.endsWith('/v1/messages') && { model: 'sonnet', stream: true, anthropic_version: undefined }),
  })
  const started = now()
  return new Promise((resolve) => {
    const sent = request(url, {
      method: 'POST',
      agent,
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
    })
    sent.on('error', ({ code }) => resolve(code))
    sent.on('response', (incoming) => {
      let events = 0
      let text = ''
      let isFirst = true
      incoming.on('data', (chunk) => {
        const arrived = now()
        if (isFirst) firsts.push(arrived - started)
        isFirst = false
        // An event may be split between two chunks.
        text += chunk.toString('latin1')
        let read = 0
        for (const match of text.matchAll(/@(\d+(?:\.\d+)?)@|"bytes":"([^"]+)"/g)) {
          read = match.index + match[0].length
          const time = match[1] ?? /@(\d+(?:\.\d+)?)@/.exec(Buffer.from(match[2], 'base64').toString())?.[1]
          if (time === undefined) continue
          events++
          delays.push(arrived - Number(time))
        }
        text = text.slice(read)
      })
      incoming.on('end', () =>
        resolve(events === eventsPerStream ? 'whole' : `HTTP ${incoming.statusCode}, ${events} events`),
      )
      incoming.on('error', ({ code }) => resolve(`${code} after ${events} events`))
    })
    sent.end(body)
  })
}

function quantile(values, share) {
  const sorted = Float64Array.from(values).sort()
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1)
}

function residentMegabytes(pid) {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024)
}

/** Returns the CPU time of all threads, from Linux, in hundredths of a second. */
function cpuMilliseconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
