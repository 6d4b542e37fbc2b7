import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** A Worker that listens. */
export interface ServedWorker {
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves a bundled Worker with workerd, the runtime of Cloudflare Workers.
 *
 * @param executable - the command of the npm package `workerd`
 */
export async function serveWorker(
  executable: string,
  code: string,
  { compatibilityDate = '2026-01-01', env = {} as Readonly<Record<string, string>> } = {},
): Promise<ServedWorker> {
  const directory = mkdtempSync(join(tmpdir(), 'outcrop-workerd-'))
  writeFileSync(join(directory, 'worker.js'), code)
  writeFileSync(
    join(directory, 'workerd.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "internet", network = (allow = ["public", "private"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "${compatibilityDate}",
  bindings = [${Object.entries(env).map(([name, text]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(text)})`)}],
);`,
  )
  // It tells the port that it was given on the control channel.
  const child = spawn(executable, ['serve', '--control-fd=3', 'workerd.capnp'], {
    cwd: directory,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const close = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
    rmSync(directory, { recursive: true, force: true })
  }
  for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
    const { event, port } = JSON.parse(line) as { event: string; port?: number }
    if (event === 'listen') return { url: `http://127.0.0.1:${port}`, close }
  }
  await close()
  throw new Error('workerd ended before it listened')
}
