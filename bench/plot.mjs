// Bar charts in SVG, in colors for light and dark pages.

const row = 26
const left = 250
const right = 110
const width = 760

/**
 * Draws measurements; a shorter bar is better.
 *
 * @param rows - `{ name, value, shown }`; names that begin with `outcrop` are highlighted
 */
export function plot(title, rows) {
  const most = Math.max(...rows.map(({ value }) => value))
  const height = 44 + rows.length * row
  const bars = rows.map(({ name, value, shown }, i) => {
    const y = 36 + i * row
    const length = Math.max(2, (value / most) * (width - left - right))
    const kind = name.startsWith('outcrop') ? 'own' : 'other'
    return `  <text class="name ${kind}" x="${left - 10}" y="${y + 14}">${quote(name)}</text>
  <rect class="${kind}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="18" rx="2"/>
  <text x="${(left + length + 8).toFixed(1)}" y="${y + 14}">${quote(shown)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${quote(title)}">
  <style>
    text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #24292f }
    .title { font-weight: 600 }
    .name { text-anchor: end }
    .name.own { font-weight: 600 }
    rect.own { fill: #b3541e }
    rect.other { fill: #8c959f }
    @media (prefers-color-scheme: dark) {
      text { fill: #d1d7e0 }
      rect.own { fill: #e0813f }
      rect.other { fill: #656c76 }
    }
  </style>
  <text class="title" x="10" y="20">${quote(title)}</text>
${bars.join('\n')}
</svg>
`
}

const quote = (text) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
