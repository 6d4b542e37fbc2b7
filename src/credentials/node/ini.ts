/**
 * The sections of an AWS config or credentials file, by name, with their keys in lower case. Nested keys are left out.
 */
export type IniSections = Readonly<Record<string, Readonly<Record<string, string>>>>

/**
 * Parses `~/.aws/config` or `~/.aws/credentials`.
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 */
export function parseIni(text: string): IniSections {
  const sections: Record<string, Record<string, string>> = Object.create(null)
  let section: Record<string, string> | undefined
  for (const line of text.split(/\r?\n/)) {
    const start = line.trimStart()
    const end = start.indexOf(']')
    if (start.startsWith('[') && end > 1) {
      section = sections[sectionName(start.slice(1, end).trim())] ??= Object.create(null) as Record<string, string>
      continue
    }
    const equals = line.indexOf('=')
    // An indented line belongs to the key above it.
    if (!section || equals < 1 || /^[\s#;[]/.test(line)) continue
    section[line.slice(0, equals).trim().toLowerCase()] = withoutComment(line.slice(equals + 1)).trim()
  }
  return sections
}

/** Returns `profile my dev` for `[profile "my dev"]`. */
function sectionName(header: string): string {
  const [, kind, name = ''] = /^(\S+)\s(.*)$/s.exec(header) ?? []
  if (kind === undefined) return header
  return `${kind} ${name.trim().replace(/^["']/, '').replace(/["']$/, '')}`
}

// White space precedes a comment, so that a value may contain `#`.
function withoutComment(value: string): string {
  const comment = /\s[#;]/.exec(value)
  return comment ? value.slice(0, comment.index) : value
}
