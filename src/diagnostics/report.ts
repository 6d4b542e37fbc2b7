/** How a check came out. A `note` is something that could not be looked at, or is only worth knowing. */
export type CheckStatus = 'ok' | 'warning' | 'failure' | 'note'

/** One row of the doctor's report. */
export interface CheckResult {
  /** What was looked at, such as `identity` or `model`. */
  readonly check: string
  /** Which of several: a model's name, say. */
  readonly subject?: string | undefined
  readonly status: CheckStatus
  /** What was found. Never holds a secret. */
  readonly message: string
  /** The exact next command or console step, where there is one. */
  readonly next?: string | undefined
}

/** Whether a set-up is fit for use: no row is a failure. */
export function isHealthy(results: readonly CheckResult[]): boolean {
  return !results.some(({ status }) => status === 'failure')
}
