import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { check } from 'recheck'
import ts from 'typescript'
import { afterAll, describe, expect, test } from 'vitest'

const src = resolve(import.meta.dirname, '../src')

interface Place {
  readonly file: string
  readonly line: number
}

/** Every regular expression that is written in the source, and every file that makes one at run time. */
function collect(): { literals: Map<string, Place[]>; made: string[] } {
  const literals = new Map<string, Place[]>()
  const made: string[] = []
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))) {
    const source = ts.createSourceFile(file, readFileSync(join(src, file), 'utf8'), ts.ScriptTarget.Latest, true)
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1
        literals.set(node.text, [...(literals.get(node.text) ?? []), { file, line }])
      }
      if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === 'RegExp')
        made.push(file)
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  return { literals, made }
}

const { literals, made } = collect()

// Those that modules put together when they load.
const own = globalThis.RegExp
globalThis.RegExp = new Proxy(own, {
  construct(target, [pattern, flags]: [string | RegExp, string?]) {
    const made = new target(pattern, flags)
    literals.set(String(made), [{ file: 'made at run time', line: 0 }])
    return made
  },
})
await import('../src/core/model-id.ts')
await import('../src/testing/route.ts')
globalThis.RegExp = own

/** Whether a pattern repeats nothing without a bound: a longer text then takes longer in proportion at most. */
const isBounded = (pattern: string): boolean => !/[*+]|\{\d+,\}/.test(pattern.replace(/\\.|\[(?:\\.|[^\]\\])*\]/g, 'x'))

// Texts of the length that foreign text is cut to: whatever is linear takes fewer steps, and whatever is quadratic more.
const search = { maxAttackStringSize: 8192, attackLimit: 3_000_000, timeout: 120_000, randomSeed: 1 }

// A safe expression stays safe, and checking one takes seconds.
const cache = resolve(import.meta.dirname, '../node_modules/.cache/outcrop/safe-regular-expressions.json')
const key = (literal: string): string => `${literal} ${JSON.stringify(search)}`
const safe = new Set(readSafe())
function readSafe(): string[] {
  try {
    return JSON.parse(readFileSync(cache, 'utf8')) as string[]
  } catch {
    return []
  }
}
afterAll(() => {
  mkdirSync(dirname(cache), { recursive: true })
  writeFileSync(cache, JSON.stringify([...safe], null, 2))
})

// By static analysis where there is one for a pattern's features, else by a search for the worst text that counts steps.
describe('regular expressions take linear time', () => {
  const unbounded = [...literals].filter(([literal]) => !isBounded(literal))

  test('finds the expressions', () => {
    expect(unbounded.length).toBeGreaterThan(50)
  })

  test.concurrent.each(unbounded)('%s', { timeout: 240_000 }, async (literal, places) => {
    if (safe.has(key(literal))) return
    const [, pattern = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(literal) ?? []
    const found = await check(pattern, flags, search)
    expect({ ...found, places }).toMatchObject({ status: 'safe' })
    safe.add(key(literal))
  })

  test('those made at run time have a reason', () => {
    expect(made.sort()).toEqual([
      // A secret, character by character; nothing in it repeats without a bound.
      'core/internal/redact.ts',
      // An element of STS's XML, by a name that this library gives.
      'credentials/sts.ts',
      // The fake's table of paths; looked at above.
      'testing/route.ts',
    ])
  })
})
