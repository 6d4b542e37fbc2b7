import type { TokenUsage } from '../core/types.ts'
import type { Admission } from './admission.ts'
import type { RequestContext } from './request-context.ts'
import { createMetrics } from './prometheus.ts'

/** The metrics of a gateway. */
export interface GatewayMetrics {
  end(context: RequestContext, status: number, ended: number): void
  /** Returns them in Prometheus' text format. */
  render(): string
}

const tokenTypes: readonly (readonly [keyof TokenUsage, string])[] = [
  ['inputTokens', 'input'],
  ['outputTokens', 'output'],
  ['cacheReadInputTokens', 'cache_read'],
  ['cacheWriteInputTokens', 'cache_write'],
]

// In seconds; models take their time.
const durations = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]
const waits = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60]

/** Creates the metrics of a gateway. They cover model calls, and other requests only if they were rejected. */
export function createGatewayMetrics(admission: Pick<Admission, 'active' | 'queued'>): GatewayMetrics {
  const { counter, gauge, histogram, render } = createMetrics()
  const name = (rest: string): string => `outcrop_gateway_${rest}`
  const requests = counter(name('requests_total'), 'Model calls, by key, model and HTTP status.')
  const tokens = counter(name('tokens_total'), 'Tokens, by key, model and type.')
  const cost = counter(name('cost_usd_total'), 'Cost by the price table.')
  const duration = histogram(name('request_duration_seconds'), 'Time until the end of the response.', durations)
  const firstByte = histogram(name('time_to_first_byte_seconds'), 'Time until the response begins.', waits)
  gauge(name('active_requests'), 'Model calls in progress.', () => admission.active)
  gauge(name('queued_requests'), 'Model calls that are waiting.', () => admission.queued)
  const upstream = counter(name('upstream_errors_total'), 'Errors of Bedrock and of the connection to it, by type.')

  return {
    end(context, status, ended) {
      const { caller, error, firstByte: first, model = '', route, started } = context
      if (error?.isUpstream) upstream.add({ type: error.type })
      if (!route.isInference) return
      const labels = { key: caller?.id ?? '', model }
      requests.add({ ...labels, status: String(status) })
      const usage = context.usage()
      for (const [field, type] of tokenTypes) {
        const amount = usage[field]
        if (amount) tokens.add({ ...labels, type }, amount)
      }
      if (context.cost) cost.add(labels, context.cost)
      duration.observe({}, (ended - started) / 1000)
      if (first !== undefined) firstByte.observe({}, (first - started) / 1000)
    },
    render,
  }
}
