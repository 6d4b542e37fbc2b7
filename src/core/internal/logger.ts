import { isBedrockError } from '../errors.ts'
import type { Environment, Logger } from '../types.ts'
import { env } from './env.ts'
import { redact, redactError } from './redact.ts'

/** A log level that is off. */
export const silent = (): void => {}

const levels = ['debug', 'info', 'warn', 'error'] as const

/**
 * Creates a client's logger: the given one, else stderr from the level in OUTCROP_LOG (`debug`, `info`, `warn` or
 * `error`), else none. Redacts everything first.
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
