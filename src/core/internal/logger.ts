import type { Environment, Logger } from '../types.ts'
import { env } from './env.ts'

const levels = ['debug', 'info', 'warn', 'error'] as const

/** Silent, unless OUTCROP_LOG names the least level to write to stderr: `debug`, `info`, `warn` or `error`. */
export function createDefaultLogger(from?: Environment): Logger {
  const least = levels.indexOf(env('OUTCROP_LOG', from)?.toLowerCase() as (typeof levels)[number])
  const write = (level: (typeof levels)[number]): Logger[typeof level] => {
    if (least < 0 || levels.indexOf(level) < least) return () => {}
    return (message, data) => console.error(`outcrop ${level}: ${message}`, ...(data === undefined ? [] : [data]))
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
