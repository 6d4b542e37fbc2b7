// Measurements as Markdown.

export const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

export const formatTime = (microseconds) => {
  if (microseconds >= 1_000_000) return `${(microseconds / 1_000_000).toFixed(2)} s`
  if (microseconds >= 1_000) return `${(microseconds / 1_000).toPrecision(3)} ms`
  return `${microseconds.toPrecision(3)} µs`
}

/**
 * Summarizes a group: each contestant's figure, and its ratio to `outcrop`, or to the first one without it. Ratios compare
 * figures of the same round, because a slow machine slows both.
 */
export function summarize({ baseline, format = formatTime, word = 'as fast' }, times) {
  const names = Object.keys(times)
  const beside = baseline ?? (names.includes('outcrop') ? 'outcrop' : names[0])
  return names.map((name) => {
    const ratio = median(times[name].map((time, round) => time / times[beside][round]))
    return { name, value: median(times[name]), shown: format(median(times[name])), words: inWords(name, ratio) }
  })

  function inWords(name, ratio) {
    if (name === beside) return ''
    if (ratio > 1.05) return `${beside}: ${digits(ratio)} times ${word}`
    if (ratio < 0.95) return `${digits(1 / ratio)} times ${word} as ${beside}`
    return word === 'as fast' ? `as fast as ${beside}` : `the same as ${beside}`
  }
}

const digits = (ratio) => (ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0))

/** Formats a Markdown table with aligned columns. */
export function table(head, rows) {
  const widths = head.map((title, i) =>
    Math.max(...[title, ...rows.map((row) => row[i])].map((text) => text.length), 3),
  )
  const line = (cells) => `| ${cells.map((text, i) => text.padEnd(widths[i])).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
