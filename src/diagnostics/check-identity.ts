import { isBedrockError } from '../core/errors.ts'
import { describeIdentitySource } from '../core/internal/identity-source.ts'
import { askForIdentity } from '../core/internal/identity.ts'
import type { AwsCredentialIdentity, BearerTokenIdentity, Identity } from '../core/types.ts'
import { describeBedrockApiKey, maskKeyId } from '../credentials/bedrock-api-key.ts'
import type { HintContext } from '../hints/table.ts'
import { getCallerIdentity } from './caller-identity.ts'
import type { DoctorOptions } from './doctor-options.ts'
import { causeOf, failed, type Finding } from './finding.ts'

const check = 'identity'

/** Checks the identity and its expiration; adds the source to `where`. */
export async function* checkIdentity(
  options: DoctorOptions,
  where: { source: string } & HintContext,
): AsyncGenerator<Finding> {
  const { credentials, fetch, now = Date.now } = options
  if (!credentials) {
    yield { check, status: 'note', message: 'requests are sent unsigned: a gateway must sign them' }
    return
  }
  let identity: Identity
  try {
    identity = await askForIdentity(credentials, { region: where.region, ...(fetch && { fetch }) })
  } catch (error) {
    yield { ...failed(check, error, where), cause: 'identity' }
    return
  }
  const source = identity.source ? ` from ${describeIdentitySource(identity.source)}` : ''
  if (identity.source) where.source = describeIdentitySource(identity.source)
  const expiration =
    identity.expiration ?? ('token' in identity ? describeBedrockApiKey(identity.token).expiration : undefined)
  if (expiration && expiration.getTime() <= now()) {
    const renewal =
      'token' in identity
        ? 'Create a new key'
        : 'Renew them: `aws sso login`, `aws login`, or the tool that created them'
    yield {
      check,
      status: 'failure',
      message: `the ${'token' in identity ? 'API key' : 'credentials'}${source} expired at ${expiration.toISOString()}`,
      next: identity.source?.command ? `Run \`${identity.source.command}\`.` : `${renewal}.`,
      cause: 'identity',
    }
    return
  }
  const expiry = expiration ? `, until ${expiration.toISOString()}` : ''
  const state = { source, expiry, isEnding: expiration !== undefined && expiration.getTime() - now() < 600_000 }
  yield 'token' in identity ? checkKey(identity, options, state) : await checkKeys(identity, options, where, state)
}

interface IdentityState {
  readonly source: string
  readonly expiry: string
  readonly isEnding: boolean
}

function checkKey(
  { token, source: by }: BearerTokenIdentity,
  { region }: DoctorOptions,
  { source, expiry, isEnding }: IdentityState,
): Finding {
  if (by?.name === 'settings' || by?.name === 'apiKeyHelper')
    return { check, status: 'ok', message: `a bearer token for a gateway${source}${expiry}` }
  const { kind, region: only } = describeBedrockApiKey(token)
  const message = `a ${kind} Bedrock API key${source}${only ? ` for ${only}` : ''}${expiry}`
  if (only && region && only !== region) {
    return {
      check,
      status: 'failure',
      message: `${message}, but the client calls ${region}`,
      next: `Create a key for ${region}, or call ${only}: AWS_REGION=${only}`,
      cause: 'identity',
    }
  }
  const next = isEnding ? 'The key expires within ten minutes: create a new one.' : undefined
  return { check, status: isEnding ? 'warning' : 'ok', message, next }
}

async function checkKeys(
  identity: AwsCredentialIdentity,
  { env, fetch, now = Date.now }: DoctorOptions,
  where: HintContext,
  { source, expiry, isEnding }: IdentityState,
): Promise<Finding> {
  const key = maskKeyId(identity.accessKeyId)
  try {
    const { arn } = await getCallerIdentity(identity, where.region, { env, fetch, now: now() })
    return {
      check,
      status: isEnding ? 'warning' : 'ok',
      message: `${arn} with key ${key}${source}${expiry}`,
      next: isEnding ? 'The keys expire within ten minutes: renew them.' : undefined,
    }
  } catch (error) {
    if (isBedrockError(error, 'service') && error.status < 500)
      return { ...failed(check, error, where, `AWS rejects key ${key}${source}: `), cause: 'identity' }
    return {
      check,
      status: 'note',
      message: `key ${key}${source}${expiry}; STS could not be called: ${causeOf(error)}`,
    }
  }
}
