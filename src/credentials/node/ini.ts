/** The sections of an AWS config or credentials file, by name, and their keys in lower case. Nested keys are left out. */
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
    const [, header] = /^\s*\[([^\]]+)\]/.exec(line) ?? []
    if (header !== undefined) {
      // `[profile "my dev"]`
      const name = header.trim().replace(/^(\S+)\s+["']?(.*?)["']?$/, '$1 $2')
      section = sections[name] ??= Object.create(null) as Record<string, string>
      continue
    }
    const [, key, value = ''] = /^([^\s=#;[][^=]*?)\s*=\s*(.*)$/.exec(line) ?? []
    // A comment begins after white space, so that a value may have a `#` in it.
    if (section && key) section[key.toLowerCase()] = value.replace(/\s+[#;].*$/, '').trim()
  }
  return sections
}
