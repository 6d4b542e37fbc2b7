import { ConfigurationError } from 'outcrop'
import { clientFlags, clientUsage, type Command } from './command.ts'
import { setUp } from './set-up.ts'

export const explain: Command = {
  summary: 'tells how a model’s name resolves here',
  usage: ['MODEL             an alias, an ID or an ARN', '--json            as JSON', ...clientUsage],
  options: { ...clientFlags, json: { type: 'boolean' } },
  async run(flags, [name], terminal) {
    if (!name) throw new ConfigurationError('Which model? As in: outcrop explain sonnet')
    const { client } = await setUp(flags)
    const explanation = await client.models.explain(name)
    const { error } = explanation
    // JSON leaves functions out, and would make an empty object of an error.
    if (flags.json)
      terminal.print(JSON.stringify(error ? { ...explanation, error: error.message } : explanation, null, 2))
    else terminal.print(String(explanation))
    return error ? 1 : 0
  },
}
