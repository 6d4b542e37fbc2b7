import { ConfigurationError } from 'outcrop'
import type { Variables } from './env-file.ts'

/**
 * Sets variables in the `env` block of a settings file's text. Keeps everything else, including the indentation.
 *
 * @throws ConfigurationError if the text is not a settings file
 */
export function setInSettingsFile(file: string, text: string, variables: Variables): string {
  const settings = parse(file, text)
  const { env = {} } = settings
  if (!isRecord(env)) throw new ConfigurationError(`env in ${file} is not an object; nothing was written`)
  const indent = /^[{[]\r?\n([ \t]+)/.exec(text.trimStart())?.[1] ?? '  '
  const json = JSON.stringify({ ...settings, env: { ...env, ...variables } }, null, indent)
  return `${text.includes('\r\n') ? json.replaceAll('\n', '\r\n') : json}\n`
}

function parse(file: string, text: string): Record<string, unknown> {
  const content = text.replace(/^\uFEFF/, '')
  if (!content.trim()) return {}
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch {
    // The parser's own message would quote the file, including its secrets.
    throw new ConfigurationError(`${file} is not JSON; nothing was written`, {
      hint: 'Fix it first, or choose another file with --file.',
    })
  }
  if (isRecord(value)) return value
  throw new ConfigurationError(`${file} is not a JSON object; nothing was written`)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
