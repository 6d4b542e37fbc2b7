import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import type { Caller } from 'outcrop/gateway'
import { keysFile } from 'outcrop/gateway/node'
import { type Command, type Flags, list, parseGuardrail, positive, text, UsageError } from './command.ts'
import { formatTable, type Terminal } from './terminal.ts'

/** Flags of `outcrop gateway key`. */
export const keyFlags: Command['options'] = {
  keys: { type: 'string' },
  models: { type: 'string' },
  'tokens-per-minute': { type: 'string' },
  'spend-per-day': { type: 'string' },
  guardrail: { type: 'string' },
  operator: { type: 'boolean' },
}

/** Their help text. */
export const keyUsage: readonly string[] = [
  'outcrop gateway key add NAME     creates a key and prints it once; the file keeps its hash',
  'outcrop gateway key list         lists the names in the file',
  'outcrop gateway key remove NAME  removes a key, which stops working within a second',
  '',
  '--models A,B           the models this key can call; default: all',
  '--tokens-per-minute N  its limit; default: none',
  '--spend-per-day N      its limit, in the currency of --prices; default: none',
  '--guardrail ID:V       a guardrail on every call; the key cannot change it',
  '--operator             the key can read /metrics and the status page',
]

/** Returns the keys file that is used without `--keys`. */
export function defaultKeysPath(): string {
  const { XDG_CONFIG_HOME } = process.env
  return join(XDG_CONFIG_HOME || join(homedir(), '.config'), 'outcrop', 'gateway-keys.json')
}

/** Runs `outcrop gateway key …`. */
export async function gatewayKey(flags: Flags, terminal: Terminal, words: readonly string[]): Promise<number> {
  const [verb = '', name, ...stray] = words
  const path = text(flags, 'keys') ?? defaultKeysPath()
  const keys = keysFile(path)
  if (stray.length > 0) throw new UsageError(`outcrop gateway key takes no argument ${JSON.stringify(stray[0])}.`)
  if (verb === 'list' && name === undefined) {
    const rows = (await keys.read()).map(({ id, models, limits, operator }) => [
      id,
      models?.join(',') ?? 'all models',
      limits?.tokensPerMinute === undefined ? '' : `${limits.tokensPerMinute} tokens/min`,
      limits?.spendPerDay === undefined ? '' : `${limits.spendPerDay}/day`,
      operator ? 'operator' : '',
    ])
    for (const row of formatTable(rows)) terminal.print(row.trimEnd())
    return 0
  }
  if (verb !== 'add' && verb !== 'remove')
    throw new UsageError('outcrop gateway key needs add NAME, list or remove NAME.')
  if (!name) throw new UsageError(`outcrop gateway key ${verb} needs a NAME.`)
  if (verb === 'remove') {
    await keys.remove(name)
    terminal.note(`${name} was removed from ${path}.`)
    return 0
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const key = await keys.add(callerOf(name, flags))
  terminal.note(`The key of ${name} is shown only here. ${path} has its hash.`)
  terminal.print(key)
  return 0
}

function callerOf(id: string, flags: Flags): Caller {
  const models = list(flags, 'models')
  const tokensPerMinute = positive(flags, 'tokens-per-minute')
  const spendPerDay = positive(flags, 'spend-per-day')
  const guardrail = guardrailOf(flags)
  return {
    id,
    ...(models && { models }),
    ...((tokensPerMinute !== undefined || spendPerDay !== undefined) && {
      limits: {
        ...(tokensPerMinute !== undefined && { tokensPerMinute }),
        ...(spendPerDay !== undefined && { spendPerDay }),
      },
    }),
    ...(guardrail && { guardrail }),
    ...(flags.operator === true && { operator: true }),
  }
}

/** Returns the guardrail that `--guardrail` names. @throws UsageError */
export function guardrailOf(flags: Flags): Caller['guardrail'] {
  const named = text(flags, 'guardrail')
  if (named === undefined) return undefined
  const { identifier, version } = parseGuardrail(named)
  if (version !== undefined) return { identifier, version }
  throw new UsageError('--guardrail needs an identifier and a version, for example gr-1234:1.')
}
