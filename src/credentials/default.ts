// `#default-credentials` where there are no files, processes or metadata services to ask.
import type { CredentialProvider, Environment } from '../core/types.ts'
import { fromEnvironment } from './environment.ts'

/** The credentials of a client that was given none. */
export function defaultCredentials(env?: Environment, _packageFolder?: string): CredentialProvider {
  return fromEnvironment(env)
}

/** The region of the profile in use; there are no profiles here. */
export async function profileRegion(_env?: Environment): Promise<string | undefined> {
  return undefined
}

/** AWS's chain, where there is one. */
export const credentialChain:
  | ((options: { readonly env?: Environment | undefined }) => CredentialProvider)
  | undefined = undefined
