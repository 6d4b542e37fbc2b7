import { spawn } from 'node:child_process'
import process from 'node:process'

/** How a command is run. */
export interface CommandOptions {
  /** The whole environment of the command. @default the process's own */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** @default the process's own */
  readonly cwd?: string | undefined
  /** How long it may take, in milliseconds. */
  readonly timeout: number
  /** Hears each line of its output as it comes. */
  readonly onLine?: ((line: string, stream: 'stdout' | 'stderr') => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** What became of a command. */
export interface CommandResult {
  /** `null` where a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
}

// A login helper prints a line or a document. Whatever prints more is not listened to any further.
const maxOutput = 1_048_576

/**
 * Runs a shell command without input, in a process group of its own: whatever it started ends with it, at its limit or
 * when the caller leaves.
 */
export function runCommand(command: string, options: CommandOptions): Promise<CommandResult> {
  const { env = process.env, cwd, timeout, onLine, signal } = options
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const isWindows = process.platform === 'win32'
    const child = spawn(command, {
      shell: true,
      detached: !isWindows,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: env as NodeJS.ProcessEnv,
      windowsHide: true,
      ...(cwd !== undefined && { cwd }),
    })
    const output = { stdout: '', stderr: '' }
    let timedOut = false

    const end = (): void => {
      try {
        if (isWindows) child.kill()
        else if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It is gone already.
      }
      // A grandchild that left the group may hold the pipes open.
      child.stdout.destroy()
      child.stderr.destroy()
    }
    const timer = setTimeout(() => {
      timedOut = true
      end()
    }, timeout)
    const onAbort = (): void => end()
    signal?.addEventListener('abort', onAbort, { once: true })
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }

    for (const name of ['stdout', 'stderr'] as const) {
      let line = ''
      child[name].setEncoding('utf8')
      child[name].on('data', (chunk: string) => {
        if (output[name].length < maxOutput) output[name] += chunk
        if (!onLine) return
        const lines = (line + chunk).split(/\r?\n/)
        line = lines.pop() ?? ''
        for (const each of lines) onLine(each, name)
      })
      child[name].on('end', () => {
        if (line) onLine?.(line, name)
      })
    }
    child.once('error', (error) => {
      settle()
      reject(error)
    })
    child.once('close', (code) => {
      settle()
      if (signal?.aborted) reject(signal.reason)
      else resolve({ code, ...output, timedOut })
    })
  })
}

/** The last lines of a command's stderr, for an error. */
export function lastLines(text: string, count = 5): string {
  return text.trim().split(/\r?\n/).slice(-count).join('\n')
}
