import { type Panel, rows } from './panels.ts'
import { evaluate, type Scrape } from './prometheus.ts'

const width = 380
const height = 190
const description = "Calls of the fake Bedrock for half an hour of its time, as the dashboard's own queries show them"
const plot = { left: 52, top: 34, right: 12, bottom: 46 }
const colours = ['#3274d9', '#e0752d', '#299c46', '#a352cc', '#e02f44', '#b8860b']

/** Draws the dashboard from scraped metrics. Rates are over a minute. */
export function drawDashboard(scrapes: readonly Scrape[]): string {
  const parts: string[] = []
  let y = 12
  for (const { title, panels } of rows) {
    parts.push(text(12, y + 16, title, 'font-size="15" font-weight="600"'))
    y += 28
    panels.forEach((panel, i) => {
      const at = `translate(${12 + (i % 3) * (width + 12)} ${y + Math.floor(i / 3) * (height + 12)})`
      parts.push(`<g transform="${at}">${drawPanel(panel, scrapes)}</g>`)
    })
    y += Math.ceil(panels.length / 3) * (height + 12) + 8
  }
  const size = `width="${3 * (width + 12) + 12}" height="${y}"`
  const style = 'font-family="system-ui, sans-serif" font-size="11" fill="#333"'
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${style}>\n<title>${description}</title>\n<rect width="100%" height="100%" fill="#f4f5f5"/>\n${parts.join('\n')}\n</svg>\n`
}

interface Line {
  readonly legend: string
  readonly points: readonly { readonly time: number; readonly value: number }[]
}

/** The lines of a panel. */
export function linesOf({ queries }: Panel, scrapes: readonly Scrape[]): Line[] {
  const lines = new Map<string, { time: number; value: number }[]>()
  scrapes.forEach(({ time }, i) => {
    const window = scrapes.slice(Math.max(0, i - 2), i + 1)
    for (const { legend, query } of queries) {
      for (const [group, value] of evaluate(query, window)) {
        const name = legend.replace(/\{\{\w+\}\}/, group)
        const points = lines.get(name) ?? []
        points.push({ time, value })
        lines.set(name, points)
      }
    }
  })
  return [...lines].map(([legend, points]) => ({ legend, points }))
}

function drawPanel(panel: Panel, scrapes: readonly Scrape[]): string {
  const lines = linesOf(panel, scrapes)
  const end = scrapes.at(-1)?.time ?? 1
  const most = Math.max(...lines.flatMap(({ points }) => points.map(({ value }) => value)), 0) * 1.1 || 1
  const [plotWidth, plotHeight] = [width - plot.left - plot.right, height - plot.top - plot.bottom]
  const x = (time: number): number => plot.left + (time / end) * plotWidth
  const y = (value: number): number => plot.top + plotHeight * (1 - value / most)
  const ticks = [0, 0.5, 1].map((share) => {
    const value = (most / 1.1) * share
    const at = y(value).toFixed(1)
    return `<path d="M${plot.left} ${at}h${plotWidth}" stroke="#ddd"/>${text(plot.left - 6, Number(at) + 4, label(value, panel.unit), 'text-anchor="end"')}`
  })
  const times = [0, 0.5, 1].map((share) =>
    text(
      plot.left + share * plotWidth,
      height - plot.bottom + 14,
      `${Math.round((end * share) / 60)} min`,
      `text-anchor="${['start', 'middle', 'end'][share * 2]}" fill="#777"`,
    ),
  )
  const drawn = lines.map(({ points }, i) => {
    const path = points
      .map(({ time, value }, j) => `${j ? 'L' : 'M'}${x(time).toFixed(0)} ${y(value).toFixed(0)}`)
      .join('')
    return `<path d="${path}" fill="none" stroke="${colours[i % colours.length]}" stroke-width="1.5"/>`
  })
  let at = plot.left - 36
  const legends = lines.map(({ legend }, i) => {
    const shown = legend.replace(/^us\.anthropic\.|-\d{8}.*$/g, '')
    const drawn = `<rect x="${at}" y="${height - 16}" width="8" height="8" fill="${colours[i % colours.length]}"/>${text(at + 12, height - 8, shown)}`
    at += 22 + shown.length * 6.2
    return drawn
  })
  const frame = `<rect width="${width}" height="${height}" rx="3" fill="#fff" stroke="#dcdee0"/>`
  return [
    frame,
    text(12, 20, panel.title, 'font-size="12" font-weight="600"'),
    ...ticks,
    ...times,
    ...drawn,
    ...legends,
  ].join('')
}

function label(value: number, unit: Panel['unit']): string {
  const short = value >= 1000 ? `${(value / 1000).toFixed(1)}k` : value >= 10 ? value.toFixed(0) : value.toPrecision(2)
  if (value === 0) return '0'
  if (unit === 'percentunit') return `${Math.round(value * 100)} %`
  return unit === 's' ? `${short} s` : unit === 'reqps' ? `${short}/s` : unit === 'currencyUSD' ? `$${short}` : short
}

const text = (x: number, y: number, said: string, more = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${said.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`
