import process from 'node:process'

/** Where a command prints. */
export interface Terminal {
  /** Prints a line to stdout. */
  print(line?: string): void
  /** Prints a line to stderr: progress, remarks, errors. */
  note(line: string): void
  /** Colours a text, on a terminal that wants colours. */
  paint(colour: Colour, text: string): string
  readonly columns: number
}

export type Colour = 'green' | 'yellow' | 'red' | 'blue' | 'bold' | 'dim'

const codes: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34 }

export function createTerminal(): Terminal {
  const { stdout, stderr, env } = process
  // https://no-color.org
  const hasColours = stdout.isTTY && !env.NO_COLOR && env.TERM !== 'dumb'
  return {
    print: (line = '') => stdout.write(`${line}\n`),
    note: (line) => stderr.write(`${line}\n`),
    paint: (colour, text) => (hasColours ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text),
    columns: Math.min(stdout.columns || 80, 120),
  }
}

/** Rows in columns of equal width, the last one as it is. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((known, row) => row.map((cell, i) => Math.max(known[i] ?? 0, cell.length)), [])
  return rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '))
}

/** Breaks a text into lines of a width, at spaces where there are any. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line ? `${line} ${word}` : word
    }
  }
  return [...lines, line]
}
