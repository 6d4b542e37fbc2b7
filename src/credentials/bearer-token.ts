import { ConfigurationError } from '../core/errors.ts'
import { cached } from '../core/internal/cached-provider.ts'
import { assertIdentity } from '../core/internal/identity.ts'
import type { BearerTokenIdentity, CredentialProvider, Identity } from '../core/types.ts'
import { describeBedrockApiKey } from './bedrock-api-key.ts'

/** Returns a Bedrock API key, with or without its expiration. */
export type BearerTokenSource = () => string | BearerTokenIdentity | Promise<string | BearerTokenIdentity>

/**
 * Provides a Bedrock API key: a fixed one, or one that a function fetches from a secret store or from your server,
 * which creates short-term keys with `createBedrockApiKey`. A short-term key contains its expiration, and is fetched
 * again before it expires. White space around a key, such as a final line break, is removed.
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
      return withExpiry(assertIdentity(identity, 'The result of the function passed to fromBearerToken'))
    })
  }
  if (typeof token !== 'string' || !token.trim())
    throw new ConfigurationError('fromBearerToken needs a Bedrock API key, or a function that returns one')
  const identity = withExpiry(assertIdentity({ token: token.trim() }, 'The key passed to fromBearerToken'))
  return async () => identity
}

function withExpiry(identity: Identity): Identity {
  if (!('token' in identity)) return identity
  const { expiration } = describeBedrockApiKey(identity.token)
  return { source: { name: 'api-key' }, ...(expiration && { expiration }), ...identity }
}
