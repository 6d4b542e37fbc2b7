import type { Identity } from '../types.ts'

const replacement = '[redacted]'

// What secrets look like where nobody knows their value: printed by a login helper, or quoted by a proxy.
const shapes: readonly RegExp[] = [
  // A value behind its usual name, in JSON, XML, INI, a shell's export or a query string.
  /((?:secret_?access_?key|session_?token|security[-_]token|access_?token|refresh_?token|id_?token|client_?secret|password|bearer_?token\w*|x-amz-signature)["']?\s*[:=>]\s*["']?)[^\s"'<>,;&}]+/gi,
  /(\bBearer\s+)(?!token\b)[\w+/=.~-]{8,}/gi,
  /()\bbedrock-api-key-[\w+/=-]+/g,
  /()\bABSK[\w+/=-]{16,}/g,
  // Session tokens of STS.
  /()\b(?:IQoJ|FwoG|FQoG|AQoD)[\w+/=%-]{40,}/g,
  // Forty characters of base64 with all three kinds of character: the form of a secret access key, and not of a hash.
  /()(?<![\w+/=-])(?=[\w+/]*[a-z])(?=[\w+/]*[A-Z])(?=[\w+/]*\d)[A-Za-z\d+/]{40}(?![\w+/=-])/g,
]

/**
 * Takes secrets out of text that came from somewhere else: those of the identity in use, and whatever has the shape of
 * one.
 */
export function redact(text: string, identity?: Identity | undefined): string {
  const secrets = identity
    ? 'token' in identity
      ? [identity.token]
      : [identity.secretAccessKey, identity.sessionToken]
    : []
  for (const secret of secrets) {
    if (!secret) continue
    text = text.replaceAll(secret, replacement).replaceAll(encodeURIComponent(secret), replacement)
  }
  for (const shape of shapes) text = text.replace(shape, `$1${replacement}`)
  return text
}
