/** The limit of a budget. */
export interface LimitRule {
  /**
   * Units per window. Left out if unknown: then everything is granted until a refusal teaches a limit. `0` grants
   * nothing.
   */
  readonly limit?: number | undefined
  /** The window, in milliseconds, such as 60_000 for a quota per minute. */
  readonly window: number
  /**
   * How much may be taken at once, in milliseconds of the window: between 0 and `window`. With the whole window, the
   * budget is a token bucket that starts full; with less, usage is spread over the window.
   */
  readonly burst: number
  /** The maximum of open reservations. @default no limit */
  readonly concurrency?: number | undefined
}

/** The units that one call takes from one budget. */
export interface Charge {
  /** The budget's key. Any text; different budgets need different keys. */
  readonly key: string
  readonly rule: LimitRule
  /**
   * The units reserved until the call is settled: its maximum cost. A charge that reserves nothing counts as used at
   * once.
   */
  readonly hold: number
  /** The probable cost. @default `hold` */
  readonly expected?: number | undefined
}

/** The state of a budget. */
export interface BudgetState {
  /** Units used by the calls of the last window that have ended. */
  readonly used: number
  /** Units in open reservations. */
  readonly held: number
  /** The number of open reservations. */
  readonly open: number
  /** The limit learned from refusals, in units per window; `undefined` if there were none. */
  readonly learned: number | undefined
}

/**
 * Why a call has to wait: for the end of a pause, for a concurrent call to end, for the rate, or for reservations to
 * end. With `no_quota` the limit is 0, and waiting does not help.
 */
export type LimitReason = 'paused' | 'concurrency' | 'rate' | 'reserved' | 'no_quota'

/** A granted reservation. Plain data: pass it to `settle` unchanged. */
export interface LimitTicket {
  readonly id: string
  /** When it was granted, in milliseconds of the store's own time. */
  readonly at: number
  readonly charges: readonly Charge[]
}

/** The result of `reserve`. */
export type ReserveResult = {
  /** The states of the budgets, in the order of the charges. */
  readonly states: readonly BudgetState[]
  /** The number of processes that share the budgets, including this one, as far as the store knows. */
  readonly sharers: number
} & (
  | { readonly granted: true; readonly ticket: LimitTicket }
  | {
      readonly granted: false
      /** The estimated milliseconds until it is worth asking again; Infinity if it never is. */
      readonly wait: number
      /** The key of the budget that is too low. */
      readonly key: string
      readonly reason: LimitReason
    }
)

/** The outcome of one charge of a reservation. */
export interface Settlement {
  /** Its actual cost. Left out while the call goes on, and the charge stays reserved. */
  readonly used?: number | undefined
  /** Whether the service refused the call because of this budget, whose limit is then cut. */
  readonly throttled?: boolean | undefined
  /** Grants nothing from this budget for this many milliseconds. */
  readonly pause?: number | undefined
}

/**
 * Stores budgets. `reserve` takes from all of them or from none, in one step; `settle` corrects a reservation to its
 * actual cost.
 */
export interface LimitStore {
  /**
   * @param now - milliseconds since the epoch; a shared store uses its own time instead
   * @param lease - the milliseconds after which an unsettled reservation counts as settled at its expected cost
   */
  reserve(charges: readonly Charge[], options: { readonly now: number; readonly lease: number }): Promise<ReserveResult>
  /** @param outcomes - one for each charge of the ticket */
  settle(
    ticket: LimitTicket,
    outcomes: readonly Settlement[],
    options: { readonly now: number },
  ): Promise<readonly BudgetState[]>
}
