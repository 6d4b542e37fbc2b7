/** The outcome of a check. A `note` is something that could not be checked, or that is only informative. */
export type CheckStatus = 'ok' | 'warning' | 'failure' | 'note'

/** One row of the doctor's report. */
export interface CheckResult {
  /** The name of the check, such as `identity` or `model`. */
  readonly check: string
  /** The subject of the check, if there are several, such as a model name. */
  readonly subject?: string | undefined
  readonly status: CheckStatus
  /** The result. Never contains a secret. */
  readonly message: string
  /** The exact next command or console step, if there is one. */
  readonly next?: string | undefined
}

/** Tests whether a setup is usable: no row is a failure. */
export function isHealthy(results: readonly CheckResult[]): boolean {
  return !results.some(({ status }) => status === 'failure')
}
