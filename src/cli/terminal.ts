import process from 'node:process'
import { printable } from '../core/internal/redact.ts'

/** Colored text. */
export interface Painted {
  readonly colour: Colour
  readonly text: string
}

/** The output of a command. Escapes control characters, which a terminal would interpret. */
export interface Terminal {
  /** Prints a line to stdout. */
  print(...parts: readonly (string | Painted)[]): void
  /** Prints a line to stderr: progress, remarks, errors. */
  note(...parts: readonly (string | Painted)[]): void
  /** Prints to stdout without ending the line. */
  write(...parts: readonly (string | Painted)[]): void
  /** Returns the text as it would be printed. */
  format(...parts: readonly (string | Painted)[]): string
  /** Colors text, if the terminal supports colors. */
  paint(colour: Colour, text: string): Painted
  readonly columns: number
}

export type Colour = 'green' | 'yellow' | 'red' | 'blue' | 'bold' | 'dim'

const codes: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34 }

export function createTerminal(): Terminal {
  const { stdout, stderr, env } = process
  // https://no-color.org
  const hasColours = stdout.isTTY && !env.NO_COLOR && env.TERM !== 'dumb'
  const format = (...parts: readonly (string | Painted)[]): string =>
    parts
      .map((part) => {
        if (typeof part === 'string') return spellControls(part)
        const text = spellControls(part.text)
        return hasColours ? `\u001b[${codes[part.colour]}m${text}\u001b[0m` : text
      })
      .join('')
  return {
    print: (...parts) => stdout.write(`${format(...parts)}\n`),
    note: (...parts) => stderr.write(`${format(...parts)}\n`),
    write: (...parts) => stdout.write(format(...parts)),
    format,
    paint: (colour, text) => ({ colour, text }),
    columns: Math.min(stdout.columns || 80, 120),
  }
}

// Escapes all control characters except tabs and line ends, and those that change the text direction. JSON stays valid.
function spellControls(text: string): string {
  return printable(text.replaceAll('\r\n', '\n'), '\n\t')
}

/** Formats rows in aligned columns; the last column is not padded. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((known, row) => row.map((cell, i) => Math.max(known[i] ?? 0, cell.length)), [])
  return rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '))
}

/** Wraps text to a width, at spaces if possible. Keeps the text's own line breaks. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => wrapLine(paragraph, width))
}

function wrapLine(text: string, width: number): string[] {
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
