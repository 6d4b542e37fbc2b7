import { isBedrockError, type Message } from 'outcrop'
import { describe, expect, test } from 'vitest'
import { base, params, quota, settled, setUp } from './support.ts'

// 100 tokens out, at 5 each; the input is what the fake counts.
const reply = { content: [{ type: 'text', text: 'Hi' }], usage: { input_tokens: 50, output_tokens: 100 } }

describe('with no quota known', () => {
  test('everything passes until Bedrock refuses a call', async () => {
    const { bedrock, limiter, fake } = setUp({}, { reply })
    await Promise.all(Array.from({ length: 50 }, () => bedrock.messages.create(params)))
    expect(fake.calls).toHaveLength(50)
    expect(limiter.snapshot()).toEqual({
      store: 'memory',
      instances: 1,
      budgets: [
        {
          account: expect.any(String),
          region: 'us-east-1',
          bucket: 'cross-region',
          model: base,
          quota: undefined,
          learned: undefined,
          used: 50 * 550,
          held: 0,
          open: 0,
          requests: 50,
          queued: 0,
          admitted: 50,
          delayed: 0,
          refused: 0,
          throttled: 0,
        },
      ],
    })
  })

  test('a refusal leaves 0.7 of what got through, and the limit comes back slowly', async () => {
    const { bedrock, limiter, fake, clock } = setUp({}, { reply })
    await Promise.all(Array.from({ length: 100 }, () => bedrock.messages.create(params)))
    fake.fail('throttling-tokens')
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ status: 429 })
    const learned = (): number => limiter.snapshot().budgets[0]?.learned as number
    // What was held for the call that was refused counts as well.
    expect(learned()).toBeGreaterThan(0.7 * 55_000)
    expect(learned()).toBeLessThan(0.7 * 57_000)
    expect(limiter.snapshot().budgets[0]?.throttled).toBe(1)

    const [first] = [learned()]
    clock.advance(30_000)
    await bedrock.messages.create(params)
    const second = learned()
    expect(second).toBeGreaterThan(first * 1.2)
    clock.advance(30_000)
    await bedrock.messages.create(params)
    // Within a minute it is where it was refused, and no further.
    expect(learned()).toBeCloseTo(first / 0.7, -2)
  })
})

describe('with a quota', () => {
  test('a quota of 0 is refused at once, and nothing is sent', async () => {
    const { bedrock, fake } = setUp({ quotas: quota(0) })
    const error = await bedrock.messages.create(params).catch((thrown: unknown) => thrown)
    expect(isBedrockError(error, 'quota_exceeded') && error.retryable).toBe(false)
    expect(error).toMatchObject({ name: 'QuotaError', limit: 'tokens' })
    expect(fake.calls).toEqual([])
  })

  test('a call waits for its turn, and metadata tells how long', async () => {
    const { bedrock, clock, fake } = setUp({ quotas: quota(20_000) }, { reply })
    const calls: Promise<Message>[] = []
    for (let i = 0; i < 12; i++) calls.push(bedrock.messages.create(params))
    await settled()
    expect(fake.calls.length).toBeLessThan(12)
    for (let i = 0; i < 30; i++) {
      clock.advance(1_000)
      await settled()
    }
    const messages = await Promise.all(calls)
    expect(messages[0]?.metadata.limits).toEqual({ waited: 0, reserved: expect.any(Number) })
    expect(messages[11]?.metadata.limits?.waited).toBeGreaterThan(0)
    expect(fake.calls).toHaveLength(12)
  })
})
