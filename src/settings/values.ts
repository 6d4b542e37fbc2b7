import { ConfigurationError } from '../core/errors.ts'
import { assertRegion } from '../core/internal/region.ts'
import { describeSource, type Settings } from './settings.ts'

/** Returns the merged variables as plain strings. */
export function environmentOf({ env }: Settings): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, { value }]) => [name, value]))
}

/** Returns the text of a variable. */
export function text({ env }: Settings, name: string): string | undefined {
  return env[name]?.value
}

/** Reads a switch as Claude Code does. @throws ConfigurationError if it is neither on nor off */
export function flag(settings: Settings, name: string): boolean {
  const value = text(settings, name)
  if (value === undefined || /^(0|false|no|off)$/i.test(value)) return false
  if (/^(1|true|yes|on)$/i.test(value)) return true
  throw wrongValue(settings, name, 'a switch: 1 or 0, true or false')
}

/** Reads a Region. @throws ConfigurationError if it is invalid, because it becomes part of a host name */
export function region(settings: Settings, name: string): string | undefined {
  const value = text(settings, name)
  try {
    return value && assertRegion(value)
  } catch {
    throw wrongValue(settings, name, 'an AWS Region, such as us-east-1')
  }
}

/** Reads a whole number in a range. @throws ConfigurationError */
export function whole(settings: Settings, name: string, least: number, most: number): number | undefined {
  const value = text(settings, name)
  if (value === undefined) return undefined
  const number = Number(value)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw wrongValue(settings, name, `a whole number, ${least} to ${most}`)
}

/** Creates the error for an invalid variable. It does not quote the value, which may be a secret. */
export function wrongValue({ env }: Settings, name: string, kind: string): ConfigurationError {
  const source = env[name]?.source
  return new ConfigurationError(`${name}${source ? ` in ${describeSource(source)}` : ''} is not ${kind}`)
}
