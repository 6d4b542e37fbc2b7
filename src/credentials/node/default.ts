// `#default-credentials` on Node: the environment, then AWS's own chain.
import type { CredentialProvider, Environment } from '../../core/types.ts'
import { markCached } from '../../core/internal/cached-provider.ts'
import { environmentFirst } from '../environment-first.ts'

/** Returns the default credentials of a client: those in the environment, else those of AWS's chain. */
export function defaultCredentials(env?: Environment, packageFolder?: string): CredentialProvider {
  return environmentFirst(lazyChain(env, packageFolder), env)
}

/** Returns the Region of the profile in use, from the shared config file. */
export async function profileRegion(env?: Environment): Promise<string | undefined> {
  const { readProfile } = await import('./shared-files.ts')
  return (await readProfile({ env })).region || undefined
}

/** AWS's credential chain. */
export const credentialChain:
  | ((options: { readonly env?: Environment | undefined }) => CredentialProvider)
  | undefined = ({ env }) => lazyChain(env)

// Loaded when it is asked, because most programs never need it: their keys are in the environment or given.
function lazyChain(env: Environment | undefined, packageFolder?: string): CredentialProvider {
  let chain: CredentialProvider | undefined
  return markCached(async (request) => {
    if (!chain) {
      const { fromNodeProviderChain } = await import('./node-provider-chain.ts')
      // Another call may have been faster.
      chain ??= fromNodeProviderChain({ env, packageFolder })
    }
    return chain(request)
  })
}
