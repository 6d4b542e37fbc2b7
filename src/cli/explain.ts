import { clientFlags, clientUsage, type Command } from './command.ts'
import { loadSetup } from './setup.ts'

export const explain: Command = {
  summary: 'explains how a model name resolves',
  argument: 'MODEL',
  usage: ['MODEL             an alias such as sonnet, an ID or an ARN', '--json            print JSON', ...clientUsage],
  options: { ...clientFlags, json: { type: 'boolean' } },
  async run(flags, terminal, name) {
    const { client } = await loadSetup(flags)
    const explanation = await client.models.explain(name)
    const { error } = explanation
    // JSON.stringify drops functions and turns an error into an empty object.
    const shown = error ? { ...explanation, error: error.message, hint: error.hint } : explanation
    terminal.print(flags.json ? JSON.stringify(shown, null, 2) : String(explanation))
    return error ? 1 : 0
  },
}
