import process from 'node:process'
import { text as readAll } from 'node:stream/consumers'
import { isBedrockError, type MessageParam } from 'outcrop'
import { clientFlags, clientUsage, type Command, text, UsageError } from './command.ts'
import { createPrompt } from './prompt.ts'
import { loadSetup } from './setup.ts'
import type { Terminal } from './terminal.ts'

export const chat: Command = {
  summary: 'a small chat in the terminal, to try a setup; sends piped input as one prompt',
  usage: [
    '--model M         default: default',
    '--system S        a system prompt',
    ...clientUsage,
    '',
    'Ctrl-C stops an answer; /exit, Ctrl-D or Ctrl-C twice ends the chat.',
  ],
  options: { ...clientFlags, model: { type: 'string' }, system: { type: 'string' } },
  async run(flags, terminal) {
    const { client } = await loadSetup(flags)
    // Reports an invalid name before the user types anything.
    const model = await client.models.resolve(text(flags, 'model') ?? 'default')
    const system = text(flags, 'system')
    const messages: MessageParam[] = []
    let stopAnswer: (() => void) | undefined

    const answer = async (prompt: string): Promise<boolean> => {
      const stream = client.messages.stream({
        model,
        max_tokens: 4096,
        messages: [...messages, { role: 'user', content: prompt }],
        ...(system && { system }),
      })
      stopAnswer = () => stream.abort()
      try {
        for await (const piece of stream.textStream) terminal.write(piece)
        const { content, stop_reason } = await stream.finalMessage()
        terminal.print()
        if (stop_reason === 'max_tokens') terminal.note('(The answer was cut at 4096 tokens.)')
        // An unanswered prompt would make the next request invalid.
        messages.push({ role: 'user', content: prompt }, { role: 'assistant', content })
        return true
      } catch (error) {
        tellFailure(error, terminal)
        return false
      } finally {
        stopAnswer = undefined
      }
    }

    if (!process.stdin.isTTY) {
      const prompt = (await readAll(process.stdin)).trim()
      if (!prompt) throw new UsageError('There is no prompt: stdin is empty.')
      return (await answer(prompt)) ? 0 : 1
    }

    let interrupts = 0
    const prompt = createPrompt(() => {
      if (stopAnswer) return stopAnswer()
      if (prompt.clearLine()) return
      interrupts++
      if (interrupts === 2) return prompt.close()
      prompt.remark('(Press Ctrl-C again, Ctrl-D, or type /exit to end the chat.)')
    })
    for (;;) {
      const line = await prompt.ask(terminal.format(terminal.paint('bold', '> ')))
      if (line === undefined || line.trim() === '/exit') break
      interrupts = 0
      if (line.trim()) await answer(line)
    }
    prompt.close()
    return 0
  },
}

function tellFailure(error: unknown, terminal: Terminal): void {
  const { name, message } = error as Error
  terminal.print()
  if (name === 'AbortError') return
  terminal.note(message)
  if (isBedrockError(error) && error.hint) terminal.note(error.hint)
}
