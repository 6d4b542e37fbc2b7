import process from 'node:process'
import { createInterface } from 'node:readline'
import { isBedrockError, type MessageParam } from 'outcrop'
import { clientFlags, clientUsage, type Command, text } from './command.ts'
import { setUp } from './set-up.ts'

export const chat: Command = {
  summary: 'a small chat in the terminal, to try a set-up',
  usage: ['--model M         default: default', '--system S        a system prompt', ...clientUsage],
  options: { ...clientFlags, model: { type: 'string' }, system: { type: 'string' } },
  async run(flags, _positionals, terminal) {
    const { client } = await setUp(flags)
    const system = text(flags, 'system')
    const model = text(flags, 'model') ?? 'default'
    const messages: MessageParam[] = []
    const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: process.stdin.isTTY })
    const prompt = (): void => {
      if (!process.stdin.isTTY) return
      lines.setPrompt(terminal.paint('bold', '> '))
      lines.prompt()
    }
    let answering: { abort(): void } | undefined
    // The first Ctrl-C ends an answer, one without an answer ends the chat.
    lines.on('SIGINT', () => (answering ? answering.abort() : lines.close()))
    let code = 0
    prompt()
    for await (const line of lines) {
      if (line.trim() === '/exit') break
      if (line.trim()) {
        messages.push({ role: 'user', content: line })
        const stream = client.messages.stream({ model, max_tokens: 4096, messages, ...(system && { system }) })
        answering = stream
        try {
          for await (const piece of stream.textStream) process.stdout.write(piece)
          const { content } = await stream.finalMessage()
          messages.push({ role: 'assistant', content })
          process.stdout.write('\n')
        } catch (error) {
          // The question that was not answered would make the next one invalid.
          messages.pop()
          if ((error as Error).name === 'AbortError') {
            process.stdout.write('\n')
          } else {
            code = 1
            terminal.note(`\n${(error as Error).message}`)
            if (isBedrockError(error) && error.hint) terminal.note(error.hint)
          }
        }
        answering = undefined
      }
      prompt()
    }
    return code
  },
}
