import { CredentialsError } from '../errors.ts'
import type { Identity } from '../types.ts'
import { type Environment, env } from './env.ts'

/**
 * Returns the identity in the environment: `AWS_BEARER_TOKEN_BEDROCK`, else `AWS_ACCESS_KEY_ID` and its pair.
 *
 * @throws CredentialsError if nothing is set, or only half of a key pair.
 */
export function environmentIdentity(from?: Environment): Identity {
  const token = env('AWS_BEARER_TOKEN_BEDROCK', from)
  if (token) return { token, source: { name: 'environment', detail: 'AWS_BEARER_TOKEN_BEDROCK' } }
  const accessKeyId = env('AWS_ACCESS_KEY_ID', from)
  const secretAccessKey = env('AWS_SECRET_ACCESS_KEY', from)
  if (!accessKeyId || !secretAccessKey) {
    const missing = accessKeyId ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID'
    throw new CredentialsError(
      accessKeyId || secretAccessKey
        ? `Half of a key pair is in the environment: ${missing} is missing`
        : 'No credentials: neither AWS_BEARER_TOKEN_BEDROCK nor AWS_ACCESS_KEY_ID is set',
      {
        tryNextLink: !accessKeyId && !secretAccessKey,
        hint: 'Set the variables, or pass `credentials` to createBedrockClient.',
      },
    )
  }
  const expiration = env('AWS_CREDENTIAL_EXPIRATION', from)
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: env('AWS_SESSION_TOKEN', from),
    expiration: expiration && !Number.isNaN(Date.parse(expiration)) ? new Date(expiration) : undefined,
    accountId: env('AWS_ACCOUNT_ID', from),
    source: { name: 'environment', detail: 'AWS_ACCESS_KEY_ID' },
  }
}
