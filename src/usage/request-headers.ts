import { ConfigurationError } from '../core/errors.ts'
import { asciiJson } from '../core/internal/json.ts'
import type { Middleware } from '../core/types.ts'

declare global {
  interface OutcropCallOptions {
    /** Metadata for the invocation logs, for cost attribution: at most 8,500 characters as JSON. */
    readonly requestMetadata?: Readonly<Record<string, string>> | undefined
    /** The service tier. @default the account's */
    readonly serviceTier?: 'default' | 'priority' | 'flex' | 'reserved' | undefined
    /** The latency configuration. @default 'standard' */
    readonly latency?: 'standard' | 'optimized' | undefined
  }
}

const tiers = ['default', 'priority', 'flex', 'reserved']
const latencies = ['standard', 'optimized']

/**
 * Turns the typed per-call options into Bedrock's headers. Built into the default client.
 *
 * @throws ConfigurationError for values that Bedrock would reject.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
 */
export const requestHeaders: Middleware = async function requestHeaders(request, next) {
  const { requestMetadata, serviceTier, latency } = request.options
  if (requestMetadata === undefined && serviceTier === undefined && latency === undefined) return await next(request)
  const headers: Record<string, string> = { ...request.headers }
  if (requestMetadata !== undefined) {
    const text = asciiJson(requestMetadata)
    if (text.length > 8_500) throw new ConfigurationError('requestMetadata has more than 8500 characters as JSON')
    headers['x-amzn-bedrock-request-metadata'] = text
  }
  if (serviceTier !== undefined) headers['x-amzn-bedrock-service-tier'] = oneOf('serviceTier', serviceTier, tiers)
  if (latency !== undefined) headers['x-amzn-bedrock-performanceconfig-latency'] = oneOf('latency', latency, latencies)
  return next({ ...request, headers })
}

function oneOf(name: string, value: string, allowed: readonly string[]): string {
  if (allowed.includes(value)) return value
  throw new ConfigurationError(`${name} is ${JSON.stringify(value)}, but must be ${allowed.join(', ')}`)
}
