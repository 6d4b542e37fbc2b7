import { ConfigurationError, CredentialsError } from '../core/errors.ts'
import { cached } from '../core/internal/cached-provider.ts'
import type { BearerTokenIdentity, CredentialProvider } from '../core/types.ts'
import { describeBedrockApiKey } from './bedrock-api-key.ts'

/** Gives a Bedrock API key, as it is or with its expiry. */
export type BearerTokenSource = () => string | BearerTokenIdentity | Promise<string | BearerTokenIdentity>

/**
 * Gives a Bedrock API key: one that is known, or one that a function fetches, from a secret store or from a server of
 * yours that mints short-term keys with `createBedrockApiKey`. A short-term key tells its own expiry, and is fetched
 * anew before it.
 *
 * @example
 * ```ts
 * const credentials = fromBearerToken(async () => (await fetch('/bedrock-key')).text())
 * ```
 * @throws ConfigurationError for an empty key.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html
 */
export function fromBearerToken(token: string | BearerTokenSource): CredentialProvider {
  if (typeof token === 'function') {
    return cached(async () => {
      const given = await token()
      const identity = typeof given === 'string' ? { token: given.trim() } : given
      if (!identity?.token) throw new CredentialsError('The function given to fromBearerToken gave no key')
      return withExpiry(identity)
    })
  }
  if (!token?.trim()) throw new ConfigurationError('fromBearerToken needs a Bedrock API key')
  const identity = withExpiry({ token: token.trim() })
  return async () => identity
}

function withExpiry(identity: BearerTokenIdentity): BearerTokenIdentity {
  const { expiration } = describeBedrockApiKey(identity.token)
  return { source: { name: 'api-key' }, ...(expiration && { expiration }), ...identity }
}
