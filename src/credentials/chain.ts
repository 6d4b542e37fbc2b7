import { ConfigurationError, CredentialsError } from '../core/errors.ts'
import { cached } from '../core/internal/cached-provider.ts'
import type { CredentialProvider } from '../core/types.ts'

/**
 * Asks providers in order and gives what the first one has that is set up. One that is set up and broken ends the chain
 * with its error: going on would call Bedrock as somebody else.
 *
 * @example
 * ```ts
 * createBedrockClient({ region, credentials: chain(fromEnvironment(), fromWebIdentity({ roleArn, token })) })
 * ```
 * @throws ConfigurationError without a provider; the call rejects with a CredentialsError that lists what was tried.
 */
export function chain(...providers: readonly CredentialProvider[]): CredentialProvider {
  if (providers.length === 0) throw new ConfigurationError('chain needs at least one provider')
  return cached(async (options) => {
    const reasons: string[] = []
    for (const provider of providers) {
      try {
        return await provider(options)
      } catch (error) {
        // AWS's own providers say it by the same field.
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
