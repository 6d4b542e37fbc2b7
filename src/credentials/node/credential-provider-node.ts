import type { AwsCredentialIdentity } from '../../core/types.ts'

/** AWS's own chain, an optional peer. */
export const packageName = '@aws-sdk/credential-provider-node'

/** What is used of `@aws-sdk/credential-provider-node`. */
export interface CredentialProviderNode {
  readonly defaultProvider: (init: never) => (options: never) => Promise<AwsCredentialIdentity>
}
