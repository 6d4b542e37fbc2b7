import { ConfigurationError } from '../core/errors.ts'
import { isHeaderValue } from '../core/internal/headers.ts'
import { authorizationOf } from './authorization.ts'
import { describeSource, type Settings } from './settings.ts'
import { flag } from './values.ts'

const name = 'ANTHROPIC_CUSTOM_HEADERS'

/**
 * Parses the headers in `ANTHROPIC_CUSTOM_HEADERS`: one `Name: Value` per line.
 *
 * @throws ConfigurationError naming the line, but not its value, for an invalid header, and for headers that are part
 *   of the signature or would replace it.
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
    // Windows editors end lines with a CR. Anywhere else a CR would start another header.
    const trimmed = value.trim()
    if (!isHeaderValue(trimmed)) throw fail(`has a character that is not allowed in ${header}`)
    const lower = header.toLowerCase()
    if (lower === 'authorization' && !isUnsigned)
      throw fail(
        'is Authorization, which the signature uses',
        'For a gateway that needs it, set CLAUDE_CODE_SKIP_BEDROCK_AUTH=1.',
      )
    // `explainSettings` reports the setting that wins over it.
    if (lower === 'authorization' && authorizationOf(settings) !== name) return
    if (lower === 'host' || lower.startsWith('x-amz-')) throw fail(`is ${header}, which is part of the signature`)
    headers[lower] = trimmed
  })
  return headers
}
