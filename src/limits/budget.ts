import type { BudgetState, Charge, LimitReason, LimitRule, Settlement } from './store.ts'

// The same arithmetic as the scripts in redis-scripts.ts: change both, and test/limits/stores.test.ts holds them
// together.

/** The factor by which a refusal cuts a limit, as in AWS's SDKs and TCP's CUBIC. */
export const cut = 0.7
/** The part of a window after a cut in which refusals cause a pause instead of another cut, and the length of the pause. */
const settling = 0.25
const breather = 0.1
/** The share of the reserved and used units at the last refusal that may stand again meanwhile. */
export const room = 0.85
/** The number of windows after which a cut limit is back where it was refused. */
export const recovery = 1
/** The number of windows without a refusal after which a learned limit is forgotten. */
export const memory = 10
/** How fast the room for reservations beside the quota grows in each window, up to the quota once more. */
const growth = 0.25
/** Number of parts of a window. Usage leaves the window by whole parts, so at most one part late. */
const parts = 24
/** The shortest wait that is worth a timer, in milliseconds. */
const leastWait = 10

/** The state of one budget: its level, reservations and learned limit. */
export interface Budget {
  /** When it was last updated. */
  at: number
  /** The units available at once; negative after calls that cost more than expected. */
  level: number | undefined
  /** Used units, by the part of the window in which their calls were admitted, newest first. */
  used: number[]
  /** The index of the newest part, counted from the epoch. */
  part: number
  held: number
  /** The limit at the last refusal, and its time. */
  peak: number | undefined
  cutAt: number
  /** The tokens used and reserved when the service refused although the rate was right; 0 if it has not. */
  ceiling: number
  /** When that was; else when the budget was created. */
  roomSince: number
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
    ceiling: 0,
    roomSince: now,
    pausedUntil: 0,
    open: new Map(),
  }
}

/** Updates a budget: it refills, old use leaves the window, and leases end. Returns the current limit. */
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

/** Counts the usage of a call that was admitted at `at`. */
function count(budget: Budget, { window }: LimitRule, at: number, units: number): void {
  const age = Math.max(0, budget.part - Math.floor(at / (window / parts)))
  if (age <= parts) budget.used[age] = (budget.used[age] ?? 0) + units
}

/** Returns the usage of the calls of the last window. */
export function usedOf({ used }: Budget): number {
  return Math.max(
    0,
    used.reduce((sum, units) => sum + units, 0),
  )
}

/** Returns the learned limit. It grows like CUBIC: up to the refused limit, slowly around it, and faster beyond. */
export function learnedLimit({ peak, cutAt }: Budget, { window }: LimitRule, now: number): number | undefined {
  if (peak === undefined) return undefined
  const windows = (now - cutAt) / window
  if (windows > memory) return undefined
  return peak * (1 + (1 - cut) * (windows / recovery - 1) ** 3)
}

/**
 * Returns how much may be used and reserved at the same time. A service that counts whole minutes grants its quota; one
 * that refills all the time grants reservations beside it. This begins with the former, and finds out.
 */
function roomOf(budget: Budget, rule: LimitRule, limit: number, now: number): number {
  const { peak = 0, ceiling, roomSince } = budget
  const quota = rule.limit ?? Number.POSITIVE_INFINITY
  // Only the rate is cut: what the service counted when it refused leaves the window by itself.
  if (limit < quota || rule.burst >= rule.window) return Math.min(quota, Math.max(limit, room * peak))
  const windows = (now - roomSince) / rule.window
  if (ceiling > 0 && windows <= memory) return Math.max(quota, 0.9 * ceiling)
  return quota * Math.min(2, 1 + growth * (ceiling > 0 ? windows - memory : windows))
}

function limitOf(budget: Budget, rule: LimitRule, now: number): number {
  return Math.min(rule.limit ?? Number.POSITIVE_INFINITY, learnedLimit(budget, rule, now) ?? Number.POSITIVE_INFINITY)
}

/** Returns how long a charge has to wait, and why; `undefined` if it can be taken at once. */
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
  // The service may count reservations in addition to use. A single call always gets its turn.
  const standing = rule.burst < rule.window ? usedOf(budget) : 0
  const most = roomOf(budget, rule, limit, now)
  const excess = budget.held + hold + standing - most
  if (hold > 0 && excess > 0 && (hold <= most || budget.open.size > 0))
    return { wait: Math.max(leastWait, excess / rate), reason: 'reserved' }
  return undefined
}

/** Takes a charge from a budget. */
export function take(budget: Budget, id: string, { rule, hold, expected = hold }: Charge, until: number): void {
  if (hold > 0) {
    budget.open.set(id, { hold, expected, until, at: budget.at })
    budget.held += hold
  } else {
    count(budget, rule, budget.at, expected)
  }
  if (budget.level !== undefined) budget.level -= expected
}

/** Corrects a charge to its actual cost, and learns from it. */
export function settleBudget(
  budget: Budget,
  { id, at }: { readonly id: string; readonly at: number },
  { rule, hold, expected = hold }: Charge,
  { used, throttled, pause }: Settlement,
  now: number,
): void {
  const limit = advance(budget, rule, now)
  // Calls that were admitted before the last cut say nothing about the new limit. Soon after it, the service may still be
  // counting earlier calls: that takes time, not a smaller limit.
  const counted = usedOf(budget) + budget.held
  const isNews = (budget.peak === undefined || at > budget.cutAt) && (budget.ceiling === 0 || at > budget.roomSince)
  if (throttled && isNews && limit === rule.limit && counted > limit && rule.burst < rule.window) {
    // More stood than the quota: that was too much, and not the rate.
    budget.ceiling = counted
    budget.roomSince = now
    budget.pausedUntil = Math.max(budget.pausedUntil, now + rule.window * breather)
  } else if (throttled && isNews && budget.peak !== undefined && now - budget.cutAt < rule.window * settling) {
    budget.pausedUntil = Math.max(budget.pausedUntil, now + rule.window * breather)
  } else if (throttled && isNews) {
    budget.peak = Math.max(1, Math.min(limit, counted))
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
    // The expected cost is already counted: nothing was held, or the lease has ended.
    count(budget, rule, at, used - expected)
  }
  if (budget.open.size === 0) budget.held = 0
}

export function stateOf(budget: Budget, rule: LimitRule, now: number): BudgetState {
  const { held, open } = budget
  return { used: usedOf(budget), held, open: open.size, learned: learnedLimit(budget, rule, now) }
}
