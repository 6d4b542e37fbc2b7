// Cloudflare's Workers: a promise that does I/O for one request ends with it, and never settles for another request
// that waits for it. One client serves 20 concurrent requests, the first of which is cancelled; all others are answered.
import { createFakeBedrock } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { createHoldingGateway } from './gateway.ts'
import { serveWorker } from './workerd.ts'

/** 2024-10-14 is when Workers began to wake a request whose promise another one has settled. */
const compatibilityDates = ['2026-01-01', '2024-10-01', '2022-11-30']
const count = 20
const limit = 30_000

/** One row of the table. */
export interface Check {
  readonly name: string
  run(): Promise<string>
}

/**
 * @param executable - the command of the npm package `workerd`
 * @param bundle - worker.mjs as a bundler for Workers makes it
 */
export function workerChecks(executable: string, bundle: () => Promise<string>): readonly Check[] {
  return compatibilityDates.map((compatibilityDate) => ({
    name: `workerd of ${compatibilityDate}, one cancelled`,
    run: async () => {
      const identities = ['AKIDEXAMPLE1', 'AKIDEXAMPLE2'].map((accessKeyId) => ({
        accessKeyId,
        secretAccessKey: 'secret',
      }))
      const fake = createFakeBedrock({ identities, reply: 'word '.repeat(20) })
      const bedrock = await serveFakeBedrock(fake)
      let [keys] = identities
      const gateway = await createHoldingGateway(bedrock.url, { '/keys': () => keys })
      const worker = await serveWorker(executable, await bundle(), { compatibilityDate })
      const settings = {
        region: fake.region,
        credentials: identities[0],
        endpoint: gateway.url,
        retry: { baseDelay: 1 },
      }
      const send = (scenario: string, way: string, passed = 0): Sent =>
        ask(worker.url, { scenario, way, passed, settings, vault: `${gateway.url}/keys` })
      try {
        await firstIsCancelled('credentials', () => send('credentials', 'stream'), gateway.hold(/^\/keys/))
        await firstIsCancelled('discovery', () => send('discovery', 'stream'), gateway.hold(/^\/inference-profiles/))
        await firstIsCancelled('a cached response', () => send('response cache', 'create'), gateway.hold(/\/invoke$/))
        const begunStream = gateway.hold(/\/invoke-with-response-stream$/, 'begun')
        await firstIsCancelled('a cached stream', () => send('response cache', 'stream'), begunStream)

        // Within its last five minutes an identity is renewed in the background, by a request that does not wait for it.
        const later = (): Sent => send('credentials', 'stream', 3_400_000)
        const held = gateway.hold(/^\/keys/)
        expectDone('a request that renews in the background', await later().outcome)
        await held
        keys = identities[1]
        fake.fail('expired-token')
        expectDone('a request that has to wait for the renewal that was cut', await later().outcome)
        return 'credentials, discovery, cached responses, background renewal'
      } finally {
        await worker.close()
        gateway.close()
        await bedrock.close()
      }
    },
  }))
}

/** Sends the first request and the others, and cancels the first when `held` tells that all wait for what it asked for. */
async function firstIsCancelled(name: string, send: () => Sent, held: Promise<void>): Promise<void> {
  const first = send()
  await held
  const others = Array.from({ length: count - 1 }, send)
  await Promise.all(others.map(({ begun }) => begun))
  first.cancel()
  for (const { outcome } of others) expectDone(name, await outcome)
}

function expectDone(name: string, outcome: string): void {
  if (outcome !== 'done') throw new Error(`${name}: ${outcome}`)
}

/** A request to the Worker. */
interface Sent {
  readonly begun: Promise<void>
  /** The last line of the answer. */
  readonly outcome: Promise<string>
  cancel(): void
}

function ask(url: string, body: unknown): Sent {
  const client = new AbortController()
  const deadline = setTimeout(() => client.abort(new Error('hung')), limit)
  const response = fetch(url, { method: 'POST', body: JSON.stringify(body), signal: client.signal })
  let begin: () => void
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const read = async (): Promise<string> => {
    let text = ''
    for await (const bytes of (await response).body as ReadableStream<Uint8Array>) {
      text += Buffer.from(bytes).toString()
      begin()
    }
    return text.slice(text.lastIndexOf('\n') + 1)
  }
  const outcome = read()
    .catch((error) => String(error))
    .finally(() => {
      begin()
      clearTimeout(deadline)
    })
  return { begun, outcome, cancel: () => client.abort() }
}
