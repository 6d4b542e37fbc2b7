// Lets ES modules have the declarations of their CommonJS twins: they are the same, they would be a fifth of the package,
// and a class with private fields would be another type in each. Run after the build.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const files = readdirSync('dist', { recursive: true, encoding: 'utf8' }).map((file) => join('dist', file))
for (const file of files.filter((each) => each.endsWith('.d.ts'))) {
  const twin = file.replace(/\.d\.ts$/, '.d.cts')
  if (!files.includes(twin)) {
    // A chunk, whose name has a hash; nothing asks for it any more.
    rmSync(file)
    continue
  }
  const text = readFileSync(twin, 'utf8')
  // What comes from another package has to be asked for as an ES module does, or its classes differ.
  const isForeign = /^(?:import|export)\b.*\bfrom ['"](?![./])/m.test(text)
  writeFileSync(file, isForeign ? text : `export * from './${basename(twin).replace('.d.cts', '.cjs')}'\n`)
}
