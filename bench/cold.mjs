// The CPU time from the start of a process to its first answer, less that of an empty program: from files as npm installs
// them, and from one bundle.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
const request = `{ model: 'us.anthropic.claude-sonnet-4-6', max_tokens: 1024, messages: [{ role: 'user', content: 'Hi' }] }`
const client = (subpath) => `
  const { createBedrockClient } = await import('${subpath}')
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI-EXAMPLE' }
  await createBedrockClient({ region: 'us-east-1', credentials, endpoint }).messages.create(${request})`
const peer = (name) => `
  const { peers } = await import('./peers.mjs')
  await (await peers['${name}']({ endpoint })).create(${request})`
const programs = {
  outcrop: client('outcrop'),
  'outcrop/core': client('outcrop/core'),
  'fetch, bare': `await (await fetch(endpoint + '/model/x/invoke', { method: 'POST', body: JSON.stringify(${request}) })).json()`,
  '@anthropic-ai/bedrock-sdk': peer('@anthropic-ai/bedrock-sdk'),
  '@aws-sdk/client-bedrock-runtime': peer('@aws-sdk/client-bedrock-runtime'),
}
// Runs at the end of every program.
const used = 'const { user, system } = process.cpuUsage(); console.log(user + system); process.exit(0)'

export const name = 'start to first answer'
export const isPlotted = true
export const contestants = Object.keys(programs).flatMap((name) => [name, `${name}, bundled`])

/** Returns each round's microseconds of CPU time above those of an empty program, by contestant. */
export async function measure(rounds, directory = here) {
  const server = spawn(process.execPath, [`${here}http-server.mjs`], { stdio: ['ignore', 'pipe', 'inherit'] })
  const files = {}
  try {
    for (const [name, program] of Object.entries(programs)) {
      const contents = `const endpoint = 'http://localhost:' + process.argv[2]\n${program}\n${used}`
      for (const isBundled of [false, true]) {
        const outfile = `${directory}node_modules/.cold-${Object.keys(files).length}.mjs`
        files[isBundled ? `${name}, bundled` : name] = outfile
        await build({
          stdin: { contents, resolveDir: directory },
          outfile,
          bundle: true,
          // The file of peers is not a package.
          ...(isBundled ? { minify: true } : { packages: 'external' }),
          platform: 'node',
          // Without this repository's `paths`, which refer to the web platform.
          tsconfigRaw: '{}',
          format: 'esm',
          banner: isBundled
            ? { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" }
            : {},
          logLevel: 'error',
        })
      }
    }
    const [port] = await once(server.stdout, 'data')
    const run = (...args) =>
      Number(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
    const results = Object.fromEntries(Object.keys(files).map((name) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      const empty = run('-e', used)
      for (const [name, file] of Object.entries(files)) results[name].push(run(file, String(port).trim()) - empty)
    }
    return results
  } finally {
    server.kill('SIGKILL')
  }
}
