#!/usr/bin/env node
import process from 'node:process'
import { parseArgs } from 'node:util'
import { isBedrockError } from 'outcrop'
import { chat } from './chat.ts'
import type { Command } from './command.ts'
import { doctor } from './doctor.ts'
import { explain } from './explain.ts'
import { fake } from './fake.ts'
import { iamPolicyCommand } from './iam-policy.ts'
import { init } from './init.ts'
import { models } from './models.ts'
import { createTerminal, formatTable } from './terminal.ts'
import { version } from './version.ts'

const commands: Readonly<Record<string, Command>> = {
  doctor,
  models,
  explain,
  'iam-policy': iamPolicyCommand,
  init,
  chat,
  fake,
}
const terminal = createTerminal()

function help(name?: string): string {
  const command = commands[name ?? '']
  if (command)
    return [`outcrop ${name}: ${command.summary}`, '', ...command.usage.map((line) => `  ${line}`)].join('\n')
  const rows = Object.entries(commands).map(([name, { summary }]) => [`  ${name}`, summary])
  return [
    'Claude on Amazon Bedrock: try, check and explain a set-up.',
    '',
    ...formatTable(rows),
    '',
    'outcrop COMMAND --help tells its flags; outcrop --version.',
  ].join('\n')
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === '--version' || name === '-v') {
    terminal.print(version)
    return 0
  }
  const command = commands[name ?? '']
  if (!command) {
    const isHelp = name === undefined || name === '--help' || name === '-h' || name === 'help'
    if (isHelp) terminal.print(help(args[0]))
    else terminal.note(`There is no command ${JSON.stringify(name)}.\n\n${help()}`)
    return isHelp ? 0 : 2
  }
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...command.options, help: { type: 'boolean', short: 'h' } },
    })
  } catch (error) {
    terminal.note(`${(error as Error).message}\n\n${help(name)}`)
    return 2
  }
  if (parsed.values.help) {
    terminal.print(help(name))
    return 0
  }
  return command.run(parsed.values, parsed.positionals, terminal)
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    // A stack trace is for bugs; an error of ours says what to do.
    terminal.note(isBedrockError(error) ? `${error.name}: ${error.message}` : String((error as Error)?.stack ?? error))
    if (isBedrockError(error) && error.hint) terminal.note(error.hint)
    process.exitCode = 1
  },
)
