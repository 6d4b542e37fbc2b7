// `#default-credentials` on Node: what the process has, and then what AWS's own chain finds.
import type { CredentialProvider, Environment } from '../../core/types.ts'
import { environmentFirst } from '../environment-first.ts'
import { fromNodeProviderChain } from './node-provider-chain.ts'
import { readProfile } from './shared-files.ts'

/** The credentials of a client that was given none: those of the environment, else of AWS's chain. */
export function defaultCredentials(env?: Environment, packageFolder?: string): CredentialProvider {
  let chain: CredentialProvider | undefined
  return environmentFirst((request) => {
    chain ??= fromNodeProviderChain({ env, packageFolder })
    return chain(request)
  }, env)
}

/** The region of the profile in use, from the shared config file. */
export async function profileRegion(env?: Environment): Promise<string | undefined> {
  return (await readProfile({ env })).region || undefined
}

/** AWS's chain. */
export const credentialChain:
  | ((options: { readonly env?: Environment | undefined }) => CredentialProvider)
  | undefined = fromNodeProviderChain
