import type { Charge, LimitStore, LimitTicket } from '../limits/store.ts'
import type { StoreContractCase } from './store-contract.ts'

/** The store and clock for the contract of limit stores. */
export interface LimitStoreSetting {
  readonly store: LimitStore
  /** The store's time. */
  readonly now: () => number
  /** Advances that time. */
  advance(milliseconds: number): void
}

const minute = 60_000

/**
 * Returns the contract of a `LimitStore` of `outcrop/limits`, to test your own store with any test runner.
 *
 * @param setUp - returns an empty store, whose time can be advanced
 * @example
 * ```ts
 * for (const { name, run } of limitStoreContract(() => mySetting())) test(name, run)
 * ```
 */
export function limitStoreContract(setUp: () => LimitStoreSetting | Promise<LimitStoreSetting>): StoreContractCase[] {
  const check = (name: string, work: (tools: Tools) => Promise<void>): StoreContractCase => ({
    name,
    run: async () => work(toolsOf(await setUp())),
  })
  // A budget of 600 in each minute, 100 of it at once.
  const rule = { limit: 600, window: minute, burst: 10_000 }
  const full = { limit: 600, window: minute, burst: minute }
  return [
    check('grants what is left, and returns the wait for more', async ({ grant, refuse, advance }) => {
      await grant({ key: 'a', rule, hold: 100 })
      const { reason, wait } = await refuse({ key: 'a', rule, hold: 50 })
      equal(reason, 'rate')
      equal(wait, 5_000)
      advance(5_000)
      await grant({ key: 'a', rule, hold: 50 })
    }),
    check('returns the unused part of a reservation', async ({ grant, refuse, settle }) => {
      const ticket = await grant({ key: 'a', rule: full, hold: 600 })
      await refuse({ key: 'a', rule: full, hold: 100 })
      const [state] = await settle(ticket, { used: 500 })
      equal(state?.held, 0)
      equal(state?.open, 0)
      equal(state?.used, 500)
      await grant({ key: 'a', rule: full, hold: 100 })
    }),
    check('charges usage beyond the reservation at settlement', async ({ grant, refuse, settle, advance }) => {
      await settle(await grant({ key: 'a', rule: full, hold: 100 }), { used: 900 })
      equal((await refuse({ key: 'a', rule: full, hold: 10 })).wait, 31_000)
      advance(31_000)
      await grant({ key: 'a', rule: full, hold: 10 })
    }),
    check('paces by the expected cost, and reserves the maximum', async ({ grant, refuse }) => {
      await grant({ key: 'a', rule, hold: 500, expected: 20 })
      equal((await refuse({ key: 'a', rule, hold: 500, expected: 20 })).reason, 'reserved')
      await grant({ key: 'a', rule, hold: 80, expected: 20 })
    }),
    check('charges all budgets of a call or none', async ({ grant, refuse }) => {
      await grant({ key: 'small', rule: { ...rule, limit: 60 }, hold: 10 })
      const { key } = await refuse(
        { key: 'large', rule, hold: 100 },
        { key: 'small', rule: { ...rule, limit: 60 }, hold: 10 },
      )
      equal(key, 'small')
      await grant({ key: 'large', rule, hold: 100 })
    }),
    check('counts a charge without a reservation at once', async ({ grant }) => {
      const { states } = await grant({ key: 'a', rule, hold: 0, expected: 30 })
      equal(states[0]?.used, 30)
      equal(states[0]?.open, 0)
    }),
    check('limits concurrent calls', async ({ grant, refuse, settle }) => {
      const one = { key: 'a', rule: { ...rule, limit: undefined, concurrency: 1 }, hold: 5 }
      const ticket = await grant(one)
      equal((await refuse(one)).reason, 'concurrency')
      await settle(ticket, { used: 5 })
      await grant(one)
    }),
    check('never grants anything if the limit is 0', async ({ refuse }) => {
      const { reason, wait } = await refuse({ key: 'a', rule: { ...rule, limit: 0 }, hold: 1 })
      equal(reason, 'no_quota')
      equal(wait, Number.POSITIVE_INFINITY)
    }),
    check('grants everything without a limit, until a refusal sets one', async ({ grant, settle, advance }) => {
      const open = { key: 'a', rule: { window: minute, burst: 10_000 }, hold: 1_000 }
      const tickets: LimitTicket[] = []
      for (let i = 0; i < 10; i++) tickets.push(await grant(open))
      const [state] = await settle(tickets[0] as LimitTicket, { throttled: true })
      equal(state?.learned, 7_000)
      equal(state?.open, 10)
      // Refusals of what was on its way say nothing about what is left.
      advance(1)
      for (const ticket of tickets) await settle(ticket, { used: 0, throttled: true })
      advance(minute - 1)
      near((await grant(open)).states[0]?.learned, 10_000)
      advance(11 * minute)
      equal((await grant(open)).states[0]?.learned, undefined)
    }),
    check('grants nothing during a pause', async ({ grant, refuse, settle, advance }) => {
      const free = { key: 'a', rule: { window: minute, burst: 10_000 }, hold: 1 }
      await settle(await grant(free), { used: 0, pause: 3_000 })
      const { reason, wait } = await refuse(free)
      equal(reason, 'paused')
      equal(wait, 3_000)
      advance(3_000)
      await grant(free)
    }),
    check('counts an unsettled reservation as used when its lease ends', async ({ grant, settle, advance }) => {
      const ticket = await grant({ key: 'a', rule: full, hold: 300, expected: 200 })
      advance(10 * minute)
      const { states } = await grant({ key: 'a', rule: full, hold: 1 })
      equal(states[0]?.held, 1)
      equal(states[0]?.open, 1)
      // Late is better than never, and counts once.
      const [state] = await settle(ticket, { used: 260 })
      equal(state?.open, 1)
      equal(state?.used, 0)
    }),
  ]
}

interface Granted extends LimitTicket {
  readonly states: readonly { used: number; held: number; open: number; learned: number | undefined }[]
}

function toolsOf({ store, now, advance }: LimitStoreSetting) {
  return {
    advance,
    async grant(...charges: Charge[]): Promise<Granted> {
      const result = await store.reserve(charges, { now: now(), lease: 10 * minute })
      if (!result.granted) throw new Error(`Refused: ${result.reason}, ${result.wait} ms`)
      return { ...result.ticket, states: result.states }
    },
    async refuse(...charges: Charge[]) {
      const result = await store.reserve(charges, { now: now(), lease: 10 * minute })
      if (result.granted) throw new Error('Granted, where it should have been refused')
      return result
    },
    settle: (ticket: LimitTicket, outcome: { used?: number; throttled?: boolean; pause?: number }) =>
      store.settle(
        ticket,
        ticket.charges.map(() => outcome),
        { now: now() },
      ),
  }
}

type Tools = ReturnType<typeof toolsOf>

function equal(actual: unknown, expected: unknown): void {
  if (typeof actual === 'number' && typeof expected === 'number' && Math.abs(actual - expected) < 1e-6) return
  if (actual !== expected) throw new Error(`Got ${String(actual)} instead of ${String(expected)}`)
}

function near(actual: number | undefined, expected: number): void {
  if (actual === undefined || Math.abs(actual - expected) > expected / 100)
    throw new Error(`Got ${String(actual)}, which is not near ${expected}`)
}
