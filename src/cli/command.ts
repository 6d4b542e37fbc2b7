import type { ParseArgsConfig } from 'node:util'
import type { Terminal } from './terminal.ts'

/** The values of a command's flags, as `parseArgs` gives them. */
export type Flags = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

/** A subcommand. */
export interface Command {
  readonly summary: string
  /** Its own lines of the help text. */
  readonly usage: readonly string[]
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** The name of its argument; left out if it takes none. */
  readonly argument?: string
  /** Whether it takes words of its own in place of one argument, such as `key add NAME`. */
  readonly hasWords?: boolean
  /** Returns the exit code. */
  run(flags: Flags, terminal: Terminal, argument: string, words?: readonly string[]): Promise<number>
}

/** An invalid command line: exit code 2. */
export class UsageError extends Error {}

/** Flags of every command that calls Bedrock. */
export const clientFlags: Command['options'] = {
  region: { type: 'string' },
  profile: { type: 'string' },
  endpoint: { type: 'string' },
  'trust-project': { type: 'boolean' },
}

/** Their help text. */
export const clientUsage: readonly string[] = [
  "--region R        the AWS Region; else AWS_REGION, AWS_DEFAULT_REGION, the profile's",
  '--profile P       a profile in ~/.aws/config; else AWS_PROFILE',
  "--endpoint URL    replaces AWS's own hosts",
  "--trust-project   also use the variables and commands in the project's settings",
]

/** Returns a flag's text. */
export function text(flags: Flags, name: string): string | undefined {
  const value = flags[name]
  return typeof value === 'string' ? value : undefined
}

/** Parses `ID:VERSION` of a guardrail, which may be an ARN with colons. The version is optional. */
export function parseGuardrail(value: string): { readonly identifier: string; readonly version?: string } {
  const [, identifier = value, version] = /^(.+):(DRAFT|\d+)$/.exec(value) ?? []
  return { identifier, ...(version !== undefined && { version }) }
}

/** Returns a flag's comma-separated list. */
export function list(flags: Flags, name: string): string[] | undefined {
  return text(flags, name)
    ?.split(',')
    .map((item) => item.trim())
    .filter(Boolean)
}

/** Returns a flag's number, which must be more than 0. @throws UsageError */
export function positive(flags: Flags, name: string): number | undefined {
  const value = text(flags, name)
  if (value === undefined) return undefined
  if (/^\d{1,15}(\.\d{1,6})?$/.test(value) && Number(value) > 0) return Number(value)
  throw new UsageError(`--${name} must be a number above 0.`)
}

/** Returns a flag's whole number. @throws UsageError */
export function whole(flags: Flags, name: string, most: number): number | undefined {
  const value = text(flags, name)
  if (value === undefined) return undefined
  if (/^\d+$/.test(value) && Number(value) <= most) return Number(value)
  throw new UsageError(`--${name} must be a whole number, 0 to ${most}.`)
}
