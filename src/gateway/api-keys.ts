import { ConfigurationError } from '../core/errors.ts'
import { assertCaller, type Authenticate, type Caller } from './caller.ts'
import { sha256Hex } from '#platform'

/** A stored key: its caller and its hash. */
export interface ApiKey extends Caller {
  /** The SHA-256 hash of the key, 64 hexadecimal digits; see {@link hashApiKey}. */
  readonly sha256: string
}

/**
 * Creates a key: 256 random bits after a prefix that secret scanners can detect.
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
 * Hashes a key for storage. A fast hash is enough: slow ones protect passwords that can be guessed, but 256 random bits
 * cannot. A slow hash would also let anyone keep the gateway busy with wrong keys.
 */
export async function hashApiKey(key: string): Promise<string> {
  return sha256Hex(key)
}

/**
 * Authenticates by keys that requests send as `x-api-key` or `Authorization: Bearer`.
 *
 * @example
 * ```ts
 * const gateway = createGateway(bedrock, {
 *   authenticate: apiKeys([{ id: 'alice', sha256: await hashApiKey(env.ALICE_KEY), models: ['sonnet', 'haiku'] }]),
 * })
 * ```
 * @throws ConfigurationError for a malformed or duplicate key.
 */
export function apiKeys(keys: readonly ApiKey[]): Authenticate {
  assertApiKeys(keys, 'keys')
  const known = keys.map(({ sha256, ...caller }) => ({ caller, sha256: sha256.toLowerCase() }))
  return async function authenticate({ headers }) {
    let found: Caller | undefined
    for (const key of presentedKeys(headers)) {
      const hash = await hashApiKey(key)
      // Compares with every key, so that the time reveals nothing.
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
      hint: 'Store the hash of the key, from hashApiKey(key).',
    })
  }
}

/** @throws ConfigurationError for a malformed key, and for a duplicate ID or hash */
export function assertApiKeys(keys: unknown, name: string): asserts keys is readonly ApiKey[] {
  if (!Array.isArray(keys)) throw new ConfigurationError(`${name} must be a list of keys`)
  const seen = new Set<string>()
  for (const [i, key] of (keys as ApiKey[]).entries()) {
    assertApiKey(key, `${name}[${i}]`)
    for (const text of [`id ${key.id}`, `sha256 ${key.sha256.toLowerCase()}`]) {
      if (seen.has(text)) throw new ConfigurationError(`${name}[${i}] has the same id or hash as another key`)
      seen.add(text)
    }
  }
}

/**
 * Returns the keys in a request. Claude Code's `apiKeyHelper` sends one in both places; an unrelated one in either does
 * no harm.
 */
export function presentedKeys(headers: Headers): string[] {
  const [, token] = /^Bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '') ?? []
  const key = headers.get('x-api-key')?.trim()
  return [...new Set([key, token])].filter((text): text is string => !!text && text.length <= 1024)
}

/** Compares two strings of the same length in constant time. */
function isEqual(one: string, other: string): boolean {
  let difference = one.length ^ other.length
  for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i)
  return difference === 0
}
