// Signing in workerd, the runtime of Cloudflare Workers. Each contestant runs in its own process, in interleaved rounds.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (modules = [(name = "worker", esModule = embed "worker.js")], compatibilityDate = "2026-01-01"))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);`

export const name = 'sign 1 KB, in workerd'
const contestants = ['outcrop', 'smithy + sha256-js', 'smithy + WebCrypto']
const operations = 30_000

/** Returns the times of each round, in microseconds per operation, by contestant. */
export async function measure(rounds) {
  const directory = mkdtempSync(join(tmpdir(), 'outcrop-bench-'))
  await build({
    entryPoints: [`${here}workerd-worker.mjs`],
    outfile: join(directory, 'worker.js'),
    bundle: true,
    minify: true,
    format: 'esm',
    // The `browser` fields exclude smithy's Node code.
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    logLevel: 'error',
  })
  writeFileSync(join(directory, 'workerd.capnp'), config)
  const workers = contestants.map((contestant) => ({ contestant, times: [], ...serve(directory) }))
  try {
    // The first round warms up the compiler.
    for (let round = -1; round < rounds; round++) {
      for (const { contestant, times, child, port } of workers) {
        const body = JSON.stringify({ contestant, operations })
        const url = `http://127.0.0.1:${await port}`
        const before = cpuTimeOf(child)
        const response = await fetch(url, { method: 'POST', body })
        if (!response.ok) throw new Error(await response.text())
        if (round >= 0) times.push((cpuTimeOf(child) - before) / operations)
      }
    }
    return Object.fromEntries(workers.map(({ contestant, times }) => [contestant, times]))
  } finally {
    for (const { child } of workers) child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

function serve(directory) {
  const child = spawn(`${here}node_modules/.bin/workerd`, ['serve', '--control-fd=3', 'workerd.capnp'], {
    cwd: directory,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  return { child, port: portOf(child) }
}

async function portOf(child) {
  for await (const line of createInterface({ input: child.stdio[3] })) {
    const { event, port } = JSON.parse(line)
    if (event === 'listen') return port
  }
  throw new Error('workerd did not start')
}

// Microseconds of CPU time if the system reports it (Linux, in ticks of 10 ms), else of wall-clock time.
function cpuTimeOf({ pid }) {
  try {
    const [, user, system] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    return (Number(user) + Number(system)) * 10_000
  } catch {
    return performance.now() * 1000
  }
}
