// Writes the tables of docs/claude-code.md: `npx tsx scripts/settings-docs.ts && npm run format`
import { readFileSync, writeFileSync } from 'node:fs'
import { settingRows } from '../src/settings/table.ts'

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const code = (names: readonly string[]): string[] => names.map((name) => `\`${name}\``)

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => '---'), ...rows].map(row).join('\n')
}

/** The tables, by the name in their markers. */
export const tables: Readonly<Record<string, string>> = {
  settings: table(
    ['setting', 'effect', 'ignored if this is set'],
    settingRows.flatMap(({ names, does, beatenBy = [] }) =>
      does ? code(names).map((name) => [name, does, code(beatenBy).join(', ')]) : [],
    ),
  ),
  ignored: table(
    ['setting', 'ignored, because'],
    settingRows.flatMap(({ names, ignored }) =>
      typeof ignored === 'string' ? code(names).map((name) => [name, ignored]) : [],
    ),
  ),
}

/** Updates the tables of the page. */
export function renew(page: string): string {
  return Object.entries(tables).reduce(
    (text, [name, table]) =>
      text.replace(
        new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(\n<!-- end of ${name} -->)`),
        (_, start, end) => `${start}\n${table}\n${end}`,
      ),
    page,
  )
}

if (process.argv[1] === import.meta.filename) {
  const path = 'docs/claude-code.md'
  writeFileSync(path, renew(readFileSync(path, 'utf8')))
}
