/** Labels of a sample, by name. */
export type Labels = Readonly<Record<string, string>>

/** A metric that only goes up. */
export interface Counter {
  add(labels: Labels, amount?: number): void
}

/** A histogram of values. */
export interface Histogram {
  observe(labels: Labels, value: number): void
}

/** The metrics of a process, for Prometheus. */
export interface Metrics {
  counter(name: string, help: string): Counter
  /** Registers a value that is read on demand. */
  gauge(name: string, help: string, read: () => number): void
  histogram(name: string, help: string, bounds: readonly number[]): Histogram
  /** Returns all of them in the text exposition format. */
  render(): string
}

/** The content type of {@link Metrics.render}. */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Creates an empty set of metrics.
 *
 * @param maxSeries - the maximum of label combinations per metric, because names come from outside, and each one costs
 *   memory here and in Prometheus. Further ones count under `other`.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function createMetrics(maxSeries = 2000): Metrics {
  const families: (() => string[])[] = []

  /** The values of a metric by their labels. */
  const series = <Value>(create: () => Value): { of(labels: Labels): Value; entries(): Iterable<[string, Value]> } => {
    const values = new Map<string, Value>()
    return {
      of(labels) {
        let key = formatLabels(labels)
        if (!values.has(key) && values.size >= maxSeries)
          key = formatLabels(Object.fromEntries(Object.keys(labels).map((name) => [name, 'other'])))
        const known = values.get(key)
        if (known !== undefined) return known
        const value = create()
        values.set(key, value)
        return value
      },
      entries: () => values,
    }
  }

  const family = (name: string, type: string, help: string, samples: () => string[]): void => {
    families.push(() => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples()])
  }

  return {
    counter(name, help) {
      const values = series(() => ({ total: 0 }))
      family(name, 'counter', help, () =>
        [...values.entries()].map(([labels, { total }]) => `${name}${braced(labels)} ${total}`),
      )
      return {
        add: (labels, amount = 1) => {
          values.of(labels).total += amount
        },
      }
    },
    gauge(name, help, read) {
      family(name, 'gauge', help, () => [`${name} ${read()}`])
    },
    histogram(name, help, bounds) {
      const values = series(() => ({ counts: bounds.map(() => 0), count: 0, sum: 0 }))
      family(name, 'histogram', help, () =>
        [...values.entries()].flatMap(([labels, { counts, count, sum }]) => [
          ...bounds.map((bound, i) => `${name}_bucket${braced(labels, `le="${bound}"`)} ${counts[i]}`),
          `${name}_bucket${braced(labels, 'le="+Inf"')} ${count}`,
          `${name}_sum${braced(labels)} ${sum}`,
          `${name}_count${braced(labels)} ${count}`,
        ]),
      )
      return {
        observe: (labels, value) => {
          const seen = values.of(labels)
          seen.count++
          seen.sum += value
          bounds.forEach((bound, i) => {
            if (value <= bound) seen.counts[i] = (seen.counts[i] ?? 0) + 1
          })
        },
      }
    },
    render: () => `${families.flatMap((samples) => samples()).join('\n')}\n`,
  }
}

function braced(...labels: readonly string[]): string {
  const given = labels.filter(Boolean)
  return given.length > 0 ? `{${given.join(',')}}` : ''
}

function formatLabels(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeValue(value)}"`)
    .join(',')
}

function escapeValue(value: string): string {
  return value
    .slice(0, 200)
    .replace(/[\\"]/g, '\\$&')
    .replace(/\n/g, '\\n')
    .replace(/[\p{Cc}\p{Cs}]/gu, '?')
}
