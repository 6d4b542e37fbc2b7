// Charts in SVG, readable on light and dark pages.

const style = `
  text { font: 12px system-ui, sans-serif; fill: #57606a }
  .title { font-weight: 600; fill: #24292f }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .a { fill: #8c959f; stroke: #8c959f } .b { fill: #bf8700; stroke: #bf8700 }
  .c { fill: #8250df; stroke: #8250df } .d { fill: #54aeff; stroke: #54aeff } .e { fill: #0969da; stroke: #0969da }
  .line { fill: none; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 } .title { fill: #f0f6fc } .grid { stroke: #3d444d }
  }`

const colours = ['a', 'b', 'c', 'd', 'e']

export interface Series {
  readonly name: string
  readonly values: readonly number[]
}

export interface Plot {
  readonly title: string
  /** The labels of the horizontal axis. */
  readonly labels: readonly string[]
  readonly series: readonly Series[]
  /** The largest value on the vertical axis. */
  readonly most: number
}

const percent = (value: number): string => `${Math.round(value * 100)} %`
const width = 640
const panel = 190
const left = 48
const right = 12

/** Draws panels of grouped bars below each other, with one legend. */
export function bars(plots: readonly Plot[]): string {
  const names = plots[0]?.series.map(({ name }) => name) ?? []
  const legend = legendOf(names, plots.length * panel)
  return svg(
    plots.length * panel + legend.height,
    plots.map(({ title }) => title).join('; '),
    plots.map((plot, i) => drawBars(plot, i * panel)).join('') + legend.text,
  )
}

/** Draws one panel of lines. */
export function lines(plot: Plot): string {
  const { labels, series, most } = plot
  const legend = legendOf(
    series.map(({ name }) => name),
    panel,
  )
  const x = (i: number): number => left + 30 + (i * (width - left - right - 60)) / Math.max(1, labels.length - 1)
  const { frame, y } = frameOf(plot, 0)
  const drawn = series.map(({ values }, k) => {
    const points = values.map((value, i) => `${x(i).toFixed(1)},${y(Math.min(value, most)).toFixed(1)}`)
    const dots = points.map((point) => `<circle class="${colours[k]}" cx="${point.replace(',', '" cy="')}" r="3"/>`)
    return `<polyline class="line ${colours[k]}" style="fill:none" points="${points.join(' ')}"/>${dots.join('')}`
  })
  const ticks = labels.map((label, i) => `<text x="${x(i)}" y="${panel - 12}" text-anchor="middle">${label}</text>`)
  return svg(panel + legend.height, plot.title, frame + drawn.join('') + ticks.join('') + legend.text)
}

function drawBars(plot: Plot, top: number): string {
  const { labels, series, most } = plot
  const { frame, y } = frameOf(plot, top)
  const group = (width - left - right) / labels.length
  const bar = (group - 24) / series.length
  const drawn = labels.map((label, i) => {
    const from = left + i * group + 12
    const rects = series.map(({ values }, k) => {
      const value = values[i] ?? 0
      const at = y(Math.min(value, most))
      const x = from + k * bar
      return (
        `<rect class="${colours[k]}" x="${x.toFixed(1)}" y="${at.toFixed(1)}" width="${(bar - 3).toFixed(1)}" height="${Math.max(0.5, y(0) - at).toFixed(1)}"/>` +
        `<text x="${(x + bar / 2 - 1.5).toFixed(1)}" y="${(at - 3).toFixed(1)}" text-anchor="middle" style="font-size:9px">${(value * 100).toFixed(value < 0.1 && value > 0.0005 ? 1 : 0)}</text>`
      )
    })
    return `${rects.join('')}<text x="${from + group / 2 - 12}" y="${top + panel - 12}" text-anchor="middle">${label}</text>`
  })
  return frame + drawn.join('')
}

function frameOf({ title, most }: Plot, top: number): { frame: string; y: (value: number) => number } {
  const y = (value: number): number => top + panel - 30 - (value / most) * (panel - 70)
  const grid = [0, 0.5, 1].map((part) => {
    const at = y(part * most)
    return `<line class="grid" x1="${left}" x2="${width - right}" y1="${at}" y2="${at}"/><text x="${left - 6}" y="${at + 4}" text-anchor="end">${percent(part * most)}</text>`
  })
  return { frame: `<text class="title" x="${left}" y="${top + 18}">${title}</text>${grid.join('')}`, y }
}

function legendOf(names: readonly string[], top: number): { text: string; height: number } {
  const text = names.map((name, i) => {
    const x = left + (i % 2) * 290
    const y = top + 14 + Math.floor(i / 2) * 18
    return `<rect class="${colours[i]}" x="${x}" y="${y - 9}" width="10" height="10"/><text x="${x + 16}" y="${y}">${name}</text>`
  })
  return { text: text.join(''), height: 14 + Math.ceil(names.length / 2) * 18 }
}

function svg(height: number, title: string, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}"><title>${title}</title><style>${style}</style>${content}</svg>\n`
}
