import { createBedrockClient, isBedrockError } from 'outcrop/core'
import { createFakeBedrock, type FaultName } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { expect, test } from 'vitest'

const faults: (FaultName | undefined)[] = [
  undefined,
  undefined,
  'throttling',
  'internal',
  'connection-reset',
  'cut-json',
  'empty-500',
  'stream-truncated',
  'stream-cut',
  'stream-reset',
  'stream-corrupt',
  'stream-not-json',
  'stream-throttling',
  'stream-anthropic-error',
  'stream-unknown-event',
  'stream-empty',
]

/** Numbers that look random and are the same in every run (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

test('accounts for each of 200 concurrent streams with random faults, and leaves nothing behind', async () => {
  const random = createRandom(20_261_124)
  const crashes: unknown[] = []
  const listener = (reason: unknown): void => void crashes.push(reason)
  process.on('unhandledRejection', listener)
  const timersBefore = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

  const fake = createFakeBedrock({ reply: 'word '.repeat(50) })
  const server = await serveFakeBedrock(fake)
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    endpoint: server.url,
    retry: { baseDelay: 1 },
  })
  const tally = { whole: 0, failed: 0, aborted: 0, left: 0 }

  await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const fault = faults[Math.floor(random() * faults.length)]
      // Each stream has its own model, so that a fault affects the intended stream.
      const model = `arn:aws:bedrock:us-east-1:123456789012:imported-model/soak-${String(i).padStart(3, '0')}`
      const way = Math.floor(random() * 4)
      if (fault) fake.fail(fault, { model, after: Math.floor(random() * 5) })
      const stream = bedrock.messages.stream({
        model,
        max_tokens: 100,
        messages: [{ role: 'user', content: `Hi ${i}` }],
      })
      try {
        if (way === 0) {
          for await (const _ of stream) {
            tally.left++
            return
          }
        }
        if (way === 1) setTimeout(() => stream.abort(), random() * 20)
        const { stop_reason } = await stream.finalMessage()
        if (stop_reason !== 'end_turn') throw new Error(`stop_reason ${stop_reason}`)
        tally.whole++
      } catch (error) {
        if ((error as Error).name === 'AbortError') tally.aborted++
        else if (isBedrockError(error)) tally.failed++
        else throw error
      }
    }),
  )
  expect(tally.whole + tally.failed + tally.aborted + tally.left).toBe(200)
  expect(tally.whole).toBeGreaterThan(20)
  expect(tally.failed).toBeGreaterThan(20)

  await server.close()
  await expect
    .poll(() => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length)
    .toBeLessThanOrEqual(timersBefore + 1)
  process.off('unhandledRejection', listener)
  expect(crashes).toEqual([])
})
