import process from 'node:process'
import { createInterface } from 'node:readline'

/** Asks for lines, on a terminal or from a pipe. */
export interface Prompt {
  /** Returns the next line; `undefined` at the end: the end of a pipe, Ctrl-D, or `close`. */
  ask(question: string): Promise<string | undefined>
  /** Clears the line being typed; returns whether there was any text. */
  clearLine(): boolean
  /** Shows a remark, then the question again. */
  remark(text: string): void
  close(): void
}

/** Starts reading stdin. Calls `onInterrupt` for Ctrl-C on a terminal; a pipe has none. */
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
    // Moves the shell's next prompt to a new line.
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
