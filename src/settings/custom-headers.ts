import { ConfigurationError } from '../core/errors.ts'
import { isHeaderValue } from '../core/internal/headers.ts'
import { authorizationOf } from './authorization.ts'
import { describeSource, type Settings } from './settings.ts'
import { flag } from './values.ts'

const name = 'ANTHROPIC_CUSTOM_HEADERS'

/**
 * The headers in `ANTHROPIC_CUSTOM_HEADERS`: `Name: Value`, one on a line.
 *
 * @throws ConfigurationError naming the line, but not its value, for what is no header, and for headers that are part
 *   of the signature or would take its place.
 */
export function customHeaders(settings: Settings): Record<string, string> {
  const setting = settings.env[name]
  const isUnsigned = flag(settings, 'CLAUDE_CODE_SKIP_BEDROCK_AUTH')
  const headers: Record<string, string> = {}
  if (!setting) return headers
  setting.value.split('\n').forEach((line, i) => {
    if (!line.trim()) return
    const fail = (what: string, hint?: string): ConfigurationError =>
      new ConfigurationError(`Line ${i + 1} of ${name} in ${describeSource(setting.source)} ${what}`, { hint })
    const [, header, value = ''] = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*:(.*)$/s.exec(line) ?? []
    if (!header) throw fail('is not a header', 'Write it as Name: Value.')
    // A CR at the end of a line is how a Windows editor ends it; anywhere else it would begin another header.
    const trimmed = value.trim()
    if (!isHeaderValue(trimmed)) throw fail(`has a character that ${header} cannot carry`)
    const lower = header.toLowerCase()
    if (lower === 'authorization' && !isUnsigned)
      throw fail(
        'is Authorization, which the signature uses',
        'For a gateway that wants it, set CLAUDE_CODE_SKIP_BEDROCK_AUTH=1.',
      )
    // What goes before it is told by `explainSettings`.
    if (lower === 'authorization' && authorizationOf(settings) !== name) return
    if (lower === 'host' || lower.startsWith('x-amz-')) throw fail(`is ${header}, which is part of the signature`)
    headers[lower] = trimmed
  })
  return headers
}
