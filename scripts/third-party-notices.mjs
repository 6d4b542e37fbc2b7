// Writes THIRD-PARTY-NOTICES.md: the licenses of bundled packages, read from the packages themselves.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bundled = new Map([['@anthropic-ai/sdk', 'its type declarations are inlined']])
for (const [, name] of read('dist', /\.(js|cjs)$/).matchAll(/^\/\/ node_modules\/((?:@[^/]+\/)?[^/\n]+)/gm)) {
  bundled.set(name, 'parts of its code are bundled')
}

// The terms of the Apache license are the same in every copy, so they are written once. Text after them is each package's own.
const endOfTerms = 'END OF TERMS AND CONDITIONS'
let terms
const block = (text) => `\`\`\`text\n${text.trim()}\n\`\`\`\n`

const sections = [...bundled].sort().map(([name, what]) => {
  const folder = `${root}node_modules/${name}/`
  const { version, license } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'))
  const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt'].find((each) => existsSync(folder + each))
  // AWS's packages include the plain Apache text, or only name the license.
  const text = file ? readFileSync(folder + file, 'utf8').trim() : `Licensed under ${license}.`
  const heading = `## ${name} ${version}\n\n${license}; ${what}.`
  if (!text.includes(endOfTerms)) return `${heading}\n\n${block(text)}`
  const [common, own] = text.split(endOfTerms)
  terms ??= common
  return `${heading} The terms are at the end of this page.\n\n${block(own)}`
})
if (terms) sections.push(`## Terms of the Apache License, Version 2.0\n\n${block(terms + endOfTerms)}`)
writeFileSync(
  `${root}THIRD-PARTY-NOTICES.md`,
  `# Third-party notices\n\nOutcrop has no dependencies; these packages are part of it.\n\n${sections.join('\n')}`,
)

function read(folder, pattern) {
  return readdirSync(root + folder, { recursive: true })
    .filter((file) => pattern.test(String(file)))
    .map((file) => readFileSync(`${root}${folder}/${file}`, 'utf8'))
    .join('\n')
}
