// Builds dist. `--fast` skips the declarations, which take most of the time.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'

const run = (...command) => execFileSync(process.execPath, command, { stdio: 'inherit' })
const fast = process.argv.includes('--fast')

rmSync('dist', { recursive: true, force: true })
run('scripts/anthropic-types.mjs')
run('node_modules/tsup/dist/cli-default.js', ...(fast ? ['--no-dts'] : []))
if (!fast) run('scripts/third-party-notices.mjs')
run('scripts/merge-chunks.mjs')
run('scripts/commonjs.mjs')
