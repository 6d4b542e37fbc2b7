import { cached } from '../core/internal/cached-provider.ts'
import type { Environment } from '../core/internal/env.ts'
import { environmentIdentity } from '../core/internal/environment-identity.ts'
import type { CredentialProvider } from '../core/types.ts'

/**
 * Provides the credentials in the environment: `AWS_BEARER_TOKEN_BEDROCK`, else `AWS_ACCESS_KEY_ID`,
 * `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`. An empty variable counts as unset.
 *
 * @param env - @default the process's environment, if there is one; on Cloudflare, pass the Worker's `env`
 * @example
 * ```ts
 * createBedrockClient({ region, credentials: fromEnvironment(env) })
 * ```
 */
export function fromEnvironment(env?: Environment): CredentialProvider {
  return cached(async () => environmentIdentity(env))
}
