import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createServer, type AddressInfo, connect } from 'node:net'
import { expect, vi } from 'vitest'

// CI installs it; elsewhere it may be missing.
export const hasRedis =
  spawnSync('redis-server', ['--version']).status === 0 || process.env.OUTCROP_REQUIRE_REDIS === '1'

export interface RedisServer {
  readonly port: number
  /** Ends it without a word, as when a machine dies. */
  kill(): Promise<void>
  /** Starts it once more, empty, on the same port. */
  restart(): Promise<void>
}

/** A Redis of one's own on a free port. */
export async function startRedis(): Promise<RedisServer> {
  const port = await freePort()
  let server = await start(port)
  return {
    port,
    async kill() {
      if (server.exitCode !== null || server.signalCode !== null) return
      const gone = new Promise((resolve) => server.once('exit', resolve))
      server.kill('SIGKILL')
      await gone
    },
    async restart() {
      server = await start(port)
    },
  }
}

async function start(port: number): Promise<ChildProcess> {
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    { stdio: 'ignore' },
  )
  await vi.waitFor(async () => expect(await canConnect(port)).toBe(true), { timeout: 50_000, interval: 20 })
  return server
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
