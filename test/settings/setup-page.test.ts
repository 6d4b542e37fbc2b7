import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const page = readFileSync(new URL('../../docs/setup-page.md', import.meta.url), 'utf8')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\| (-|the page)/.test(line))
  .map((line) => line.slice(1, -1).split(/(?<!\\)\|/))
const named = rows.flatMap((cells) => [...(cells[2] ?? '').matchAll(/`([\w/.-]+\.test\.ts): ([^`]+)`/g)])

test('each row of docs/setup-page.md names a counterpart and a test', () => {
  expect(rows.length).toBeGreaterThan(60)
  for (const cells of rows) {
    expect(cells, cells.join('|')).toHaveLength(3)
    expect(cells[1]?.trim(), cells[0]).toBeTruthy()
    expect(cells[2], cells[0]).toMatch(/`[\w/.-]+\.test\.ts: [^`]+`/)
  }
})

test.each(named.map(([, file = '', name = '']) => [file, name]))('%s has: %s', (file, name) => {
  const path = new URL(`../${file}`, import.meta.url)
  expect(existsSync(path)).toBe(true)
  // The name of a test, of a group of tests, or of a row of one, or its beginning.
  const code = readFileSync(path, 'utf8')
  expect(["'", '"', '`'].some((quote) => code.includes(quote + name))).toBe(true)
})
