import { type LimitStore, memoryLimitStore } from 'outcrop/limits'
import { expect, test } from 'vitest'
import { params, quota, settled, setUp } from './support.ts'

const reply = { content: [{ type: 'text', text: 'Hi' }], usage: { input_tokens: 50, output_tokens: 100 } }

/** A store that can be taken away. */
function breakable(sharers: number) {
  const inner = memoryLimitStore()
  const state = { fault: undefined as 'down' | 'silent' | undefined, asked: 0 }
  const through = async <T>(work: () => Promise<T>): Promise<T> => {
    state.asked++
    if (state.fault === 'silent') return new Promise(() => {})
    if (state.fault) throw new Error('connect ECONNREFUSED redis://admin:hunter2@cache.internal:6379')
    return work()
  }
  const store: LimitStore = {
    reserve: (...args) => through(async () => ({ ...(await inner.reserve(...args)), sharers })),
    settle: (...args) => through(() => inner.settle(...args)),
  }
  return { store, state }
}

test('limits each process to its share while the store is unavailable, logs it once, and recovers', async () => {
  const { store, state } = breakable(4)
  const scene = setUp({ quotas: quota(60_000), store, maxWait: 0 }, { reply })
  const { bedrock, limiter, warnings, clock } = scene
  await bedrock.messages.create(params)
  expect(limiter.snapshot()).toMatchObject({ store: 'shared', instances: 4 })

  state.fault = 'down'
  // A quarter of 10,000 at once: what is expected of a call is 550 by now.
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => bedrock.messages.create(params)))
  const passed = outcomes.filter(({ status }) => status === 'fulfilled').length
  expect(passed).toBeGreaterThan(1)
  expect(passed).toBeLessThan(7)
  expect(limiter.snapshot()).toMatchObject({ store: 'share', instances: 4 })
  expect(warnings).toEqual([
    'limits: the store is unavailable; this process keeps to 1/4 of each limit until it is back',
  ])

  const { asked } = state
  clock.advance(4_000)
  await bedrock.messages.create(params)
  expect(state.asked).toBe(asked)

  state.fault = undefined
  clock.advance(1_000)
  await bedrock.messages.create(params)
  expect(limiter.snapshot()).toMatchObject({ store: 'shared' })
})

test('waits for a silent store no longer than storeTimeout', async () => {
  const { store, state } = breakable(1)
  const { bedrock, limiter, clock } = setUp({ store, storeTimeout: 300 }, { reply })
  state.fault = 'silent'
  const call = bedrock.messages.create(params)
  await settled()
  clock.advance(300)
  await expect(call).resolves.toBeDefined()
  expect(limiter.snapshot().store).toBe('share')
})

test("logs no secret from a store's error", async () => {
  const { store, state } = breakable(1)
  const lines: unknown[] = []
  const write = (message: string, data?: unknown): void => void lines.push(message, data, String(data))
  const scene = setUp({ store }, { reply })
  const bedrock = scene.bedrock.withOptions({ logger: { debug: write, info: write, warn: write, error: write } })
  state.fault = 'down'
  await bedrock.messages.create(params)
  expect(JSON.stringify(lines)).toContain('store is unavailable')
  expect(JSON.stringify(lines)).not.toContain('hunter2')
})

test('divides the quota by `instances` without a store', async () => {
  const { bedrock, limiter } = setUp({ quotas: quota(60_000), instances: 6, maxWait: 0 }, { reply })
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => bedrock.messages.create(params)))
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(4)
  expect(limiter.snapshot()).toMatchObject({ store: 'memory', instances: 6 })
})
