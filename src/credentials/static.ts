import { ConfigurationError } from '../core/errors.ts'
import { assertIdentity } from '../core/internal/identity.ts'
import type { AwsCredentialIdentity, CredentialProvider } from '../core/types.ts'

/**
 * Always provides the same AWS keys.
 *
 * @example
 * ```ts
 * createBedrockClient({ region, credentials: fromStatic({ accessKeyId, secretAccessKey, sessionToken }) })
 * ```
 * @throws ConfigurationError for half a key pair, and CredentialsError for a malformed key.
 */
export function fromStatic(identity: AwsCredentialIdentity): CredentialProvider {
  assertIdentity(identity, 'The identity passed to fromStatic', ConfigurationError)
  const given = { source: { name: 'static' }, ...identity }
  return async () => given
}
