#!/usr/bin/env node
import process from 'node:process'
import { parseArgs } from 'node:util'
import { redactError } from '../core/internal/redact.ts'
import { isBedrockError } from 'outcrop'
import { nearest } from '../models/names.ts'
import { chat } from './chat.ts'
import { type Command, type Flags, UsageError } from './command.ts'
import { doctor } from './doctor.ts'
import { explain } from './explain.ts'
import { fake } from './fake.ts'
import { gateway } from './gateway.ts'
import { iamPolicyCommand } from './iam-policy.ts'
import { init } from './init.ts'
import { models } from './models.ts'
import { createTerminal, formatTable } from './terminal.ts'
import { version } from './version.ts'

const commands = new Map<string, Command>(
  Object.entries({ doctor, models, explain, 'iam-policy': iamPolicyCommand, init, chat, fake, gateway }),
)
const terminal = createTerminal()

function help(name?: string): string {
  const command = commands.get(name ?? '')
  if (command) {
    const line = ['outcrop', name, command.argument].filter(Boolean).join(' ')
    return [`${line}: ${command.summary}`, '', ...command.usage.map((line) => `  ${line}`)].join('\n')
  }
  const rows = [...commands].map(([name, { summary }]) => [`  ${name}`, summary])
  return [
    'Claude on Amazon Bedrock: try, check and explain a setup.',
    '',
    ...formatTable(rows),
    '',
    'outcrop COMMAND --help lists its flags; outcrop --version.',
    'Exit codes: 0 success, 1 failure, 2 invalid command line.',
  ].join('\n')
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === '--version' || name === '-v') {
    terminal.print(version)
    return 0
  }
  const isHelp = name === undefined || name === '--help' || name === '-h' || name === 'help'
  const asked = isHelp ? args[0] : name
  const command = commands.get(asked ?? '')
  if (asked !== undefined && !command)
    throw new UsageError(`Unknown command ${JSON.stringify(asked)}.${suggestion(asked, [...commands.keys()])}`)
  if (!command || isHelp) {
    terminal.print(help(asked))
    return 0
  }
  const { values, positionals } = parse(command, args)
  if (values.help) {
    terminal.print(help(name))
    return 0
  }
  if (command.hasWords) return command.run(values, terminal, '', positionals)
  const [argument = '', ...stray] = command.argument ? positionals : ['', ...positionals]
  if (stray.length > 0) throw new UsageError(`outcrop ${name} takes no argument ${JSON.stringify(stray[0])}.`)
  if (command.argument && !argument) throw new UsageError(`outcrop ${name} needs a ${command.argument}.`)
  return command.run(values, terminal, argument)
}

function parse({ options }: Command, args: readonly string[]): { values: Flags; positionals: string[] } {
  const known = { ...options, help: { type: 'boolean' as const, short: 'h' } }
  try {
    const parsed = parseArgs({ args: [...args], allowPositionals: true, options: known })
    const empty = Object.entries(parsed.values as Flags).find(([, value]) => value === '')
    // For example, from a script whose variable is not set.
    if (empty) throw new UsageError(`--${empty[0]} is empty.`)
    return parsed
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    const flag = /'(-[^'\s]*)/.exec(message)?.[1] ?? ''
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new UsageError(message)
    const names = Object.keys(known).map((name) => `--${name}`)
    throw new UsageError(`Unknown flag ${flag}.${suggestion(flag, names)}`)
  }
}

function suggestion(typed: string, names: readonly string[]): string {
  const [first] = nearest(typed, names)
  return first === undefined ? '' : ` Did you mean ${first}?`
}

/** Prints an error as sentences. Stack traces are for developers of this program. */
function report(error: unknown, name: string | undefined): number {
  if (error instanceof UsageError) {
    terminal.note(error.message)
    terminal.note(commands.has(name ?? '') ? `outcrop ${name} --help lists its flags.` : `\n${help()}`)
    return 2
  }
  if (isBedrockError(error)) {
    terminal.note(error.message)
    if (error.hint) terminal.note(error.hint)
    return 1
  }
  const { message, stack = '' } = redactError(error)
  terminal.note(message)
  if (process.env.OUTCROP_LOG === 'debug') terminal.note(stack)
  return 1
}

// A reader that closes the pipe early, such as `head`, is not an error.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1))

const args = process.argv.slice(2)
main(args)
  .catch((error: unknown) => report(error, args[0]))
  .then((code) => {
    process.exitCode = code
  })
