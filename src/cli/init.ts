import { readFile, writeFile } from 'node:fs/promises'
import process from 'node:process'
import { createInterface } from 'node:readline/promises'
import { ConfigurationError } from 'outcrop'
import { type CheckResult, isHealthy, runDoctor } from 'outcrop/diagnostics'
import { clientFlags, type Command, type Flags, text } from './command.ts'
import { printResult } from './doctor.ts'
import { setUp } from './set-up.ts'
import type { Terminal } from './terminal.ts'

type Variables = Record<string, string>

export const init: Command = {
  summary: 'asks for region, identity and models, checks them, and writes the environment block',
  usage: [
    '--file F          default: .env; a name that ends in .json is a settings file',
    '--region R        --profile P        --endpoint URL',
    '--model M         --small-model M    names, IDs or ARNs',
    '--yes             ask nothing: flags and defaults count',
    '--no-check        do not look whether it works',
  ],
  options: {
    ...clientFlags,
    file: { type: 'string' },
    model: { type: 'string' },
    'small-model': { type: 'string' },
    yes: { type: 'boolean' },
    'no-check': { type: 'boolean' },
  },
  async run(flags, _positionals, terminal) {
    const ask = questions(flags)
    const file = text(flags, 'file') ?? '.env'
    const region = await ask('AWS region', text(flags, 'region') ?? process.env.AWS_REGION)
    if (!region) throw new ConfigurationError('A region is needed', { hint: 'Pass --region.' })
    const profile = await ask(
      'AWS profile (empty for keys or an API key in the environment)',
      text(flags, 'profile') ?? process.env.AWS_PROFILE,
    )
    const model = await ask('Model (empty for the default)', text(flags, 'model'))
    const small = await ask('Small model (empty for the default)', text(flags, 'small-model'))
    const endpoint = text(flags, 'endpoint')
    const variables: Variables = {
      CLAUDE_CODE_USE_BEDROCK: '1',
      AWS_REGION: region,
      ...(profile && { AWS_PROFILE: profile }),
      ...(endpoint && { ANTHROPIC_BEDROCK_BASE_URL: endpoint }),
      ...(model && { ANTHROPIC_MODEL: model }),
      ...(small && { ANTHROPIC_DEFAULT_HAIKU_MODEL: small }),
    }
    if (
      !flags['no-check'] &&
      !(await check({ ...flags, region, profile }, [model || 'default', small || 'small'], terminal))
    ) {
      terminal.note('The checks above failed; nothing was written. --no-check writes it all the same.')
      ask.close()
      return 1
    }
    const content = await render(file, variables)
    terminal.print(`\n${file}:\n\n${content.trimEnd()}\n`)
    const answer = await ask('Write it? (yes or no)', 'yes')
    ask.close()
    if (!/^y(es)?$/i.test(answer ?? '')) return 1
    await writeFile(file, content)
    terminal.note(`Written: ${file}`)
    return 0
  },
}

async function check(flags: Flags, models: readonly string[], terminal: Terminal): Promise<boolean> {
  const set = await setUp(flags)
  const results: CheckResult[] = []
  for await (const result of runDoctor({ ...set, models })) {
    results.push(result)
    printResult(result, terminal)
  }
  return isHealthy(results)
}

// What stands in the file already stays, but for the variables that are set anew.
async function render(file: string, variables: Variables): Promise<string> {
  const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  if (file.endsWith('.json')) {
    const settings = before.trim() ? (JSON.parse(before) as { env?: Variables }) : {}
    return `${JSON.stringify({ ...settings, env: { ...settings.env, ...variables } }, null, 2)}\n`
  }
  const kept = before.split('\n').filter((line) => {
    const [, name] = /^\s*(?:export\s+)?(\w+)=/.exec(line) ?? []
    return line !== '' && !(name && name in variables)
  })
  const lines = Object.entries(variables).map(
    ([name, value]) => `${name}=${/^[\w./:@-]*$/.test(value) ? value : JSON.stringify(value)}`,
  )
  return `${[...kept, ...lines].join('\n')}\n`
}

type Ask = ((question: string, preset?: string) => Promise<string | undefined>) & { close(): void }

// Without a terminal, and with --yes, the presets are the answers.
function questions(flags: Flags): Ask {
  if (flags.yes || !process.stdin.isTTY)
    return Object.assign(async (_question: string, preset?: string) => preset, { close: () => {} })
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  return Object.assign(
    async (question: string, preset?: string) =>
      (await lines.question(`${question}${preset ? ` [${preset}]` : ''}: `)).trim() || preset,
    { close: () => lines.close() },
  )
}
