import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { CredentialsError } from '../../core/errors.ts'
import { createLineReader } from './line-reader.ts'

/** Options of {@link runCommand}. */
export interface CommandOptions {
  /** The command's whole environment. @default the process's environment */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** @default the process's working directory */
  readonly cwd?: string | undefined
  /** The time limit, in milliseconds. */
  readonly timeout: number
  /** Receives each line of output as it arrives. */
  readonly onLine?: ((line: string, stream: 'stdout' | 'stderr') => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** The result of a command. */
export interface CommandResult {
  /** `null` if a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
}

// A login helper prints a line or a document. Further output is ignored.
const maxOutput = 1_048_576

/**
 * Runs a shell command without input, in its own process group. At the time limit, or when the caller aborts, the whole
 * group is ended.
 */
export function runCommand(command: string, options: CommandOptions): Promise<CommandResult> {
  const { timeout, onLine, signal } = options
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const isWindows = process.platform === 'win32'
    const child = start(command, options, isWindows)
    const streams = ['stdout', 'stderr'] as const
    const output = { stdout: '', stderr: '' }
    let timedOut = false
    let failure: { readonly reason: unknown } | undefined
    let grace: NodeJS.Timeout | undefined

    const end = (): void => {
      try {
        if (isWindows) child.kill()
        else if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // The process is already gone.
      }
      // A grandchild that left the group may keep the pipes open.
      for (const name of streams) child[name].destroy()
    }
    const timer = setTimeout(() => {
      timedOut = true
      end()
    }, timeout)
    const fail = (reason: unknown): void => {
      failure ??= { reason }
      end()
    }
    const onAbort = (): void => fail(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })

    const hear = (line: string, name: 'stdout' | 'stderr'): void => {
      if (failure) return
      try {
        onLine?.(line, name)
      } catch (error) {
        fail(error)
      }
    }
    const lines = streams.map((name) => createLineReader((line) => hear(line, name)))
    streams.forEach((name, i) => {
      child[name].setEncoding('utf8')
      child[name].on('data', (chunk: string) => {
        if (output[name].length < maxOutput) output[name] += chunk
        if (onLine) lines[i]?.push(chunk)
      })
    })

    const settle = (code: number | null): void => {
      clearTimeout(timer)
      clearTimeout(grace)
      signal?.removeEventListener('abort', onAbort)
      for (const reader of lines) reader.end()
      if (failure) reject(failure.reason)
      else resolve({ code, ...output, timedOut })
    }
    child.once('error', (error) => {
      failure ??= { reason: cannotStart(error) }
      settle(null)
    })
    child.once('close', settle)
    child.once('exit', (code) => {
      // A browser that a login helper opened may keep the pipes open for as long as it runs. It is left alone.
      grace = setTimeout(() => {
        child.off('close', settle)
        for (const name of streams) {
          child[name].removeAllListeners('data').resume()
          ;(child[name] as Partial<Socket>).unref?.()
        }
        settle(code)
      }, 500)
    })
  })
}

function start(command: string, { env = process.env, cwd }: CommandOptions, isWindows: boolean) {
  try {
    return spawn(command, {
      shell: true,
      detached: !isWindows,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: env as NodeJS.ProcessEnv,
      windowsHide: true,
      ...(cwd !== undefined && { cwd }),
    })
  } catch (error) {
    throw cannotStart(error as Error)
  }
}

// Only the code, because message and cause contain the whole command.
function cannotStart({ code, name }: NodeJS.ErrnoException): CredentialsError {
  return new CredentialsError(`The command cannot be started: ${code ?? name}`, {
    hint: 'Check that a shell exists, that the folder `cwd` exists, and that no variable contains a NUL character.',
  })
}

/** Returns the last lines of a command's stderr, for an error. */
export function lastLines(text: string, count = 5): string {
  return text.trim().split(/\r?\n/).slice(-count).join('\n')
}
