import type { Readiness } from './readiness.ts'
import type { Activity } from './activity.ts'

/** The state and activity of a gateway at one time. */
export interface GatewaySnapshot extends Activity {
  /** In milliseconds since the epoch. */
  readonly now: number
  /** When the gateway was created, in milliseconds since the epoch. */
  readonly started: number
  readonly draining: boolean
  /** The latest result of `/readyz`; `undefined` before the first check. */
  readonly readiness: Readiness | undefined
  /** The model calls in progress, and their limit. */
  readonly active: number
  readonly maxConcurrent: number
  /** The model calls that are waiting. */
  readonly queued: number
}
