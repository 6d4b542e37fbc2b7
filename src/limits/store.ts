/** How much may be taken from a budget. */
export interface LimitRule {
  /**
   * Units in each window. Left out where none is known: then everything is granted until a refusal teaches a limit. `0`
   * grants nothing.
   */
  readonly limit?: number | undefined
  /** The window, in milliseconds, such as 60_000 for a quota per minute. */
  readonly window: number
  /**
   * How much may be taken at once, as milliseconds of the window: between 0 and `window`. With the whole window, the
   * budget is a token bucket that begins full; with less, what is taken is spread over the window.
   */
  readonly burst: number
  /** How many reservations may be open at once. @default no limit */
  readonly concurrency?: number | undefined
}

/** What one call takes from one budget. */
export interface Charge {
  /** The budget. Any text; budgets of different kinds need different keys. */
  readonly key: string
  readonly rule: LimitRule
  /**
   * What is set aside until the call is settled: the most that it may count for. A charge that sets nothing aside counts
   * as used at once.
   */
  readonly hold: number
  /** What it will probably cost. @default `hold` */
  readonly expected?: number | undefined
}

/** How a budget stands. */
export interface BudgetState {
  /** Units used by the calls of the last window that have ended. */
  readonly used: number
  /** Units held by open reservations. */
  readonly held: number
  /** Open reservations. */
  readonly open: number
  /** The limit that refusals have taught, in units per window; `undefined` where none has. */
  readonly learned: number | undefined
}

/**
 * What a call has to wait for: the end of a pause, an open reservation's end, the rate of use, less to be reserved; or it
 * waits in vain, as the limit is 0.
 */
export type LimitReason = 'paused' | 'concurrency' | 'rate' | 'reserved' | 'no_quota'

/** A reservation that was granted. Plain data: hand it to `settle` as it is. */
export interface LimitTicket {
  readonly id: string
  /** When it was granted, in milliseconds of the store's own time. */
  readonly at: number
  readonly charges: readonly Charge[]
}

/** What `reserve` answers. */
export type ReserveResult = {
  /** How the budgets stand now, in the order of the charges. */
  readonly states: readonly BudgetState[]
  /** How many processes share the budgets, this one included, as far as the store knows. */
  readonly sharers: number
} & (
  | { readonly granted: true; readonly ticket: LimitTicket }
  | {
      readonly granted: false
      /** Milliseconds until it is worth asking again, as it looks now; Infinity where it never will be. */
      readonly wait: number
      /** The key of the budget that has too little. */
      readonly key: string
      readonly reason: LimitReason
    }
)

/** What became of one charge of a reservation. */
export interface Settlement {
  /** What it really cost. Left out: the call goes on, and stays reserved. */
  readonly used?: number | undefined
  /** Whether the service refused for want of this budget: its limit is cut. */
  readonly throttled?: boolean | undefined
  /** Grants nothing of this budget for so many milliseconds. */
  readonly pause?: number | undefined
}

/**
 * Where budgets are kept. `reserve` takes from all of them or from none, in one step; `settle` puts right what was
 * reserved.
 */
export interface LimitStore {
  /**
   * @param now - milliseconds since the epoch; a store that many share goes by a time of its own
   * @param lease - after so many milliseconds a reservation that nobody settled is taken as settled for what was expected
   */
  reserve(charges: readonly Charge[], options: { readonly now: number; readonly lease: number }): Promise<ReserveResult>
  /** @param outcomes - one for each charge of the ticket */
  settle(
    ticket: LimitTicket,
    outcomes: readonly Settlement[],
    options: { readonly now: number },
  ): Promise<readonly BudgetState[]>
}
