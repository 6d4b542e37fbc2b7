import { isBedrockError } from '../core/errors.ts'
import { markCached } from '../core/internal/cached-provider.ts'
import { type Environment, env as variable } from '../core/internal/env.ts'
import type { CredentialProvider } from '../core/types.ts'
import { fromEnvironment } from './environment.ts'

/**
 * Finds the default credentials: a Bedrock API key, else keys in the environment, else those of `chain`. `AWS_PROFILE`
 * wins over keys in the environment, as in the AWS SDK for JavaScript.
 */
export function environmentFirst(chain: CredentialProvider | undefined, env?: Environment): CredentialProvider {
  const environment = fromEnvironment(env)
  return markCached(async (request) => {
    if (chain && variable('AWS_PROFILE', env) && !variable('AWS_BEARER_TOKEN_BEDROCK', env)) return chain(request)
    try {
      return await environment(request)
    } catch (error) {
      if (chain && isBedrockError(error, 'credentials') && error.tryNextLink) return chain(request)
      throw error
    }
  })
}
