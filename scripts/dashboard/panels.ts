// The panels of the dashboard, for Grafana and for the picture in the docs.

/** A Prometheus query, in the forms that the dashboard needs. */
export type Query =
  | {
      readonly kind: 'rate'
      readonly metric: string
      readonly by?: string
      readonly where?: Where
      readonly times?: number
    }
  | { readonly kind: 'quantile'; readonly metric: string; readonly quantile: number }
  | { readonly kind: 'gauge'; readonly metric: string }
  | { readonly kind: 'ratio'; readonly part: Query; readonly of: Query }

/** A condition on a label. */
export type Where = readonly [label: string, operator: '=' | '!=', value: string]

export interface Panel {
  readonly title: string
  /** Grafana's name for the unit. */
  readonly unit: 'reqps' | 's' | 'short' | 'percentunit' | 'currencyUSD'
  readonly queries: readonly { readonly legend: string; readonly query: Query }[]
}

const inference = 'gen_ai_client_inference_'
const gateway = 'outcrop_gateway_'
const model = 'gen_ai_request_model'

const quantiles = (metric: string): Panel['queries'] =>
  [0.5, 0.95].map((quantile) => ({ legend: `p${quantile * 100}`, query: { kind: 'quantile', metric, quantile } }))
const tokens = (name: string): Query => ({ kind: 'rate', metric: `${inference}usage_${name}_total` })

export const rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[] = [
  {
    title: 'Client',
    panels: [
      {
        title: 'Calls by model',
        unit: 'reqps',
        queries: [
          { legend: `{{${model}}}`, query: { kind: 'rate', metric: `${inference}duration_seconds_count`, by: model } },
        ],
      },
      {
        title: 'Failed calls by error',
        unit: 'reqps',
        queries: [
          {
            legend: '{{error_type}}',
            query: {
              kind: 'rate',
              metric: `${inference}duration_seconds_count`,
              by: 'error_type',
              where: ['error_type', '!=', ''],
            },
          },
        ],
      },
      {
        title: 'Repeated attempts by error',
        unit: 'reqps',
        queries: [
          {
            legend: '{{error_type}}',
            query: { kind: 'rate', metric: 'outcrop_client_retries_total', by: 'error_type' },
          },
        ],
      },
      { title: 'Duration', unit: 's', queries: quantiles(`${inference}duration_seconds`) },
      { title: 'Time to the first chunk', unit: 's', queries: quantiles(`${inference}time_to_first_chunk_seconds`) },
      { title: 'Time per chunk', unit: 's', queries: quantiles(`${inference}time_per_output_chunk_seconds`) },
      {
        title: 'Tokens per second',
        unit: 'short',
        queries: [
          { legend: 'input', query: tokens('input_tokens') },
          { legend: 'output', query: tokens('output_tokens') },
          { legend: 'cache read', query: tokens('cache_read_input_tokens') },
          { legend: 'cache write', query: tokens('cache_write_input_tokens') },
        ],
      },
      { title: 'Input tokens of a call', unit: 'short', queries: quantiles(`${inference}operation_input_tokens`) },
      {
        title: 'Caches: share of input tokens, and of calls',
        unit: 'percentunit',
        queries: [
          {
            legend: 'prompt cache',
            query: { kind: 'ratio', part: tokens('cache_read_input_tokens'), of: tokens('input_tokens') },
          },
          {
            legend: 'response cache',
            query: {
              kind: 'ratio',
              part: {
                kind: 'rate',
                metric: `${inference}duration_seconds_count`,
                where: ['outcrop_cache_status', '=', 'hit'],
              },
              of: { kind: 'rate', metric: `${inference}duration_seconds_count` },
            },
          },
        ],
      },
      {
        title: 'Interventions of guardrails',
        unit: 'reqps',
        queries: [{ legend: 'calls', query: { kind: 'rate', metric: 'outcrop_client_guardrail_interventions_total' } }],
      },
      {
        title: 'Tokens counted (CountTokens)',
        unit: 'reqps',
        queries: [
          { legend: 'calls', query: { kind: 'rate', metric: 'gen_ai_client_operation_duration_seconds_count' } },
        ],
      },
    ],
  },
  {
    title: 'Gateway',
    panels: [
      {
        title: 'Requests by status',
        unit: 'reqps',
        queries: [{ legend: '{{status}}', query: { kind: 'rate', metric: `${gateway}requests_total`, by: 'status' } }],
      },
      {
        title: 'Errors of Bedrock by type',
        unit: 'reqps',
        queries: [
          { legend: '{{type}}', query: { kind: 'rate', metric: `${gateway}upstream_errors_total`, by: 'type' } },
        ],
      },
      {
        title: 'Active and waiting',
        unit: 'short',
        queries: [
          { legend: 'active', query: { kind: 'gauge', metric: `${gateway}active_requests` } },
          { legend: 'waiting', query: { kind: 'gauge', metric: `${gateway}queued_requests` } },
        ],
      },
      { title: 'Duration', unit: 's', queries: quantiles(`${gateway}request_duration_seconds`) },
      { title: 'Time to the first byte', unit: 's', queries: quantiles(`${gateway}time_to_first_byte_seconds`) },
      {
        title: 'Tokens per second by key',
        unit: 'short',
        queries: [{ legend: '{{key}}', query: { kind: 'rate', metric: `${gateway}tokens_total`, by: 'key' } }],
      },
      {
        title: 'Cost per hour by key',
        unit: 'currencyUSD',
        queries: [
          { legend: '{{key}}', query: { kind: 'rate', metric: `${gateway}cost_usd_total`, by: 'key', times: 3600 } },
        ],
      },
    ],
  },
]
