/**
 * Keeps calls within the account's quotas, with budgets that reserve and settle like Bedrock's, for one process or a
 * fleet.
 *
 * @module
 */
export { QuotaError, type QuotaErrorOptions } from '../core/errors.ts'
export { type Burndown, burndownOf } from '../models/burndown.ts'
export { type BudgetKey, bucketOf, type QuotaBucket } from './budget-key.ts'
export { type Limits, type LimitsSnapshot, limits } from './limits.ts'
export { memoryLimitStore } from './memory-store.ts'
export type { BudgetSnapshot } from './model-budget.ts'
export type { LimitsOptions, Quota } from './options.ts'
export { type AccountQuotas, type QuotaClient, type ReadQuotasOptions, readQuotas } from './read-quotas.ts'
export {
  type IoredisLike,
  type NodeRedisLike,
  type RedisLimitStoreOptions,
  redisLimitStore,
  type UpstashLike,
  upstashLimitStore,
} from './redis-store.ts'
export type {
  BudgetState,
  Charge,
  LimitReason,
  LimitRule,
  LimitStore,
  LimitTicket,
  ReserveResult,
  Settlement,
} from './store.ts'
