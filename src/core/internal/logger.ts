import { isBedrockError } from '../errors.ts'
import type { Environment, Logger } from '../types.ts'
import { env } from './env.ts'
import { redact, redactError } from './redact.ts'

/** A level that nobody hears. */
export const silent = (): void => {}

const levels = ['debug', 'info', 'warn', 'error'] as const

/**
 * The logger of a client: the one that was given, else stderr from the level on that OUTCROP_LOG names (`debug`, `info`,
 * `warn` or `error`), else none. Whatever is told to it is made fit to be shown first.
 */
export function createLogger(given: Logger | undefined, from?: Environment): Logger {
  const least = levels.indexOf(env('OUTCROP_LOG', from)?.toLowerCase() as (typeof levels)[number])
  const at = (level: (typeof levels)[number], index: number): Logger[typeof level] => {
    if (!given && (least < 0 || index < least)) return silent
    return (message, data) => {
      const shown = redact(message)
      const rest = data === undefined ? [] : [data instanceof Error && !isBedrockError(data) ? redactError(data) : data]
      if (given) given[level](shown, ...rest)
      else console.error(`outcrop ${level}: ${shown}`, ...rest)
    }
  }
  return Object.fromEntries(levels.map((level, index) => [level, at(level, index)])) as unknown as Logger
}
