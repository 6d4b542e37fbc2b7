// `#default-credentials` on Node: the environment, then AWS's own chain.
import type { CredentialProvider, Environment } from '../../core/types.ts'
import { environmentFirst } from '../environment-first.ts'
import { fromNodeProviderChain } from './node-provider-chain.ts'
import { readProfile } from './shared-files.ts'

/** Returns the default credentials of a client: those in the environment, else those of AWS's chain. */
export function defaultCredentials(env?: Environment, packageFolder?: string): CredentialProvider {
  let chain: CredentialProvider | undefined
  return environmentFirst((request) => {
    chain ??= fromNodeProviderChain({ env, packageFolder })
    return chain(request)
  }, env)
}

/** Returns the Region of the profile in use, from the shared config file. */
export async function profileRegion(env?: Environment): Promise<string | undefined> {
  return (await readProfile({ env })).region || undefined
}

/** AWS's credential chain. */
export const credentialChain:
  | ((options: { readonly env?: Environment | undefined }) => CredentialProvider)
  | undefined = fromNodeProviderChain
