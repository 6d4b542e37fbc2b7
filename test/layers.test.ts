import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

// Who may import whom: a file may import what stands in its own row or in a row above it. A row that is `closed` keeps
// its members apart: one folder of it may not import another.
const layers: readonly { readonly members: readonly RegExp[]; readonly closed?: boolean }[] = [
  { members: [/^core\/(types|errors|known-models|messages\/types|internal\/redact)\.ts$/] },
  {
    members: [
      /^core\/(internal|platform)\//,
      /^node\//,
      /^core\/model-id\.ts$/,
      /^models\/(burndown|catalog|claude-models|regions|names)\.ts$/,
    ],
  },
  { members: [/^core\/(sigv4)\//, /^core\/(event-stream)\//], closed: true },
  { members: [/^core\/(transport)\//, /^core\/(messages)\//], closed: true },
  { members: [/^core\/[\w-]+\.ts$/] },
  { members: [/^(credentials|models|caching|guardrails|compatibility|hints|limits|usage)\//], closed: true },
  { members: [/^failover\//] },
  { members: [/^(client|index)\.ts$/, /^settings\//] },
  { members: [/^(diagnostics|testing|anthropic|tools|telemetry)\//], closed: true },
  { members: [/^gateway\//] },
  { members: [/^cli\//] },
]
// Modules are beside the core and not on top of it: of the core they may import these alone.
const modules = /^(credentials|models|caching|guardrails|compatibility|hints|limits|usage)\//
const openToModules = /^core\/(types|errors|model-id)\.ts$|^core\/(internal|platform|sigv4)\//

const nodeOnly = /(^|\/)node\/|^core\/platform\/node\.ts$|^cli\//

const src = resolve(import.meta.dirname, '../src')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

interface Edge {
  readonly from: string
  readonly to: string
}
const code = new Map(
  files.map((file) => [file, readFileSync(join(src, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')]),
)
const edges: Edge[] = files.flatMap((from) =>
  [...(code.get(from) as string).matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((match) => ({
    from,
    to: relative(src, resolve(src, dirname(from), match[1] as string)),
  })),
)

function layerOf(file: string): { row: number; member: string } {
  for (const [row, { members }] of layers.entries()) {
    for (const pattern of members) {
      const found = pattern.exec(file)
      if (found) return { row, member: found[1] ?? '' }
    }
  }
  throw new Error(`${file} is in no layer: add it to the table`)
}

describe('layers', () => {
  test('finds the sources', () => {
    expect(files.length).toBeGreaterThan(50)
    expect(edges.length).toBeGreaterThan(100)
  })

  test('imports only go down', () => {
    const wrong = edges.filter(({ from, to }) => {
      const [upper, lower] = [layerOf(from), layerOf(to)]
      if (lower.row > upper.row) return true
      if (upper.row === lower.row && layers[upper.row]?.closed) return upper.member !== lower.member
      return modules.test(from) && to.startsWith('core/') && !openToModules.test(to)
    })
    expect(wrong).toEqual([])
  })

  test('imports have no cycles', () => {
    const next = new Map<string, string[]>()
    for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to])
    const done = new Set<string>()
    const visit = (file: string, path: readonly string[]): string[] | undefined => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
      if (done.has(file)) return undefined
      done.add(file)
      for (const to of next.get(file) ?? []) {
        const circle = visit(to, [...path, file])
        if (circle) return circle
      }
      return undefined
    }
    expect(files.flatMap((file) => visit(file, []) ?? [])).toEqual([])
  })

  test("Node's modules are only imported in their folders", () => {
    const touching = files.filter(
      (file) => !nodeOnly.test(file) && /['"]node:|\bprocess\s*[.?[]|\bBuffer\b/.test(code.get(file) as string),
    )
    expect(touching).toEqual(['core/internal/env.ts'])
  })

  // Importing it opens standard input, output and error, which takes longer than all of the client's own code.
  test('only the command imports the module of `process`', () => {
    const importing = files.filter((file) => /from 'node:process'/.test(code.get(file) as string))
    expect(importing.filter((file) => !file.startsWith('cli/'))).toEqual([])
  })

  test('no index has a star export', () => {
    expect(files.filter((file) => /export \*/.test(code.get(file) as string))).toEqual([])
  })
})

describe('the public surface', () => {
  const { exports } = JSON.parse(readFileSync(resolve(src, '../package.json'), 'utf8')) as {
    exports: Record<string, { import: { default: string } }>
  }
  const entries = Object.entries(exports).filter(([, target]) => typeof target === 'object')

  test.each(entries)('%s is built from its own folder', (subpath, target) => {
    const source = target.import.default.replace('./dist/', '').replace(/\.js$/, '.ts')
    expect(files).toContain(source)
    const name = subpath.slice(2)
    expect(source).toMatch(name === '' ? /^index\.ts$/ : new RegExp(`(^|/)${name}/index\\.ts$`))
  })

  test.each(entries)('%s: every public name has a docstring', (_, target) => {
    const entry = target.import.default.replace('./dist/', '').replace(/\.js$/, '.ts')
    const undocumented = [
      ...readFileSync(join(src, entry), 'utf8').matchAll(/export (?:type )?\{([^}]*)\}(?: from '([^']+)')?/g),
    ].flatMap(([, names, from]) => {
      const file = from ? relative(src, resolve(src, dirname(entry), from)) : entry
      // The Anthropic types come with their own.
      if (file === 'core/messages/types.ts') return []
      const text = readFileSync(join(src, file), 'utf8')
      return (names as string)
        .split(',')
        .map(
          (name) =>
            name
              .replace(/\btype\b/, '')
              .split(' as ')[0]
              ?.trim() as string,
        )
        .filter((name) => name && !documents(text, name))
        .map((name) => `${file}: ${name}`)
    })
    expect(undocumented).toEqual([])
  })
})

function documents(text: string, name: string): boolean {
  const at = text.search(
    new RegExp(`^(export )?(declare )?(abstract )?(async )?(const|function\\*?|class|interface|type) ${name}\\b`, 'm'),
  )
  // A name that is exported again is documented where it is defined.
  return at < 0 ? new RegExp(`\\b${name}\\b`).test(text) : text.slice(0, at).trimEnd().endsWith('*/')
}
