import type { BudgetState, Charge, LimitReason, LimitRule, Settlement } from './store.ts'

// The same arithmetic as the scripts in redis-scripts.ts: change both, and test/limits/stores.test.ts holds them together.

/** What a refusal leaves of a limit; AWS's SDKs and TCP's CUBIC take the same. */
export const cut = 0.7
/** For which part of a window after a cut refusals lead to a pause in place of another cut, and how long that is. */
const settling = 0.25
const breather = 0.1
/** How much of what stood when the service refused may stand again meanwhile. */
export const room = 0.85
/** In how many windows a limit that was cut is back where it was refused. */
export const recovery = 1
/** After how many windows without a refusal what was learned is forgotten. */
export const memory = 10
/** Into how many parts the window is cut to tell when what was used falls out of it. */
const parts = 12
/** The shortest wait that is worth a timer, in milliseconds. */
const leastWait = 10

/** One budget: what is left, what is held, what has been learned. */
export interface Budget {
  /** When it was last brought up to date. */
  at: number
  /** Units that may be taken at once; below zero after calls that cost more than was expected. */
  level: number | undefined
  /** Units used, by the part of the window in which their calls were admitted, newest first; the last one fades out. */
  used: number[]
  /** The number of the newest part, counted from the epoch. */
  part: number
  held: number
  /** Where the limit was refused, and when. */
  peak: number | undefined
  cutAt: number
  pausedUntil: number
  readonly open: Map<string, OpenReservation>
}

interface OpenReservation {
  readonly at: number
  readonly hold: number
  readonly expected: number
  readonly until: number
}

export function createBudget(now: number): Budget {
  const used = new Array<number>(parts + 1).fill(0)
  return {
    at: now,
    level: undefined,
    used,
    part: 0,
    held: 0,
    peak: undefined,
    cutAt: 0,
    pausedUntil: 0,
    open: new Map(),
  }
}

/** Brings a budget up to date: it refills, old use falls out of the window, and leases end. Gives the limit that counts now. */
export function advance(budget: Budget, rule: LimitRule, now: number): number {
  const passed = Math.max(0, now - budget.at)
  budget.at += passed
  const part = Math.floor(budget.at / (rule.window / parts))
  for (; budget.part < part; budget.part = Math.max(budget.part + 1, part - parts)) {
    budget.used.unshift(0)
    budget.used.pop()
  }
  for (const [id, { hold, expected, until, at }] of budget.open) {
    if (until > now) continue
    budget.open.delete(id)
    budget.held -= hold
    count(budget, rule, at, expected)
  }
  const limit = limitOf(budget, rule, now)
  if (limit === Number.POSITIVE_INFINITY) {
    budget.level = undefined
  } else {
    const capacity = (limit * rule.burst) / rule.window
    budget.level = Math.min(capacity, (budget.level ?? capacity) + (limit * passed) / rule.window)
  }
  return limit
}

/** Counts what a call used that was admitted at `at`. */
function count(budget: Budget, { window }: LimitRule, at: number, units: number): void {
  const age = Math.max(0, budget.part - Math.floor(at / (window / parts)))
  if (age <= parts) budget.used[age] = (budget.used[age] ?? 0) + units
}

/** What calls of the last window have used. */
export function usedOf({ used, at }: Budget, { window }: LimitRule): number {
  const sum = used.reduce((total, units) => total + units, 0)
  const passed = (at / (window / parts)) % 1
  return Math.max(0, sum - passed * (used[parts] ?? 0))
}

/** What has been learned: back up to where it was refused, slowly across it, and faster beyond, as CUBIC goes. */
export function learnedLimit({ peak, cutAt }: Budget, { window }: LimitRule, now: number): number | undefined {
  if (peak === undefined) return undefined
  const windows = (now - cutAt) / window
  if (windows > memory) return undefined
  return peak * (1 + (1 - cut) * (windows / recovery - 1) ** 3)
}

/** How much may stand at once. Only the rate is cut: what stood when the service refused drains away by itself. */
function roomOf({ peak = 0 }: Budget, rule: LimitRule, limit: number): number {
  return Math.min(rule.limit ?? Number.POSITIVE_INFINITY, Math.max(limit, room * peak))
}

function limitOf(budget: Budget, rule: LimitRule, now: number): number {
  return Math.min(rule.limit ?? Number.POSITIVE_INFINITY, learnedLimit(budget, rule, now) ?? Number.POSITIVE_INFINITY)
}

/** How long a charge has to wait, and for what; `undefined` where it may be taken at once. */
export function obstacle(
  budget: Budget,
  { rule, hold, expected = hold }: Charge,
  limit: number,
  now: number,
): { readonly wait: number; readonly reason: LimitReason } | undefined {
  if (budget.pausedUntil > now) return { wait: budget.pausedUntil - now, reason: 'paused' }
  if (budget.open.size >= (rule.concurrency ?? Number.POSITIVE_INFINITY)) return { wait: 100, reason: 'concurrency' }
  if (limit === Number.POSITIVE_INFINITY) return undefined
  if (limit <= 0) return { wait: Number.POSITIVE_INFINITY, reason: 'no_quota' }
  const rate = limit / rule.window
  const lacking = Math.min(expected, rate * rule.burst) - (budget.level ?? 0)
  if (lacking > 0) return { wait: Math.max(leastWait, lacking / rate), reason: 'rate' }
  // The service may count what is set aside beside what was used. One call alone always gets its turn.
  const standing = rule.burst < rule.window ? usedOf(budget, rule) : 0
  const excess = budget.held + hold + standing - roomOf(budget, rule, limit)
  if (hold > 0 && excess > 0 && budget.open.size > 0)
    return { wait: Math.max(leastWait, excess / rate), reason: 'reserved' }
  return undefined
}

/** Takes a charge. */
export function take(budget: Budget, id: string, { rule, hold, expected = hold }: Charge, until: number): void {
  if (hold > 0) {
    budget.open.set(id, { hold, expected, until, at: budget.at })
    budget.held += hold
  } else {
    count(budget, rule, budget.at, expected)
  }
  if (budget.level !== undefined) budget.level -= expected
}

/** Puts right what a charge took, and learns from it. */
export function settleBudget(
  budget: Budget,
  { id, at }: { readonly id: string; readonly at: number },
  { rule, hold, expected = hold }: Charge,
  { used, throttled, pause }: Settlement,
  now: number,
): void {
  const limit = advance(budget, rule, now)
  // Calls that were admitted before the last cut say nothing about what it left. Soon after it, the service may still be
  // counting what came before: that needs time, and no smaller limit.
  const isNews = budget.peak === undefined || at > budget.cutAt
  if (throttled && isNews && budget.peak !== undefined && now - budget.cutAt < rule.window * settling) {
    budget.pausedUntil = Math.max(budget.pausedUntil, now + rule.window * breather)
  } else if (throttled && isNews) {
    budget.peak = Math.max(1, Math.min(limit, usedOf(budget, rule) + budget.held))
    budget.cutAt = now
    budget.level = Math.min(budget.level ?? 0, 0)
  }
  if (pause !== undefined) budget.pausedUntil = Math.max(budget.pausedUntil, now + pause)
  if (used === undefined) return
  if (budget.level !== undefined) budget.level += expected - used
  if (budget.open.delete(id)) {
    budget.held -= hold
    count(budget, rule, at, used)
  } else {
    // What was expected has been counted: nothing was held, or the lease has ended.
    count(budget, rule, at, used - expected)
  }
  if (budget.open.size === 0) budget.held = 0
}

export function stateOf(budget: Budget, rule: LimitRule, now: number): BudgetState {
  const { held, open } = budget
  return { used: usedOf(budget, rule), held, open: open.size, learned: learnedLimit(budget, rule, now) }
}
