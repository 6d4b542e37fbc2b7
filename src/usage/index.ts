/**
 * Tokens, times and cost of calls, and per-call options of Bedrock such as request metadata and the service tier.
 *
 * @module
 */
export { costOf, type TokenPrices } from './cost.ts'
export { requestHeaders } from './request-headers.ts'
export { type UsageRecord, usageTracking } from './usage-tracking.ts'
