// Makes the CommonJS copy of what was built, file by file, so that both have the same chunks: `instanceof` holds between
// subpaths, and `import()` of other packages stays what it is. The declarations move to the CommonJS side and are handed on from there: they
// are the same, and a class with private fields would be another type in each. Indentation goes, a fifth of the package;
// names and short lines stay, for stack traces.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { transformSync } from 'esbuild'

const files = readdirSync('dist', { recursive: true, encoding: 'utf8' }).map((file) => join('dist', file))
const isCommand = (file) => file.startsWith(join('dist', 'cli'))

for (const file of files.filter((each) => each.endsWith('.js'))) {
  const code = readFileSync(file, 'utf8')
  writeFileSync(file, compact(code, 'esm'))
  if (!isCommand(file)) writeFileSync(file.replace(/\.js$/, '.cjs'), compact(toCommonJs(code), 'cjs'))
}

for (const file of files.filter((each) => each.endsWith('.d.ts'))) {
  const text = readFileSync(file, 'utf8').replace(/(from '\.[^']*|import '\.[^']*)\.js'/g, "$1.cjs'")
  const twin = file.replace(/\.d\.ts$/, '.d.cts')
  writeFileSync(twin, text)
  // Other packages must be imported as ES modules import them, or their classes differ.
  const isForeign = /^(?:import|export)\b.*\bfrom ['"](?![./])/m.test(text)
  if (isChunk(file)) rmSync(file)
  else writeFileSync(file, isForeign ? text : `export * from './${basename(twin).replace('.d.cts', '.cjs')}'\n`)
}

/** Declarations that have no code beside them are shared parts, which nothing but declarations asks for. */
function isChunk(file) {
  return !files.includes(file.replace(/\.d\.ts$/, '.js'))
}

function toCommonJs(code) {
  return (
    code
      .replace(/\b((?:from|import)\s*(['"])\.[^'"]*)\.js\2/g, '$1.cjs$2')
      // Parts of this package that are loaded late are CommonJS too: Jest, for one, has no `import()`.
      .replace(/\bimport\(\s*(['"])(\.[^'"]*)\.js\1\s*\)/g, 'Promise.resolve().then(() => require("$2.cjs"))')
  )
}

function compact(code, format) {
  // Comments go with the whitespace, but bundlers are told in comments which imports are not theirs to follow, and which
  // calls they may leave out. (Of CommonJS they leave nothing out.)
  const kept = code
    .replace(/\bimport\(\s*(?:\/\*[^*]*\*\/\s*)+/g, 'ignoredImport(')
    .replace(/\/\* @__PURE__ \*\/\s*(new )?(?=[\w$])/g, format === 'esm' ? '$1pure$' : '$1')
  const options = { format, target: 'es2022', platform: 'node', minifyWhitespace: true, lineLimit: 120 }
  return transformSync(kept, options)
    .code.replaceAll(
      'ignoredImport(',
      'import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ ',
    )
    .replace(/(\bnew )?\bpure\$(?=[\w$])/g, '/* @__PURE__ */ $1')
}
