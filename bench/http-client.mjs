// Runs one contestant against the server at a port. Prints the microseconds of a call, or the KB of an open stream.
import http from 'node:http'
import https from 'node:https'
import { identity, model, peers, region } from './peers.mjs'

const [, , task, contestant, port, scheme = 'http'] = process.argv
const endpoint = `${scheme}://localhost:${port}`
const params = { model, max_tokens: 1024, messages: [{ role: 'user', content: 'x'.repeat(1000) }] }
const paths = { create: `/model/${model}/invoke`, stream: `/model/${model}/invoke-with-response-stream` }
const body = JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', ...params, model: undefined })
const headers = { 'content-type': 'application/json', 'x-amz-date': '20260101T000000Z', authorization: 'x'.repeat(200) }
const json = (chunks) => JSON.parse(Buffer.concat(chunks))

/** The contestants' functions: one gets a parsed response, and one opens a stream up to its first bytes. */
const contestants = {
  'fetch, bare': async () => {
    const call = (path) => fetch(endpoint + path, { method: 'POST', headers, body })
    return {
      create: async () => (await call(paths.create)).json(),
      stream: async () => {
        const reader = (await call(paths.stream)).body.getReader()
        await reader.read()
        return reader
      },
    }
  },
  'node:http, bare': async () => {
    const { Agent, request } = scheme === 'https' ? https : http
    const agent = new Agent({ keepAlive: true })
    const call = (path) =>
      new Promise((resolve, reject) => {
        const options = { host: 'localhost', port, path, method: 'POST', headers, agent }
        request(options).on('error', reject).on('response', resolve).end(body)
      })
    return {
      create: async () => {
        const response = await call(paths.create)
        const chunks = []
        return new Promise((resolve) => {
          response.on('data', (chunk) => chunks.push(chunk)).on('end', () => resolve(json(chunks)))
        })
      },
      stream: async () => {
        const response = await call(paths.stream)
        return new Promise((resolve) => response.once('data', () => resolve(response)))
      },
    }
  },
  'undici request, bare': async () => {
    const { request } = await import('undici')
    const call = (path) => request(endpoint + path, { method: 'POST', headers, body })
    return {
      create: async () => (await call(paths.create)).body.json(),
      stream: async () => {
        const response = await call(paths.stream)
        return new Promise((resolve) => response.body.once('data', () => resolve(response)))
      },
    }
  },
  'undici dispatch, bare': async () => {
    const { Agent } = await import('undici')
    const agent = new Agent()
    const call = (path, isDone) =>
      new Promise((resolve, reject) => {
        const chunks = []
        const onData = (chunk) => {
          chunks.push(chunk)
          if (!isDone) resolve(chunks)
        }
        agent.dispatch(
          { origin: endpoint, path, method: 'POST', headers, body },
          {
            onRequestStart() {},
            onResponseStart() {},
            onResponseData: (_, chunk) => onData(chunk),
            onResponseEnd: () => resolve(json(chunks)),
            onResponseError: (_, error) => reject(error),
          },
        )
      })
    return { create: () => call(paths.create, true), stream: () => call(paths.stream, false) }
  },
  'node:http2, one session, bare': async () => {
    const { connect } = await import('node:http2')
    const session = connect(endpoint)
    const call = (path) => session.request({ ':method': 'POST', ':path': path, ...headers }).end(body)
    return {
      create: () =>
        new Promise((resolve, reject) => {
          const chunks = []
          call(paths.create)
            .on('data', (chunk) => chunks.push(chunk))
            .on('end', () => resolve(json(chunks)))
            .on('error', reject)
        }),
      stream: () =>
        new Promise((resolve, reject) => {
          const stream = call(paths.stream)
          stream.once('data', () => resolve(stream)).on('error', reject)
        }),
    }
  },
  outcrop: () => client('outcrop'),
  'outcrop/core': () => client('outcrop/core'),
  'outcrop/core, with fetch': () => client('outcrop/core', { fetch: globalThis.fetch }),
  'aws4fetch + smithy codec': async () => {
    const { AwsClient } = await import('aws4fetch')
    const aws = new AwsClient({ ...identity, region, service: 'bedrock', retries: 0 })
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
    return {
      create: async () => (await aws.fetch(endpoint + paths.create, init)).json(),
      stream: async () => {
        const reader = (await aws.fetch(endpoint + paths.stream, init)).body.getReader()
        await reader.read()
        return reader
      },
    }
  },
  ...Object.fromEntries(
    Object.entries(peers).map(([name, make]) => [
      name,
      async () => {
        const peer = await make({ endpoint: name === '@ai-sdk/amazon-bedrock' ? `${endpoint}/model` : endpoint })
        return {
          create: () => peer.create(params),
          stream: async () => {
            const iterator = (await peer.stream(params))[Symbol.asyncIterator]()
            await iterator.next()
            return iterator
          },
        }
      },
    ]),
  ),
}

async function client(name, options = {}) {
  const { createBedrockClient } = await import(name)
  const bedrock = createBedrockClient({ region, credentials: identity, endpoint, ...options })
  return {
    create: () => bedrock.messages.create(params),
    stream: async () => {
      const stream = bedrock.messages.stream(params)
      await stream[Symbol.asyncIterator]().next()
      return stream
    },
  }
}

const tasks = {
  async throughput({ create }) {
    const run = async (count, inFlight) => {
      let started = 0
      const worker = async () => {
        while (started++ < count) if ((await create()).stop_reason !== 'end_turn') throw new Error('not the answer')
      }
      await Promise.all(Array.from({ length: inFlight }, worker))
    }
    await run(3_000, 64)
    // In CPU time, because a process that waits for others is not slow.
    const before = process.cpuUsage()
    await run(2_000, 64)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 2_000
  },
  async idle({ stream }) {
    const count = 1_000
    const open = []
    const openUp = async (number) => {
      for (let i = 0; i < number; i += 50) open.push(...(await Promise.all(Array.from({ length: 50 }, () => stream()))))
    }
    const memory = async () => {
      for (let i = 0; i < 3; i++) {
        globalThis.gc()
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      return process.memoryUsage.rss() / 1024
    }
    // The first ones also load and compile code.
    await openUp(500)
    const before = await memory()
    await openUp(count)
    const after = await memory()
    if (open.length !== count + 500) throw new Error('not all are open')
    return (after - before) / count
  },
}

console.log(await tasks[task](await contestants[contestant]()))
process.exit(0)
