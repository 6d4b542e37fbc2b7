import { expect, test } from 'vitest'
import { type Outcome, simulate } from '../../bench/limits/simulate.ts'
import { strategies } from '../../bench/limits/strategies.ts'

// The simulation of docs/limits.md, for two minutes.
const busy = { clients: 10, load: 1.3, maxTokens: 2_048, measured: 120_000 }
const run = (name: string, window: 'bucket' | 'sliding' | 'calendar'): Promise<Outcome> => {
  const strategy = strategies.find((each) => each.name === name)
  if (!strategy) throw new Error(`There is no strategy ${name}`)
  return simulate(strategy, { ...busy, window })
}

test.each(['bucket', 'sliding', 'calendar'] as const)(
  'ten clients with a quota and a store use it fully and fairly, without refusals: %s',
  async (window) => {
    const { goodput, refused, fairness } = await run('limits, one store', window)
    expect(goodput).toBeGreaterThan(0.9)
    expect(refused).toBeLessThan(0.02)
    expect(fairness).toBeGreaterThan(0.95)
  },
)

test('doing nothing leads to refusals, so the simulation can fail', async () => {
  const { refused } = await run('nothing', 'sliding')
  expect(refused).toBeGreaterThan(0.05)
})
