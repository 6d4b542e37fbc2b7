import { ConfigurationError } from '../core/errors.ts'
import { hex } from '../core/internal/bytes.ts'
import { assertCaller, type Authenticate, type Caller } from './caller.ts'

/** A key as it is kept: whom it belongs to, and its hash. */
export interface ApiKey extends Caller {
  /** The SHA-256 hash of the key, 64 hexadecimal digits; see {@link hashApiKey}. */
  readonly sha256: string
}

/**
 * Makes a key: 256 random bits behind a prefix that scanners for secrets can look for.
 *
 * @example
 * ```ts
 * const key = createApiKey()
 * const kept = { id: 'alice', sha256: await hashApiKey(key) }
 * ```
 */
export function createApiKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return `outcrop-${btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (character) => urlSafe[character] ?? '')}`
}

const urlSafe: Readonly<Record<string, string>> = { '+': '-', '/': '_' }

/**
 * The hash by which a key is kept. A fast hash will do: slow ones make up for passwords that can be guessed, and 256
 * random bits cannot. They would also let anybody keep the gateway busy with wrong keys.
 */
export async function hashApiKey(key: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key))))
}

/**
 * Authenticates by keys, which a request may carry as `x-api-key` or as `Authorization: Bearer`.
 *
 * @example
 * ```ts
 * const gateway = createGateway(bedrock, {
 *   authenticate: apiKeys([{ id: 'alice', sha256: await hashApiKey(env.ALICE_KEY), models: ['sonnet', 'haiku'] }]),
 * })
 * ```
 * @throws ConfigurationError for a key that is not well-formed, or given twice.
 */
export function apiKeys(keys: readonly ApiKey[]): Authenticate {
  assertApiKeys(keys, 'keys')
  const known = keys.map(({ sha256, ...caller }) => ({ caller, sha256: sha256.toLowerCase() }))
  return async function authenticate({ headers }) {
    let found: Caller | undefined
    for (const key of presentedKeys(headers)) {
      const hash = await hashApiKey(key)
      // All of them, whichever fits: how long it takes tells nothing.
      for (const { caller, sha256 } of known) if (isEqual(hash, sha256)) found = caller
    }
    return found
  }
}

/** @throws ConfigurationError */
export function assertApiKey(key: ApiKey, name: string): void {
  const { sha256, ...caller } = Object(key) as ApiKey
  assertCaller(caller, name)
  if (typeof sha256 !== 'string' || !/^[\da-f]{64}$/i.test(sha256)) {
    throw new ConfigurationError(`${name}.sha256 must be 64 hexadecimal digits`, {
      hint: 'Keep the hash of a key and not the key: hashApiKey(key) gives it.',
    })
  }
}

/** @throws ConfigurationError for a key that is not well-formed, and for an ID or a hash that two of them have */
export function assertApiKeys(keys: unknown, name: string): asserts keys is readonly ApiKey[] {
  if (!Array.isArray(keys)) throw new ConfigurationError(`${name} must be a list of keys`)
  const seen = new Set<string>()
  for (const [i, key] of (keys as ApiKey[]).entries()) {
    assertApiKey(key, `${name}[${i}]`)
    for (const text of [`id ${key.id}`, `sha256 ${key.sha256.toLowerCase()}`]) {
      if (seen.has(text)) throw new ConfigurationError(`${name}[${i}] has an id or a hash that another key has too`)
      seen.add(text)
    }
  }
}

/**
 * The keys that a request carries. Claude Code's `apiKeyHelper` sends one in both places; a stray one in either does no
 * harm.
 */
export function presentedKeys(headers: Headers): string[] {
  const [, token] = /^Bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '') ?? []
  const key = headers.get('x-api-key')?.trim()
  return [...new Set([key, token])].filter((text): text is string => !!text && text.length <= 1024)
}

/** Compares two texts of one length in a time that does not tell where they differ. */
function isEqual(one: string, other: string): boolean {
  let difference = one.length ^ other.length
  for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i)
  return difference === 0
}
