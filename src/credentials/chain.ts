import { ConfigurationError, CredentialsError } from '../core/errors.ts'
import { cached } from '../core/internal/cached-provider.ts'
import type { CredentialProvider } from '../core/types.ts'

/**
 * Tries providers in order and uses the first one that is set up. A provider that is set up but broken ends the chain
 * with its error, because going on would call Bedrock with another identity.
 *
 * @example
 * ```ts
 * createBedrockClient({ region, credentials: chain(fromEnvironment(), fromWebIdentity({ roleArn, token })) })
 * ```
 * @throws ConfigurationError without a provider. The call rejects with a CredentialsError that lists what was tried.
 */
export function chain(...providers: readonly CredentialProvider[]): CredentialProvider {
  if (providers.length === 0) throw new ConfigurationError('chain needs at least one provider')
  return cached(async (options) => {
    const reasons: string[] = []
    for (const provider of providers) {
      try {
        return await provider(options)
      } catch (error) {
        // AWS's own providers use the same field.
        if (!(error instanceof Error) || !(error as { tryNextLink?: boolean }).tryNextLink) throw error
        reasons.push(error.message)
      }
    }
    throw new CredentialsError(`No source has credentials: ${reasons.join('; ')}`, {
      tryNextLink: true,
      hint: 'Set one of them up, or pass `credentials` to createBedrockClient.',
    })
  })
}
