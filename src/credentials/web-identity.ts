import { ConfigurationError, CredentialsError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { cached } from '../core/internal/cached-provider.ts'
import type { CredentialProvider } from '../core/types.ts'
import { assume, type RoleOptions, roleOptionNames, roleParameters } from './assume-role.ts'

/** Options of {@link fromWebIdentity}. */
export interface WebIdentityOptions extends RoleOptions {
  /** Returns the OIDC token that identifies the caller. Called at every renewal. */
  readonly token: () => string | Promise<string>
}

/**
 * Assumes a role with an OIDC token (AWS STS AssumeRoleWithWebIdentity). Needs no stored key on Vercel, GitHub Actions,
 * Kubernetes, or any other platform that issues such tokens.
 *
 * @example
 * ```ts
 * import { getVercelOidcToken } from '@vercel/oidc'
 *
 * const credentials = fromWebIdentity({ roleArn: process.env.AWS_ROLE_ARN, token: getVercelOidcToken })
 * ```
 * @throws ConfigurationError for invalid options. The call rejects with a CredentialsError.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export function fromWebIdentity(options: WebIdentityOptions): CredentialProvider {
  assertOptions(options, '', `${roleOptionNames} token`)
  const common = roleParameters(options)
  if (typeof options.token !== 'function')
    throw new ConfigurationError('fromWebIdentity needs a function that returns the token')
  return cached(
    async (request = {}) => {
      const given: unknown = await options.token()
      const token = typeof given === 'string' ? given.trim() : ''
      if (!token) throw new CredentialsError('The function passed to fromWebIdentity returned no token')
      return assume({ Action: 'AssumeRoleWithWebIdentity', ...common, WebIdentityToken: token }, options, request)
    },
    { clock: options.clock },
  )
}
