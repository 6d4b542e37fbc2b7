import type { Readiness } from './readiness.ts'
import type { Activity } from './activity.ts'

/** A gateway, at one moment. */
export interface GatewaySnapshot extends Activity {
  /** In milliseconds since the epoch. */
  readonly now: number
  /** When the gateway was made, in milliseconds since the epoch. */
  readonly started: number
  readonly draining: boolean
  /** The latest result of `/readyz`; `undefined` before the first check. */
  readonly readiness: Readiness | undefined
  /** How many calls of models run, and how many may. */
  readonly active: number
  readonly maxConcurrent: number
  /** How many wait for a place. */
  readonly queued: number
}
