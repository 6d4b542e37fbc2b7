// Runs every example on the embedded fake Bedrock; each must exit with 0.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const examples = readdirSync(`${root}examples`).filter((file) => file.endsWith('.ts'))
// With the paths of tsconfig.json, which are for the compiler, tsx would load the web platform's code.
const failed = examples.filter((example) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['node_modules/tsx/dist/cli.mjs', '--tsconfig', 'tsconfig.base.json', `examples/${example}`],
    { cwd: root, encoding: 'utf8', timeout: 60_000, env: { PATH: process.env.PATH, HOME: process.env.HOME } },
  )
  console.log(`${example.padEnd(36)} ${status === 0 ? 'ok' : `FAILED with ${status}\n${stdout}${stderr}`}`)
  if (status === 0) for (const line of stdout.split('\n')) if (line.includes('SKIPPED')) console.log(`  ${line}`)
  return status !== 0
})
process.exitCode = failed.length > 0 ? 1 : 0
