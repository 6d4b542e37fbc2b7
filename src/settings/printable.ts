import { printable as spellOut } from '../core/internal/redact.ts'

/** Text of a file as one short line, with whatever a terminal would obey spelled out. */
export function printable(text: string, limit = 2048): string {
  return spellOut(text.length > limit ? `${text.slice(0, limit)}…` : text)
}
