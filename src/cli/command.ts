import type { ParseArgsConfig } from 'node:util'
import type { Terminal } from './terminal.ts'

/** The values of a command's flags, as `parseArgs` gives them. */
export type Flags = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

/** One of the command's subcommands. */
export interface Command {
  readonly summary: string
  /** Its own lines of the help text. */
  readonly usage: readonly string[]
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** What its one argument is called; left out where it takes none. */
  readonly argument?: string
  /** Gives the exit code. */
  run(flags: Flags, terminal: Terminal, argument: string): Promise<number>
}

/** A command line that is wrong: exit code 2. */
export class UsageError extends Error {}

/** Flags of every command that calls Bedrock. */
export const clientFlags: Command['options'] = {
  region: { type: 'string' },
  profile: { type: 'string' },
  endpoint: { type: 'string' },
  'trust-project': { type: 'boolean' },
}

/** What to say of them in a help text. */
export const clientUsage: readonly string[] = [
  "--region R        the AWS region; else AWS_REGION, AWS_DEFAULT_REGION, the profile's",
  '--profile P       a profile of ~/.aws/config; else AWS_PROFILE',
  "--endpoint URL    in place of AWS's own hosts",
  "--trust-project   the variables and commands of the project's settings count too",
]

/** A flag's text. */
export function text(flags: Flags, name: string): string | undefined {
  const value = flags[name]
  return typeof value === 'string' ? value : undefined
}

/** `ID:VERSION` of a guardrail, where an ARN too has colons; the version may be left out. */
export function parseGuardrail(value: string): { readonly identifier: string; readonly version?: string } {
  const [, identifier = value, version] = /^(.+):(DRAFT|\d+)$/.exec(value) ?? []
  return { identifier, ...(version !== undefined && { version }) }
}

/** A flag's comma-separated list. */
export function list(flags: Flags, name: string): string[] | undefined {
  return text(flags, name)
    ?.split(',')
    .map((item) => item.trim())
    .filter(Boolean)
}

/** A flag's whole number. @throws UsageError */
export function whole(flags: Flags, name: string, most: number): number | undefined {
  const value = text(flags, name)
  if (value === undefined) return undefined
  if (/^\d+$/.test(value) && Number(value) <= most) return Number(value)
  throw new UsageError(`--${name} must be a whole number, 0 to ${most}.`)
}
