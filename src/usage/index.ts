/**
 * Tokens, times and cost of calls, and what a call may ask of Bedrock beside the model's own parameters.
 *
 * @module
 */
export { costOf, type TokenPrices } from './cost.ts'
export { requestHeaders } from './request-headers.ts'
export { type UsageRecord, usageTracking } from './usage-tracking.ts'
