import { ConfigurationError } from '../core/errors.ts'
import type { AwsCredentialIdentity, CredentialProvider } from '../core/types.ts'

/**
 * Always gives the same AWS keys.
 *
 * @example
 * ```ts
 * createBedrockClient({ region, credentials: fromStatic({ accessKeyId, secretAccessKey, sessionToken }) })
 * ```
 * @throws ConfigurationError for half a pair of keys.
 */
export function fromStatic(identity: AwsCredentialIdentity): CredentialProvider {
  if (!identity?.accessKeyId || !identity.secretAccessKey)
    throw new ConfigurationError('fromStatic needs accessKeyId and secretAccessKey')
  const given = { source: { name: 'static' }, ...identity }
  return async () => given
}
