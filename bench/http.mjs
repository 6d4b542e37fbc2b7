// Over HTTP on this machine. Each contestant and the server run in their own processes, in interleaved rounds.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { formatTime } from './table.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const bare = ['fetch, bare', 'node:http, bare', 'undici request, bare', 'undici dispatch, bare']
const own = ['outcrop', 'outcrop/core', 'outcrop/core, with fetch']
const others = [
  'aws4fetch + smithy codec',
  '@anthropic-ai/bedrock-sdk',
  '@aws-sdk/client-bedrock-runtime',
  '@ai-sdk/amazon-bedrock',
]
const http2 = 'node:http2, one session, bare'
// Calls per second of one core.
const perSecond = (microseconds) => `${formatTime(microseconds)}, ${Math.round(1e6 / microseconds)} /s`

export const groups = [
  {
    name: 'create over HTTP, 64 in flight',
    task: 'throughput',
    contestants: [...own, ...bare, http2, ...others],
    format: perSecond,
    plot: true,
  },
  {
    name: 'create over TLS, 64 in flight',
    task: 'throughput',
    scheme: 'https',
    contestants: [...own, 'fetch, bare', 'node:http, bare', '@aws-sdk/client-bedrock-runtime'],
    format: perSecond,
  },
  {
    name: 'an idle open stream',
    task: 'idle',
    contestants: [...own, ...bare, http2, ...others],
    word: 'as small',
    unit: 'resident memory',
    format: (kilobytes) => `${kilobytes.toFixed(1)} KB`,
    plot: true,
  },
]

/**
 * Measures one call or stream in each round, by contestant.
 *
 * @param directories - the folder of each contestant's code, by the prefix of its name; for a comparison
 */
export async function measure({ task, scheme = 'http', contestants }, rounds, directories = { '': here }) {
  const directory = mkdtempSync(join(tmpdir(), 'outcrop-bench-'))
  const files = { certificate: join(directory, 'certificate.pem'), key: join(directory, 'key.pem') }
  const { createCertificate } = await certificates()
  const { cert, key } = createCertificate()
  writeFileSync(files.certificate, cert)
  writeFileSync(files.key, key)
  const server = spawn(process.execPath, [`${here}http-server.mjs`, files.certificate, files.key], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [output] = await once(server.stdout, 'data')
    const [plain, secure] = String(output).trim().split(' ')
    const port = scheme === 'https' ? secure : plain
    const run = (folder, name) =>
      Number(
        execFileSync(process.execPath, ['--expose-gc', `${folder}http-client.mjs`, task, name, port, scheme], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
          env: { ...process.env, NODE_EXTRA_CA_CERTS: files.certificate },
        }),
      )
    const results = {}
    for (let round = 0; round < rounds; round++)
      for (const name of contestants)
        for (const [word, folder] of Object.entries(directories)) {
          results[word + name] ??= []
          results[word + name].push(run(folder, name))
        }
    return results
  } finally {
    server.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Creates the same certificate as the tests. */
async function certificates() {
  const outfile = `${here}node_modules/.certificate.mjs`
  await build({
    entryPoints: [`${here}../test/node/certificate.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
  return import(pathToFileURL(outfile).href)
}
