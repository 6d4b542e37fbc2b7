/**
 * Calls that go to another profile, model, Region or account when their own fails, and stay where their prompt cache is.
 *
 * @module
 */
export { type FailoverOptions, failover } from './failover.ts'
export type { FailoverTarget, FailoverTargets } from './targets.ts'
