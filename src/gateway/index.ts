/**
 * A gateway: Claude on Bedrock for a team behind one address, with keys, limits and metrics.
 *
 * @module
 */
export type { AccessLogEntry } from './access-log.ts'
export type { Activity, ActivityError, ActivityMinute, KeyActivity, LiveCall, ModelUsage } from './activity.ts'
export { type ApiKey, apiKeys, createApiKey, hashApiKey } from './api-keys.ts'
export type { Authenticate, Caller, CallerGuardrail, CallerLimits } from './caller.ts'
export { createGateway, type Gateway } from './create-gateway.ts'
export type { GatewaySnapshot } from './snapshot.ts'
export type { GatewayBackend } from './backend.ts'
export type { ApiFormat } from './request-context.ts'
export type { GatewayOptions } from './options.ts'
export type { Readiness } from './readiness.ts'
export { redisSpendStore, type RedisSpendStoreOptions, upstashSpendStore } from './redis-spend-store.ts'
export { memorySpendStore, type SpendStore } from './spend-store.ts'
