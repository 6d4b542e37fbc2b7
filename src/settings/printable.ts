import { redact } from '../core/internal/redact.ts'

/** Text of a file as one short line, without secrets and without what a terminal would obey. */
export function printable(text: string, limit = 2048): string {
  const line = redact(text)
  return line.length > limit ? `${line.slice(0, limit)}…` : line
}
