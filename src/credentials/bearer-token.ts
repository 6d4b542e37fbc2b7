import { ConfigurationError } from '../core/errors.ts'
import { cached } from '../core/internal/cached-provider.ts'
import { assertIdentity } from '../core/internal/identity.ts'
import type { BearerTokenIdentity, CredentialProvider, Identity } from '../core/types.ts'
import { describeBedrockApiKey } from './bedrock-api-key.ts'

/** Gives a Bedrock API key, as it is or with its expiry. */
export type BearerTokenSource = () => string | BearerTokenIdentity | Promise<string | BearerTokenIdentity>

/**
 * Gives a Bedrock API key: one that is known, or one that a function fetches, from a secret store or from a server of
 * yours that mints short-term keys with `createBedrockApiKey`. A short-term key tells its own expiry, and is fetched
 * anew before it. White space around a key, such as the line break that ends a file, is taken off.
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
      return withExpiry(assertIdentity(identity, 'The answer of the function given to fromBearerToken'))
    })
  }
  if (typeof token !== 'string' || !token.trim())
    throw new ConfigurationError('fromBearerToken needs a Bedrock API key, or a function that returns one')
  const identity = withExpiry(assertIdentity({ token: token.trim() }, 'The key given to fromBearerToken'))
  return async () => identity
}

function withExpiry(identity: Identity): Identity {
  if (!('token' in identity)) return identity
  const { expiration } = describeBedrockApiKey(identity.token)
  return { source: { name: 'api-key' }, ...(expiration && { expiration }), ...identity }
}
