import { printable as spelledOut } from '../core/internal/redact.ts'

/** Text of a file as one short line: control characters, which a terminal would obey, are spelled out. */
export function printable(text: string, limit = 2048): string {
  const line = spelledOut(text.slice(0, limit))
  return text.length > limit ? `${line}…` : line
}
