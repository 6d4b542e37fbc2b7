// Over HTTP on this machine: every contestant in a process of its own, in interleaved rounds, with the server in another.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const bare = [
  'fetch, bare',
  'node:http, bare',
  'undici request, bare',
  'undici dispatch, bare',
  'node:http2, one session, bare',
]
const clients = ['outcrop', 'outcrop/core', 'outcrop/core, with fetch', '@aws-sdk/client-bedrock-runtime']
// Of one core's time.
const perSecond = (microseconds) => `${Math.round(1e6 / microseconds)} /s`

export const groups = [
  { name: 'create over HTTP, 64 in flight', task: 'throughput', baseline: 'fetch, bare', format: perSecond },
  {
    name: 'an idle open stream',
    task: 'idle',
    baseline: 'fetch, bare',
    word: 'times as small',
    format: (value) => `${value.toFixed(1)} KB`,
  },
  { name: 'start to first answer', task: 'cold', baseline: 'fetch, bare', format: (value) => `${value.toFixed(0)} ms` },
]

/** Gives what one call or stream took in each round, by contestant. */
export async function measure({ task }, rounds) {
  const server = spawn(process.execPath, [`${here}http-server.mjs`], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [port] = await once(server.stdout, 'data')
    const names = task === 'cold' ? ['node -e 0', ...bare, ...clients] : [...bare, ...clients]
    const results = Object.fromEntries(names.map((name) => [name, []]))
    for (let round = 0; round < rounds; round++)
      for (const name of names) results[name].push(run(task, name, String(port).trim()))
    return results
  } finally {
    server.kill('SIGKILL')
  }
}

function run(task, name, port) {
  const options = { encoding: 'utf8' }
  const before = performance.now()
  if (name === 'node -e 0') execFileSync(process.execPath, ['-e', '0'], options)
  const output =
    name === 'node -e 0'
      ? 0
      : execFileSync(process.execPath, ['--expose-gc', `${here}http-client.mjs`, task, name, port], options)
  return task === 'cold' ? performance.now() - before : Number(output)
}
