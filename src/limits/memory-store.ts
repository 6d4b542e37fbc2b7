import { advance, type Budget, createBudget, memory, obstacle, settleBudget, stateOf, take } from './budget.ts'
import type { BudgetState, Charge, LimitStore } from './store.ts'

interface Entry {
  readonly budget: Budget
  /** When the entry can be dropped. */
  until: number
}

interface Open {
  readonly charge: Charge
  readonly budget: Budget
  readonly limit: number
}

/**
 * Keeps budgets in the memory of this process, as `limits` does by default. For a fleet, see `redisLimitStore`.
 *
 * @example
 * ```ts
 * const store = memoryLimitStore()
 * const east = createBedrockClient({ region: 'us-east-1', middleware: [limits({ store })] })
 * ```
 */
export function memoryLimitStore(): LimitStore {
  const entries = new Map<string, Entry>()
  let count = 0
  let roomFor = 1_000
  const budgetOf = (key: string, window: number, now: number): Budget => {
    let entry = entries.get(key)
    if (!entry) {
      if (entries.size >= roomFor) {
        for (const [old, { until }] of entries) if (until < now) entries.delete(old)
        roomFor = 2 * entries.size + 1_000
      }
      entry = { budget: createBudget(now), until: 0 }
      entries.set(key, entry)
    }
    entry.until = now + memory * window
    return entry.budget
  }
  /** Updates the budgets of some charges. */
  const open = (charges: readonly Charge[], now: number): Open[] =>
    charges.map((charge) => {
      const budget = budgetOf(charge.key, charge.rule.window, now)
      return { charge, budget, limit: advance(budget, charge.rule, now) }
    })
  const statesOf = (all: readonly Open[], now: number): BudgetState[] =>
    all.map(({ budget, charge }) => stateOf(budget, charge.rule, now))

  return {
    async reserve(charges, { now, lease }) {
      const all = open(charges, now)
      const obstacles = all.flatMap(({ budget, charge, limit }) => {
        const found = obstacle(budget, charge, limit, now)
        return found ? [{ ...found, key: charge.key }] : []
      })
      const [worst] = obstacles.sort((a, b) => b.wait - a.wait)
      if (worst) return { granted: false, ...worst, states: statesOf(all, now), sharers: 1 }
      const id = String(++count)
      for (const { budget, charge } of all) take(budget, id, charge, now + lease)
      return { granted: true, ticket: { id, at: now, charges }, states: statesOf(all, now), sharers: 1 }
    },
    async settle(ticket, outcomes, { now }) {
      const all = open(ticket.charges, now)
      all.forEach(({ budget, charge }, i) => {
        settleBudget(budget, ticket, charge, outcomes[i] ?? {}, now)
      })
      return statesOf(all, now)
    },
  }
}
