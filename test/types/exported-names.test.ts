import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

// Features that Bedrock's Invoke API has not: the server's own tools, files, threads, Anthropic's errors.
const notOfBedrock =
  /^(Browser|Computer|(Bash|TextEditor|Encrypted)?CodeExecution|WebSearch|WebFetch|CitationWebSearch|CitationsWebSearch|Container|Skill|Thread|Compaction|Toolset|ToolSearchToolResultError|ToolSearchToolSearch|File|URL|Diagnostics|CacheMiss|Response|Server|AvailableTools)|(ErrorDetails|ToolCaller|ToolUseCaller|DirectCaller|Container|UserLocation)$/

test.each(['src/index.ts', 'src/core/index.ts'])('%s exports the types of the Messages API by their names', (index) => {
  const sdk = read('node_modules/@anthropic-ai/sdk/resources/messages/index.d.ts')
  const theirs = [...sdk.matchAll(/\btype (\w+)(?= *[,}])/g)].map((match) => match[1] as string)
  expect(theirs.length).toBeGreaterThan(300)
  const ours = new Set([...read(index).matchAll(/\b[A-Z]\w+\b/g)].map(([name]) => name))
  const missing = theirs.filter((name) => !ours.has(name) && !notOfBedrock.test(name) && !/Batch/.test(name))
  expect(missing).toEqual([])
})

test('the suggested model names are those of the catalog', () => {
  const made = execFileSync(process.execPath, ['node_modules/tsx/dist/cli.mjs', 'scripts/known-models.ts'], {
    encoding: 'utf8',
  })
  expect(read('src/core/known-models.ts')).toBe(made)
})

test('typesVersions has the same declarations as exports', () => {
  const { exports, typesVersions } = JSON.parse(read('package.json')) as {
    exports: Record<string, { require: { types: string } } | string>
    typesVersions: { '*': Record<string, string[]> }
  }
  const expected = Object.entries(exports).flatMap(([path, target]) =>
    path === '.' || typeof target === 'string' ? [] : [[path.slice(2), [target.require.types]]],
  )
  expect(typesVersions['*']).toEqual(Object.fromEntries(expected))
})
