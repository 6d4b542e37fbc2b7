import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

// How the docs and the comments are written; test/messages.test.ts has the rules for messages.
const root = resolve(import.meta.dirname, '..')

const rules: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['quotation marks and apostrophes are those on the keyboard', /[‘’“”]/],
  ['a sentence begins with its subject, not with "what" or "whoever"', /^(?:What (?!to )|Whoever |Whatever )[^?]*$/],
  ['"whoever" is "anyone who"', /\bwhoever\b/i],
  // Not `region` alone, which is an option or a row of the doctor.
  ['an AWS Region has a capital', /(?<!cross-|--)\bregions?\b(?<!^region)/],
  ['"setup" is one word', /\bset-ups?\b/i],
  [
    'the spelling is American',
    /\b(?:behaviou?r(?<=our)|colour|favour|honour|licence|misspelt|\w+(?:ganis|ognis|ronis|ialis|malis|horis|timis|nimis)[ei])/i,
  ],
  ['something has its own part; it is not "a part of its own"', /\bof (?:its|one's|their|your) own(?=[.,;:)]|$)/],
]

interface Sentence {
  readonly place: string
  readonly text: string
}

/** The sentences of prose, without code, links' targets and quotations. */
function sentencesOf(place: string, prose: string): Sentence[] {
  return prose
    .replace(/`[^`]*`/g, '…')
    .replace(/\]\([^)]*\)/g, ']')
    .replace(/https?:\S+/g, '')
    .replace(/"[^"]*"/g, '…')
    .split(/(?<=[.!?])\s+|\s*\|\s*/)
    .map((text) => ({ place, text: text.replace(/\s+/g, ' ').trim() }))
}

function filesBelow(folder: string, ...extensions: string[]): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.includes('node_modules') && extensions.some((extension) => name.endsWith(extension)))
    .map((name) => join(folder, name))
}

function proseOfPage(path: string): Sentence[] {
  const text = readFileSync(join(root, path), 'utf8')
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/<[^>]*>/g, '')
  // A heading may be a question's words; each paragraph, list item and row is prose by itself.
  const parts = text.split(/\n\n+|\n(?=[-#|]|\d\. )/).filter((part) => !part.trimStart().startsWith('#'))
  return parts.flatMap((part) => sentencesOf(path, part.replace(/^[-\d. ]+/, '')))
}

function proseOfSource(path: string): Sentence[] {
  const comments = readFileSync(join(root, path), 'utf8').matchAll(
    /^[ \t]*\/\*\*?([\s\S]*?)\*\/|((?:^[ \t]*\/\/ .*\n)+)/gm,
  )
  return [...comments].flatMap(([, block, lines]) => {
    const text = (block ?? lines ?? '').replace(/```[\s\S]*?```/g, '').replace(/^[ \t]*(?:\*|\/\/)[ \t]?/gm, '')
    return text
      .split(/\n\n+|\n?(?=@\w)/)
      .flatMap((part) => sentencesOf(path, part.replace(/^@\w+ (?:\w+ - )?/, '').trim()))
  })
}

/** The names of tests and of the rows in their tables. */
function namesOfTests(path: string): Sentence[] {
  const names = readFileSync(join(root, path), 'utf8').matchAll(
    /^ *(?:(?:describe|test|it)(?:\.\w+(?:\([^()]*\))?)*\(|\]\)\(|\[)\s*(?:'((?:[^'\\\n]|\\.)*)'|"([^"\n]*)")/gm,
  )
  return [...names].flatMap(([, single, double]) => sentencesOf(path, single ?? double ?? ''))
}

const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'MAINTAINING.md',
  'SECURITY.md',
  ...filesBelow('docs', '.md'),
  ...filesBelow('examples', '.md'),
]
const sources = ['src', 'examples', 'scripts', 'bench', 'test'].flatMap((folder) => filesBelow(folder, '.ts', '.mjs'))
const tests = filesBelow('test', '.test.ts')

test.each(rules)('in the docs: %s', (_, pattern) => {
  const breaking = pages.flatMap(proseOfPage).filter(({ text }) => pattern.test(text))
  expect(breaking.map(({ place, text }) => `${place}: ${text}`)).toEqual([])
})

test.each(rules)('in comments: %s', (_, pattern) => {
  const breaking = sources.flatMap(proseOfSource).filter(({ text }) => pattern.test(text))
  expect(breaking.map(({ place, text }) => `${place}: ${text}`)).toEqual([])
})

test.each(rules)('in the names of tests: %s', (_, pattern) => {
  const breaking = tests.flatMap(namesOfTests).filter(({ text }) => pattern.test(text))
  expect(breaking.map(({ place, text }) => `${place}: ${text}`)).toEqual([])
})

test('the name of a test states a behavior in plain words', () => {
  const riddle = /^(?:who|what) |\b(?:nobody|somebody|everybody|whatever|that is none)\b/i
  const breaking = tests.flatMap(namesOfTests).filter(({ text }) => riddle.test(text))
  expect(breaking.map(({ place, text }) => `${place}: ${text}`)).toEqual([])
})
