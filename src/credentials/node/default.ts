// `#default-credentials` on Node: what the process has, and then what AWS's own chain finds.
import { env } from '../../core/internal/env.ts'
import { isBedrockError } from '../../core/errors.ts'
import { markCached } from '../../core/internal/cached-provider.ts'
import type { CredentialProvider } from '../../core/types.ts'
import { fromEnvironment } from '../environment.ts'
import { fromNodeProviderChain } from './node-provider-chain.ts'
import { readProfile } from './shared-files.ts'

/**
 * The credentials of a client that was given none: a Bedrock API key, else keys in the environment, else AWS's chain.
 * A profile that is named by `AWS_PROFILE` wins over keys in the environment, as in the AWS SDK for JavaScript.
 */
export function defaultCredentials(): CredentialProvider {
  const environment = fromEnvironment()
  let chain: CredentialProvider | undefined
  return markCached(async (request) => {
    if (env('AWS_BEARER_TOKEN_BEDROCK') || !env('AWS_PROFILE')) {
      try {
        return await environment(request)
      } catch (error) {
        if (!isBedrockError(error, 'credentials') || !error.tryNextLink) throw error
      }
    }
    chain ??= fromNodeProviderChain()
    return chain(request)
  })
}

/** The region of the profile in use, from the shared config file. */
export async function profileRegion(): Promise<string | undefined> {
  return (await readProfile({})).region || undefined
}

/** AWS's chain. */
export const credentialChain: (() => CredentialProvider) | undefined = fromNodeProviderChain
