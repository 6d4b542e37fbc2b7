import { isBedrockError } from 'outcrop'
import { catalog } from 'outcrop/models'
import { families } from '../models/families.ts'
import { clientFlags, clientUsage, type Command } from './command.ts'
import { loadSetup } from './setup.ts'
import { formatTable } from './terminal.ts'

const aliases = ['default', 'small', ...families]

export const models: Command = {
  summary: 'lists the inference profiles that the account can call',
  usage: [
    "--all             include other providers' profiles and retired models",
    '--json            print JSON',
    ...clientUsage,
  ],
  options: { ...clientFlags, all: { type: 'boolean' }, json: { type: 'boolean' } },
  async run(flags, terminal) {
    const { client, region } = await loadSetup(flags)
    const { list } = client.withOptions({ models: { discovery: true } }).models
    const chosenBy = new Map<string, string[]>()
    for (const alias of aliases) {
      try {
        const { id } = await client.models.resolve(alias)
        chosenBy.set(id, [...(chosenBy.get(id) ?? []), alias])
      } catch (error) {
        // Not every Region has a model of every family.
        if (!isBedrockError(error, 'model_resolution')) throw error
      }
    }
    const rows = (await list())
      .map(({ id, base, geo, type }) => ({
        id,
        base,
        geo: geo ?? (type === 'APPLICATION' ? 'application' : ''),
        lifecycle: catalog.find((row) => row.base === base)?.lifecycle.state ?? 'unknown',
        aliases: chosenBy.get(id) ?? [],
      }))
      .filter(({ base, lifecycle }) => flags.all || (base?.startsWith('anthropic.') && lifecycle !== 'retired'))
      .sort((a, b) => (a.base ?? '').localeCompare(b.base ?? '') || a.id.localeCompare(b.id))
    if (flags.json) {
      terminal.print(JSON.stringify({ region, models: rows }, null, 2))
      return 0
    }
    const lines = rows.map(({ id, lifecycle, aliases }) => [id, lifecycle, aliases.join(', ')])
    for (const line of formatTable([['ID', 'LIFECYCLE', 'ALIASES'], ...lines])) terminal.print(line.trimEnd())
    return 0
  },
}
