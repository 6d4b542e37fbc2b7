import { createBedrockClient } from 'outcrop/core'
import { cached } from 'outcrop/credentials'
import { createFakeBedrock } from 'outcrop/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }

/** A clock whose timers run out when it is moved. */
function manualClock() {
  let now = 0
  const timers = new Map<object, { readonly at: number; readonly callback: () => void }>()
  return {
    now: () => now,
    setTimeout(callback: () => void, milliseconds: number) {
      const handle = {}
      timers.set(handle, { at: now + milliseconds, callback })
      return handle
    },
    clearTimeout: (handle: unknown) => void timers.delete(handle as object),
    advance(milliseconds: number) {
      now += milliseconds
      for (const [handle, { at, callback }] of timers) if (at <= now && timers.delete(handle)) callback()
    },
    get pending() {
      return timers.size
    },
  }
}

/** A provider whose attempts end when they are told to. */
function controlledProvider() {
  const attempts: { succeed(): void; fail(error: unknown): void }[] = []
  const provider = () =>
    new Promise<typeof keys>((resolve, reject) => {
      attempts.push({ succeed: () => resolve(keys), fail: reject })
    })
  return { provider, attempts }
}

describe('if I/O outlives its request', () => {
  test('lets 20 callers share one attempt, however long it takes', async () => {
    const clock = manualClock()
    const { provider, attempts } = controlledProvider()
    const credentials = cached(provider, { clock })
    const callers = Array.from({ length: 20 }, () => credentials())
    clock.advance(600_000)
    attempts[0]?.succeed()
    expect(await Promise.all(callers)).toEqual(Array.from({ length: 20 }, () => keys))
    expect(attempts).toHaveLength(1)
  })

  test("does not pass a caller's signal to the shared attempt, and ends only that caller's wait", async () => {
    const fake = createFakeBedrock({ identities: [keys] })
    let succeed = (): void => {}
    const signals: unknown[] = []
    const credentials = cached((request) => {
      signals.push(request?.signal)
      return new Promise((resolve) => {
        succeed = () => resolve(keys)
      })
    })
    const bedrock = createBedrockClient({ region: fake.region, fetch: fake.fetch, credentials })
    const messages = [{ role: 'user' as const, content: 'Hi' }]
    const create = (signal?: AbortSignal) =>
      bedrock.messages.create({ model: 'us.anthropic.claude-sonnet-4-6', max_tokens: 1, messages }, { signal })
    const leaving = new AbortController()
    const first = create(leaving.signal)
    const second = create()
    await expect.poll(() => signals.length).toBe(1)
    leaving.abort()
    await expect(first).rejects.toMatchObject({ name: 'AbortError' })
    succeed()
    expect((await second).stop_reason).toBe('end_turn')
    expect(signals).toEqual([undefined])
  })
})

describe('if I/O ends with its request, as on Cloudflare Workers', () => {
  afterEach(() => vi.unstubAllGlobals())
  const setUp = () => {
    vi.stubGlobal('WebSocketPair', class {})
    const clock = manualClock()
    return { clock, ...controlledProvider() }
  }

  test('starts another attempt for a caller that has waited a second for a lost one', async () => {
    const { clock, provider, attempts } = setUp()
    const credentials = cached(provider, { clock })
    void credentials()
    const second = credentials()
    clock.advance(999)
    await Promise.resolve()
    expect(attempts).toHaveLength(1)
    clock.advance(1)
    await expect.poll(() => attempts.length).toBe(2)
    attempts[1]?.succeed()
    expect(await second).toEqual(keys)
    expect(await credentials()).toEqual(keys)
    expect(clock.pending).toBe(0)
  })

  test('does not wait for an attempt that is older', async () => {
    const { clock, provider, attempts } = setUp()
    const credentials = cached(provider, { clock })
    void credentials()
    clock.advance(60_000)
    const late = credentials()
    clock.advance(0)
    await expect.poll(() => attempts.length).toBe(2)
    attempts[1]?.succeed()
    expect(await late).toEqual(keys)
  })

  test('starts another attempt if the runtime rejects one that can never settle', async () => {
    const { clock, provider, attempts } = setUp()
    // The runtime rejects a promise of a request that has ended, without running any of that request's code.
    const race = vi.spyOn(Promise, 'race').mockRejectedValueOnce(new Error('can never settle'))
    const credentials = cached(provider, { clock })
    void credentials()
    const second = credentials()
    await expect.poll(() => attempts.length).toBe(2)
    race.mockRestore()
    attempts[1]?.succeed()
    expect(await second).toEqual(keys)
  })

  test('shares an attempt that ends in time, including its error', async () => {
    const { clock, provider, attempts } = setUp()
    const credentials = cached(provider, { clock })
    const outcomes = Promise.allSettled(Array.from({ length: 20 }, () => credentials()))
    attempts[0]?.fail(new Error('no keys'))
    expect(new Set((await outcomes).map((each) => each.status === 'rejected' && each.reason.message))).toEqual(
      new Set(['no keys']),
    )
    expect(attempts).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  test('repeats a cut background renewal for a later caller, without a wait', async () => {
    const { clock, provider, attempts } = setUp()
    const expiring = () => new Date(clock.now() + 3_600_000)
    const credentials = cached(async () => ({ ...(await provider()), expiration: expiring() }), { clock })
    const first = credentials()
    attempts[0]?.succeed()
    await first
    clock.advance(3_400_000)
    await credentials()
    expect(attempts).toHaveLength(2)
    clock.advance(30_000)
    await credentials()
    clock.advance(0)
    await expect.poll(() => attempts.length).toBe(3)
  })
})
