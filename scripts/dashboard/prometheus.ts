import type { ResourceMetrics } from '@opentelemetry/sdk-metrics'
import type { Query } from './panels.ts'

/** One value of one series. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** All values at one time. */
export interface Scrape {
  /** In seconds. */
  readonly time: number
  readonly samples: readonly Sample[]
}

const underscored = (name: string): string => name.replace(/\W/g, '_')

/**
 * Converts OpenTelemetry's metrics like a Prometheus exporter: appends the unit to the name, unless it is in braces, and
 * `_total` to the name of a counter.
 *
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 */
export function samplesOf({ scopeMetrics }: ResourceMetrics): Sample[] {
  return scopeMetrics.flatMap(({ metrics }) =>
    metrics.flatMap(({ descriptor, dataPoints }) => {
      const name = underscored(descriptor.name) + (descriptor.unit === 's' ? '_seconds' : '')
      return dataPoints.flatMap(({ attributes, value }) => {
        const labels = Object.fromEntries(
          Object.entries(attributes).map(([label, text]) => [underscored(label), String(text)]),
        )
        if (typeof value === 'number') return [{ name: `${name}_total`, labels, value }]
        const { buckets, count, sum } = value as {
          readonly buckets: { readonly boundaries: readonly number[]; readonly counts: readonly number[] }
          readonly count: number
          readonly sum: number
        }
        let below = 0
        const cumulative = buckets.counts.map((each, i) => {
          below += each
          return {
            name: `${name}_bucket`,
            labels: { ...labels, le: String(buckets.boundaries[i] ?? '+Inf') },
            value: below,
          }
        })
        return [
          ...cumulative,
          { name: `${name}_count`, labels, value: count },
          { name: `${name}_sum`, labels, value: sum },
        ]
      })
    }),
  )
}

/** Reads Prometheus' text format. */
export function parseText(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (!name) return []
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text] as const)
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }]
  })
}

/** Evaluates a query at the end of a window of scrapes. Returns a value for each group. */
export function evaluate(query: Query, window: readonly Scrape[]): Map<string, number> {
  switch (query.kind) {
    case 'rate': {
      const { metric, by, where, times = 1 } = query
      const kept = ({ labels }: Sample): boolean =>
        !where || (where[1] === '=') === ((labels[where[0]] ?? '') === where[2])
      const rates = rate(window, metric, by, kept)
      return new Map([...rates].map(([group, value]) => [group, value * times]))
    }
    case 'quantile': {
      const buckets = [...rate(window, `${query.metric}_bucket`, 'le', () => true)]
        .map(([le, value]) => ({ le: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value }))
        .sort((a, b) => a.le - b.le)
      const value = quantileOf(query.quantile, buckets)
      return new Map(value === undefined ? [] : [['', value]])
    }
    case 'gauge': {
      const samples = (window.at(-1)?.samples ?? []).filter(({ name }) => name === query.metric)
      return new Map([['', samples.reduce((sum, { value }) => sum + value, 0)]])
    }
    case 'ratio': {
      const of = evaluate(query.of, window).get('')
      return new Map(of ? [['', (evaluate(query.part, window).get('') ?? 0) / of]] : [])
    }
  }
}

function rate(
  window: readonly Scrape[],
  metric: string,
  by: string | undefined,
  kept: (sample: Sample) => boolean,
): Map<string, number> {
  const [first, last] = [window[0], window.at(-1)]
  const sums = new Map<string, number>()
  if (!first || !last || first === last) return sums
  const add = ({ samples }: Scrape, sign: number): void => {
    for (const sample of samples) {
      if (sample.name !== metric || !kept(sample)) continue
      const group = by ? (sample.labels[by] ?? '') : ''
      sums.set(group, (sums.get(group) ?? 0) + (sign * sample.value) / (last.time - first.time))
    }
  }
  add(first, -1)
  add(last, 1)
  return sums
}

/** Interpolates like Prometheus: values are evenly distributed within a bucket. */
function quantileOf(quantile: number, buckets: readonly { le: number; value: number }[]): number | undefined {
  const total = buckets.at(-1)?.value
  if (!total) return undefined
  const rank = quantile * total
  const at = buckets.findIndex(({ value }) => value >= rank)
  const bucket = buckets[at] as { le: number; value: number }
  const { le: from, value: below } = buckets[at - 1] ?? { le: 0, value: 0 }
  if (bucket.le === Number.POSITIVE_INFINITY) return from
  return from + ((bucket.le - from) * (rank - below)) / (bucket.value - below)
}
