import { type BedrockError, type ConfigurationError, CredentialsError, isBedrockError } from '../errors.ts'
import type { CredentialProvider, CredentialProviderOptions, Identity } from '../types.ts'
import { describeType } from './assert-options.ts'
import { redactError } from './redact.ts'

/** Tests whether two identities are the same to AWS. */
export function isSameIdentity(a: Identity, b: Identity): boolean {
  if ('token' in a || 'token' in b) return 'token' in a && 'token' in b && a.token === b.token
  return a.accessKeyId === b.accessKeyId && a.secretAccessKey === b.secretAccessKey && a.sessionToken === b.sessionToken
}

/**
 * Validates an identity, which in plain JavaScript may be anything, such as a bare API key.
 *
 * @param what - its source, as the subject of messages
 * @param Wrong - the error class for a value of another shape
 * @throws CredentialsError for a malformed field. Messages name fields and types, never values: a broken key is still a
 *   key.
 */
export function assertIdentity(
  given: unknown,
  what: string,
  Wrong: typeof CredentialsError | typeof ConfigurationError = CredentialsError,
): Identity {
  const identity = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>
  const names = 'token' in identity ? ['token'] : ['accessKeyId', 'secretAccessKey']
  const missing = names.filter((name) => !identity[name])
  if (missing.length > 0) {
    const problem = missing.length < 2 ? `has no ${missing}` : `is ${describeType(given)}`
    throw new Wrong(`${what} ${problem}: neither a pair of AWS keys nor a Bedrock API key`, {
      hint: "Pass { accessKeyId, secretAccessKey, sessionToken? }, { token }, a provider function, or 'none'.",
    })
  }
  for (const name of [...names, 'sessionToken']) {
    const value = identity[name] ?? ''
    // All of them are sent in headers, the ID between a `=`, a `/` and a `,`.
    if (typeof value !== 'string' || !/^[\x21-\x7e]*$/.test(value) || (name === 'accessKeyId' && /[/,]/.test(value))) {
      throw new CredentialsError(
        typeof value === 'string'
          ? `${what} has a ${name} that contains an invalid character`
          : `${what} has a ${name} that is ${describeType(value)}, not a string`,
        { hint: 'Look for a space or a trailing line break.' },
      )
    }
  }
  const expiration = identity.expiration as Partial<Date> | undefined
  if (expiration && Number.isNaN(Number(expiration.getTime?.())))
    throw new CredentialsError(`${what} has an expiration that is not a valid Date`)
  return given as Identity
}

/** The valid identities of providers that never answer another one, so that no call has to ask for it and check it. */
export const fixedIdentities: WeakMap<CredentialProvider, Identity> = new WeakMap()

/** The subject of messages about a provider's result. */
export const providerAnswer = "The credential provider's answer"

/** Asks a provider for an identity. @throws BedrockError for any error of the provider, or the caller's abort reason */
export async function askForIdentity(
  provider: CredentialProvider,
  request: CredentialProviderOptions = {},
): Promise<Identity> {
  try {
    return assertIdentity(await provider(request), providerAnswer)
  } catch (error) {
    request.signal?.throwIfAborted()
    throw providerError(error)
  }
}

/** Converts a provider's error to an error of this library. */
export function providerError(error: unknown): BedrockError {
  if (isBedrockError(error)) return error
  const cause = redactError(error)
  return new CredentialsError(`No credentials: ${cause.message}`, { cause })
}
