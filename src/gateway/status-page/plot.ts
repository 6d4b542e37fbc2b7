import { formatTime } from './format.ts'
import { html, type Html } from './html.ts'

/** A bar chart with one value per minute of an hour. */
export interface Plot {
  readonly title: string
  /** The start of the last minute, in milliseconds since the epoch. */
  readonly end: number
  /** The values by the start of their minute; minutes without a value have no bar. */
  readonly values: ReadonlyMap<number, number>
  readonly format: (value: number) => string
}

const minutes = 60
const minute = 60_000
const width = 600
const height = 120
const step = width / minutes

/** Draws the last hour as bars, with the highest and the latest value as text. */
export function renderPlot({ title, end, values, format }: Plot): Html {
  const peak = Math.max(0, ...values.values())
  const bars = Array.from({ length: minutes }, (_, index) => {
    const start = end - (minutes - 1 - index) * minute
    const value = values.get(start)
    if (!value) return html``
    const bar = Math.max(2, (value / peak) * height)
    return html`<rect x="${(index * step + 1).toFixed(1)}" y="${(height - bar).toFixed(1)}" width="${(step - 2).toFixed(1)}" height="${bar.toFixed(1)}"><title>${formatTime(start).slice(0, 5)}: ${format(value)}</title></rect>`
  })
  const latest = values.get(end)
  const summary = peak > 0 ? `peak ${format(peak)}, this minute ${latest ? format(latest) : 'none'}` : 'no data yet'
  return html`<figure>
<figcaption>${title} <small>${summary}</small></figcaption>
<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${title}, the last hour: ${summary}"><line x1="0" x2="${width}" y1="${height}" y2="${height}"/>${bars}</svg>
</figure>
`
}
