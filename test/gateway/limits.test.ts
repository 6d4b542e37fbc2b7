import { memorySpendStore, type SpendStore } from 'outcrop/gateway'
import { describe, expect, test } from 'vitest'
import { manualClock } from '../anthropic/support.ts'
import { body, connect, params } from './support.ts'

const prices = { sonnet: { input: 3, output: 15 } }

/** A clock that stands where it is set. */
function clockAt(time: string) {
  const clock = { ...manualClock(), at: Date.parse(time) }
  return Object.assign(clock, { now: () => clock.at })
}

describe('tokens per minute', () => {
  test('refuses calls with 429 and retry-after, on both APIs, and admits them later', async () => {
    const clock = clockAt('2026-11-26T12:00:00Z')
    const { call, fake } = await connect({ clock, caller: { limits: { tokensPerMinute: 1500 } } })
    expect((await call('/v1/messages', { json: params })).status).toBe(200)
    const long = [{ role: 'user', content: 'x'.repeat(4000) }]
    const refused = await call('/v1/messages', { json: { ...params, messages: long } })
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({
      error: { type: 'rate_limit_error', message: 'This key has used its 1500 tokens per minute' },
    })
    const other = await call('/model/sonnet/invoke', { json: { ...body, messages: long } })
    expect([other.status, other.headers.get('x-amzn-errortype')]).toEqual([429, 'ThrottlingException'])
    expect(fake.calls.length).toBe(1)
    clock.at += 60_000
    expect((await call('/v1/messages', { json: { ...params, messages: long } })).status).toBe(200)
  })

  test('returns unused tokens, also of failed and abandoned calls', async () => {
    const clock = clockAt('2026-11-26T12:00:00Z')
    const { call, fake } = await connect({ clock, caller: { limits: { tokensPerMinute: 1500 } } })
    for (let i = 0; i < 5; i++) {
      fake.fail('throttling')
      expect((await call('/v1/messages', { json: params })).status).toBe(429)
      const stream = await call('/v1/messages', { json: { ...params, stream: true } })
      await stream.body?.cancel()
    }
    expect((await call('/v1/messages', { json: params })).status).toBe(200)
  })
})

describe('spend per day', () => {
  const limits = { spendPerDay: 0.02 }
  const spend = { ...params, max_tokens: 1000 }

  test('refuses calls with a 429 that no client retries, on both APIs, until the next day', async () => {
    const clock = clockAt('2026-11-26T23:00:00Z')
    const { call, gateway } = await connect({
      clock,
      prices,
      caller: { limits },
      fake: { reply: 'word '.repeat(1600) },
    })
    expect((await call('/v1/messages', { json: spend })).status).toBe(200)
    const { spentToday = 0 } = gateway.snapshot().keys[0] ?? {}
    expect(spentToday).toBeGreaterThan(0.02)
    expect(spentToday).toBeCloseTo(gateway.snapshot().usage[0]?.cost ?? 0, 5)
    const refused = await call('/v1/messages', { json: spend })
    expect([refused.status, refused.headers.get('x-should-retry'), refused.headers.get('retry-after')]).toEqual([
      429,
      'false',
      null,
    ])
    expect(await refused.text()).toContain('spend limit')
    expect((await call('/model/sonnet/invoke', { json: body })).status).toBe(429)
    clock.at += 3_600_000
    expect((await call('/v1/messages', { json: spend })).status).toBe(200)
  })

  test('counts calls in progress, so that concurrent calls cannot exceed the limit', async () => {
    const { call, gateway } = await connect({ prices, caller: { limits }, fake: { reply: 'word '.repeat(1600) } })
    const answers = await Promise.all(Array.from({ length: 20 }, () => call('/v1/messages', { json: spend })))
    expect([1, 2]).toContain(answers.filter(({ status }) => status === 200).length)
    expect(gateway.snapshot().keys[0]?.spentToday).toBeLessThan(0.07)
  })

  test('refuses a model without a price to a key with a spend limit', async () => {
    const { call, fake } = await connect({ prices, caller: { limits } })
    const response = await call('/v1/messages', { json: { ...params, model: 'opus' } })
    expect(response.status).toBe(403)
    expect(await response.text()).toContain('no price')
    expect(fake.calls).toEqual([])
  })

  test('charges an abandoned stream for what was sent', async () => {
    const { call, gateway } = await connect({ prices, caller: { limits }, fake: { reply: 'word '.repeat(4000) } })
    for (let i = 0; i < 2; i++) {
      const response = await call('/v1/messages', { json: { ...spend, stream: true } })
      const reader = (response.body as ReadableStream<Uint8Array>).getReader()
      for (let size = 0; size < 100_000; ) size += (await reader.read()).value?.length ?? 100_000
      await reader.cancel()
    }
    expect(gateway.snapshot().keys[0]?.spentToday).toBeGreaterThan(0.02)
  })
})

describe('an unavailable store', () => {
  /** A store that fails while it is told to. */
  function fragile(): SpendStore & { isAway: boolean; added: number } {
    const store = memorySpendStore()
    const fragile = {
      isAway: false,
      added: 0,
      add: async (key: string, amount: number, options: { ttl: number }) => {
        if (fragile.isAway) throw new Error('connect ECONNREFUSED redis.internal')
        fragile.added += amount
        return store.add(key, amount, options)
      },
    }
    return fragile
  }
  const limits = { spendPerDay: 1 }

  test('refuses only callers with a spend limit by default; only the log says why', async () => {
    const spendStore = fragile()
    spendStore.isAway = true
    const warnings: unknown[] = []
    const logger = { debug() {}, info() {}, warn() {}, error: (...data: unknown[]) => void warnings.push(data) }
    const { call } = await connect({ prices, caller: { limits }, spendStore, logger })
    const response = await call('/v1/messages', { json: params })
    expect([response.status, response.headers.get('retry-after')]).toEqual([529, '5'])
    expect(await response.text()).not.toContain('redis.internal')
    expect(warnings.length).toBe(1)
    const free = await connect({ prices, spendStore })
    expect((await free.call('/v1/messages', { json: params })).status).toBe(200)
  })

  test("with storeFailure: 'allow', continues with the known totals, and updates the store later", async () => {
    const clock = clockAt('2026-11-26T12:00:00Z')
    const spendStore = fragile()
    const { call, gateway } = await connect({ prices, caller: { limits }, spendStore, storeFailure: 'allow', clock })
    await call('/v1/messages', { json: params })
    spendStore.isAway = true
    for (let i = 0; i < 3; i++) expect((await call('/v1/messages', { json: params })).status).toBe(200)
    spendStore.isAway = false
    clock.at += 6_000
    await call('/v1/messages', { json: params })
    expect(spendStore.added / 1e6).toBeCloseTo(gateway.snapshot().usage[0]?.cost ?? 0, 5)
  })
})
