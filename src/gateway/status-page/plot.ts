import { formatTime } from './format.ts'
import { html, type Html } from './html.ts'

/** One value for each minute of an hour. */
export interface Plot {
  readonly title: string
  /** When the last minute began, in milliseconds since the epoch. */
  readonly end: number
  /** By the start of its minute; minutes without a value are empty. */
  readonly values: ReadonlyMap<number, number>
  readonly format: (value: number) => string
}

const minutes = 60
const minute = 60_000
const width = 600
const height = 120
const step = width / minutes

/** Draws bars over the last hour, with their greatest and their latest value in words. */
export function renderPlot({ title, end, values, format }: Plot): Html {
  const greatest = Math.max(0, ...values.values())
  const bars = Array.from({ length: minutes }, (_, index) => {
    const start = end - (minutes - 1 - index) * minute
    const value = values.get(start)
    if (!value) return html``
    const bar = Math.max(2, (value / greatest) * height)
    return html`<rect x="${(index * step + 1).toFixed(1)}" y="${(height - bar).toFixed(1)}" width="${(step - 2).toFixed(1)}" height="${bar.toFixed(1)}"><title>${formatTime(start).slice(0, 5)}: ${format(value)}</title></rect>`
  })
  const latest = values.get(end)
  const summary =
    greatest > 0 ? `at most ${format(greatest)}, ${latest ? format(latest) : 'nothing'} in this minute` : 'nothing yet'
  return html`<figure>
<figcaption>${title} <small>${summary}</small></figcaption>
<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${title}, the last hour: ${summary}"><line x1="0" x2="${width}" y1="${height}" y2="${height}"/>${bars}</svg>
</figure>
`
}
