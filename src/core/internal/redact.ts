import type { Identity } from '../types.ts'

/** The secrets of a call, computed when there is text to redact. */
export type Secrets = readonly string[] | (() => readonly string[])

// The maximum number of characters of outside text to examine. Bedrock's own messages are much shorter.
const maxForeignText = 8192

const replacement = '[redacted]'

// Patterns of secrets of unknown value, as printed by a login helper or quoted by a proxy. `$1` is kept.
const named: readonly RegExp[] = [
  /(\b(?:Bearer|Basic) )[\w+/=.~-]{8,}/gi,
  // A value after its usual name, in JSON, XML, INI, a shell's export, a header or a query string.
  /((?:secret_?access_?key|(?:session|security|access|refresh|id|auth|bearer)[_-]?token|client_?secret|password|api_?key|authorization|x-amz-signature)(?:_bedrock)?\\{0,3}["']?(?: ?[:=] ?|>)\\{0,3}["']?)[^\s"'<>,;&}]+/gi,
]
const bare: readonly RegExp[] = [
  // Bedrock API keys, session tokens of STS, JSON Web Tokens, private keys, and the user in a URL.
  /\b(?:bedrock-api-key-|ABSK[\w+/=-]{16}|(?:IQoJ|FwoG|FQoG|AQoD)[\w+/=%-]{40}|eyJ[\w-]{8,256}\.)[\w+/=%.-]+/g,
  /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[^-]+/g,
  /(?<=:\/\/)[^\s/@]{1,512}(?=@)/g,
]
const fortyOfBase64 = /(?<![\w+/=-])[A-Za-z\d+/]{40}(?![\w+/=-])/g

/**
 * Escapes characters that a terminal or a log would interpret: control characters, including those of escape sequences,
 * and those that change the direction of text or hide it.
 *
 * @param keep - characters to leave unchanged
 */
export function printable(text: string, keep = ''): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, (character) =>
    `\u200c\u200d${keep}`.includes(character) ? character : `\\u${hex(character)}`,
  )
}

/** Truncates outside text between words, because half a secret would not be recognized. */
export function bounded(text: string): string {
  if (text.length <= maxForeignText) return text
  return `${text.slice(0, maxForeignText).replace(/(?<![^\s"<>,])[^\s"<>,]{0,4096}$/, '')}…`
}

/**
 * Makes outside text safe to show: one printable line of limited length, without the given secrets and anything that
 * looks like one.
 */
export function redact(text: string, secrets?: Secrets): string {
  return withoutSecrets(printable(bounded(text).replace(/\s+/g, ' ')), secrets)
}

/** Removes the given secrets and anything that looks like one, and leaves the rest of the text unchanged. */
export function withoutSecrets(text: string, secrets: Secrets = []): string {
  let shown = text
  for (const secret of typeof secrets === 'function' ? secrets() : secrets)
    shown = shown.replace(spellings(secret), replacement)
  for (const shape of named) shown = shown.replace(shape, `$1${replacement}`)
  for (const shape of bare) shown = shown.replace(shape, replacement)
  // A secret access key has all three kinds of character; a hash has two.
  return shown.replace(fortyOfBase64, (text) =>
    /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text) ? replacement : text,
  )
}

/**
 * Returns the secrets of a call: those of its identity, and the words of headers that may contain one, because a
 * gateway may use them instead of a signature. Bedrock's own headers contain none.
 */
export function secretsOf(identity: Identity | undefined, headers: Readonly<Record<string, string>> = {}): string[] {
  const own = !identity
    ? []
    : 'token' in identity
      ? [identity.token]
      : [identity.secretAccessKey, identity.sessionToken]
  const given = Object.entries(headers).flatMap(([name, value]) => {
    if (/^(accept|content-type|user-agent|anthropic-.*|x-amzn-bedrock-.*)$/.test(name)) return []
    const least = /auth|token|key|secret|cookie|pass|session|cred/.test(name) ? 6 : 12
    return value.split(/[\s",;=]+/).filter((word) => word.length >= least && word !== 'Bearer' && word !== 'Basic')
  })
  // Shorter ones, as in tests, would match everywhere.
  return [...own, ...given].filter((secret): secret is string => (secret?.length ?? 0) >= 6)
}

/**
 * Copies an outside error so that it is safe to show: its name, message, code, stack and causes. Other properties, such
 * as a request with its headers, are left out.
 */
export function redactError(error: unknown, secrets?: Secrets, depth = 0): Error {
  const {
    name = 'Error',
    message,
    code,
    errors,
    cause = errors?.[0],
    stack,
  } = Object(error) as Partial<AggregateError> & {
    code?: unknown
  }
  let said = typeof error === 'string' ? error : String(message ?? `${typeof error} thrown`)
  // A parser quotes and truncates its input, and half a secret would not be recognized.
  if (name === 'SyntaxError') said = said.replace(/".*"/s, '"…"')
  const copy = new Error(
    redact(said, secrets),
    cause === undefined || depth > 3 ? undefined : { cause: redactError(cause, secrets, depth + 1) },
  )
  copy.name = redact(String(name), secrets)
  const frames = String(stack).match(/^ +at .*$/gm) ?? []
  copy.stack = [`${copy.name}: ${copy.message}`, ...frames.map((frame) => `   ${redact(frame, secrets)}`)].join('\n')
  if (code !== undefined) Object.assign(copy, { code: typeof code === 'number' ? code : redact(String(code), secrets) })
  return copy
}

/** Matches a secret in any spelling: as it is, escaped for JSON, HTML or a URL (also twice), or inside base64. */
function spellings(secret: string): RegExp {
  const forms = [secret]
  // In base64, the preceding text shifts it to one of three alignments.
  if (/^[\x20-\x7e]{8,}$/.test(secret)) {
    for (const shift of [0, 1, 2])
      forms.push(
        btoa('0'.repeat(shift) + secret).slice(shift && shift + 1, Math.floor(((shift + secret.length) * 4) / 3)),
      )
  }
  return new RegExp(forms.map((form) => form.replace(/\W/g, anyEscape)).join('|'), 'gi')
}

function anyEscape(character: string): string {
  const code = hex(character)
  const short = code.slice(2)
  const url = character === '+' ? '|-' : character === '/' ? '|_' : ''
  return `(?:\\\\{0,4}(?:\\u${code}|u${code})|%(?:25){0,2}${short}|&#(?:x${short}|${character.charCodeAt(0)});${url})`
}

function hex(character: string): string {
  return (character.codePointAt(0) as number).toString(16).padStart(4, '0')
}
