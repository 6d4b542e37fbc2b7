import { ConfigurationError } from 'outcrop'

/** Variables by name. */
export type Variables = Readonly<Record<string, string>>

/**
 * Sets variables in the text of a `.env` file: existing ones in place, new ones at the end. Every other byte stays the
 * same.
 */
export function setInEnvFile(text: string, variables: Variables): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const left = new Map(Object.entries(variables))
  const lines = entriesOf(text).map((entry) => {
    const [, before = '', name = ''] = /^(\s*(?:export\s+)?)([\w.-]+)\s*=/.exec(entry) ?? []
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined
    if (value === undefined) return entry
    left.delete(name)
    return `${before}${name}=${quote(name, value)}${/\r?\n$/.exec(entry)?.[0] ?? ''}`
  })
  const last = lines.at(-1)
  if (left.size > 0 && last !== undefined && !last.endsWith('\n')) lines.push(newline)
  return lines.join('') + [...left].map(([name, value]) => `${name}=${quote(name, value)}${newline}`).join('')
}

// Splits the text into lines with their ends; a quoted value may span several.
function entriesOf(text: string): string[] {
  const entries: string[] = []
  let open: string | undefined
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    if (open !== undefined) {
      entries[entries.length - 1] += line
      if (closes(line, open)) open = undefined
      continue
    }
    entries.push(line)
    const [, mark, rest = ''] = /^\s*(?:export\s+)?[\w.-]+\s*=\s*(["'`])(.*)$/s.exec(line) ?? []
    // An unclosed quote is part of the value.
    if (mark && !closes(rest, mark) && closes(text.slice(text.indexOf(line) + line.length), mark)) open = mark
  }
  return entries
}

function closes(text: string, mark: string): boolean {
  return text.replaceAll(`\\${mark}`, '').includes(mark)
}

// In a form that Node, dotenv and shells read alike: bare, or in single quotes, where nothing is special.
function quote(name: string, value: string): string {
  if (/^[\w./:@+-]+$/.test(value)) return value
  if (!/['\r\n]/.test(value)) return `'${value}'`
  if (!/["$`\\\r\n]/.test(value)) return `"${value}"`
  throw new ConfigurationError(`${name} has characters that readers of .env files treat differently`, {
    hint: 'Write it to a settings file instead: --file .claude/settings.json.',
  })
}
