// Takes the indentation out of what was built, a fifth of the package. Names and short lines stay, for stack traces.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'esbuild'

for (const file of readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
  if (!/\.c?js$/.test(file)) continue
  const path = join('dist', file)
  const { code } = transformSync(readFileSync(path, 'utf8'), {
    minifyWhitespace: true,
    lineLimit: 120,
    target: 'es2022',
  })
  writeFileSync(path, code)
}
