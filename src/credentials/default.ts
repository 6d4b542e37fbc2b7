// `#default-credentials` for platforms without files, processes or metadata services.
import type { CredentialProvider, Environment } from '../core/types.ts'
import { fromEnvironment } from './environment.ts'

/** Returns the default credentials of a client. */
export function defaultCredentials(env?: Environment, _packageFolder?: string): CredentialProvider {
  return fromEnvironment(env)
}

/** Returns the Region of the profile in use; this platform has no profiles. */
export async function profileRegion(_env?: Environment): Promise<string | undefined> {
  return undefined
}

/** AWS's credential chain, if the platform has one. */
export const credentialChain:
  | ((options: { readonly env?: Environment | undefined }) => CredentialProvider)
  | undefined = undefined
