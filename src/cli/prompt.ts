import process from 'node:process'
import { createInterface } from 'node:readline'

/** Asks for lines: on a terminal, or from a pipe. */
export interface Prompt {
  /** The next line; `undefined` once there are none: the end of a pipe, Ctrl-D, `close`. */
  ask(question: string): Promise<string | undefined>
  /** Takes back what is typed on the line so far; tells whether there was anything. */
  clearLine(): boolean
  /** Shows a remark, and the question again. */
  remark(text: string): void
  close(): void
}

/** Starts to read stdin. `onInterrupt` hears Ctrl-C on a terminal; in a pipe there is none. */
export function createPrompt(onInterrupt: () => void): Prompt {
  const { stdin, stdout } = process
  const lines = createInterface({ input: stdin, terminal: stdin.isTTY, ...(stdin.isTTY && { output: stdout }) })
  const typed: string[] = []
  let isClosed = false
  let waiting: ((line: string | undefined) => void) | undefined
  const give = (line: string | undefined): void => {
    const resolve = waiting
    waiting = undefined
    if (resolve) resolve(line)
    else if (line !== undefined) typed.push(line)
  }
  lines.on('line', give)
  lines.on('SIGINT', onInterrupt)
  lines.once('close', () => {
    isClosed = true
    // The next line of the shell shall not begin beside the question.
    if (waiting && stdin.isTTY) stdout.write('\n')
    give(undefined)
  })
  return {
    async ask(question) {
      const next = typed.shift()
      if (next !== undefined || isClosed) return next
      lines.setPrompt(question)
      if (stdin.isTTY) lines.prompt()
      return new Promise<string | undefined>((resolve) => {
        waiting = resolve
      })
    },
    clearLine() {
      const had = lines.line !== ''
      lines.write(null, { ctrl: true, name: 'e' })
      lines.write(null, { ctrl: true, name: 'u' })
      return had
    },
    remark(text) {
      stdout.write(`\n${text}\n`)
      lines.prompt()
    },
    close: () => lines.close(),
  }
}
