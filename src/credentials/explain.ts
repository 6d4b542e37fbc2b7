import { assertOptions } from '../core/internal/assert-options.ts'
import { type Environment, env as variable } from '../core/internal/env.ts'
import { askForIdentity, assertIdentity, providerError } from '../core/internal/identity.ts'
import { describeIdentitySource } from '../core/internal/identity-source.ts'
import { systemClock } from '../core/internal/signal.ts'
import type { Clock, CredentialProvider, CredentialProviderOptions, Identity, IdentitySource } from '../core/types.ts'
import { describeBedrockApiKey, maskKeyId } from './bedrock-api-key.ts'
import { environmentFirst } from './environment-first.ts'

/** Options of {@link explainCredentials}. */
export interface ExplainCredentialsOptions {
  /** The client's `credentials` option. Leave it out to explain the default. */
  readonly credentials?: Identity | CredentialProvider | 'none' | undefined
  /** @default the process's environment, if there is one */
  readonly env?: Environment | undefined
  /** The provider to try last. On Node, `explainCredentials` from `outcrop/credentials/node` adds AWS's chain. */
  readonly chain?: CredentialProvider | undefined
  /** The client's Region, for which a short-term API key must have been created. */
  readonly region?: string | undefined
  /** The client's `fetch`, for providers that send HTTP requests. @default the global one */
  readonly fetch?: typeof fetch | undefined
  readonly signal?: AbortSignal | undefined
  /** Time, for tests. */
  readonly clock?: Pick<Clock, 'now'> | undefined
}

/** A place where a client looks for credentials. */
export interface CredentialsStep {
  readonly step: 'options' | 'AWS_BEARER_TOKEN_BEDROCK' | 'AWS_PROFILE' | 'AWS_ACCESS_KEY_ID' | 'chain'
  /** The result, as text. Never a secret. */
  readonly outcome: string
  /** Whether the client uses this one. */
  readonly wins: boolean
}

/** An identity without its secrets. */
export interface IdentityDescription {
  readonly kind: 'aws-keys' | 'api-key'
  /** Masked. For an API key, the ID of the keys that it was created from, if known. */
  readonly accessKeyId?: string
  readonly accountId?: string
  /** Left out if it does not expire, or if that is unknown. */
  readonly expiration?: Date
  readonly source?: IdentitySource
}

/** Where a client's credentials come from. `toString()` returns it as lines of text. */
export interface CredentialsExplanation {
  readonly steps: readonly CredentialsStep[]
  /** Settings that have no effect, or a different effect than in other tools. */
  readonly conflicts: readonly string[]
  /** The identity in use. Left out for `'none'`, and if there is none. */
  readonly identity?: IdentityDescription
  /** Why there is no identity. */
  readonly error?: Error & { readonly hint?: string; readonly command?: string }
  toString(): string
}

/**
 * Explains which credentials a client would use, why, and which settings are ignored. It calls the provider or reads
 * the profile. It does not reject if there are no credentials; `error` says what went wrong.
 *
 * @example
 * ```ts
 * console.log(String(await explainCredentials({ region: 'us-east-1' })))
 * ```
 */
export async function explainCredentials(options: ExplainCredentialsOptions = {}): Promise<CredentialsExplanation> {
  assertOptions(options, '', 'credentials env chain region fetch signal clock')
  const { credentials, env, region, fetch, signal } = options
  const steps = stepsOf(options)
  let identity: Identity | undefined
  let error: CredentialsExplanation['error']
  try {
    if (credentials !== 'none') identity = await identityOf(options, { region, fetch, signal })
  } catch (caught) {
    signal?.throwIfAborted()
    error = providerError(caught)
  }
  const conflicts = [
    ...environmentConflicts(env, credentials !== undefined),
    ...(identity ? identityConflicts(identity, options) : []),
  ]
  const described = identity && describeIdentity(identity)
  const explanation = {
    steps,
    conflicts,
    ...(described && { identity: described }),
    ...(error && { error }),
  }
  return { ...explanation, toString: () => linesOf(explanation).join('\n') }
}

function stepsOf({ credentials, env, chain }: ExplainCredentialsOptions): CredentialsStep[] {
  const [profile, id, secret] = [
    variable('AWS_PROFILE', env),
    variable('AWS_ACCESS_KEY_ID', env),
    variable('AWS_SECRET_ACCESS_KEY', env),
  ]
  const found: readonly (readonly [CredentialsStep['step'], boolean, string])[] = [
    ['options', credentials !== undefined, credentials === 'none' ? 'none: requests are not signed' : 'given'],
    ['AWS_BEARER_TOKEN_BEDROCK', variable('AWS_BEARER_TOKEN_BEDROCK', env) !== undefined, 'set'],
    ['AWS_PROFILE', profile !== undefined && chain !== undefined, profile ?? ''],
    [
      'AWS_ACCESS_KEY_ID',
      (id ?? secret) !== undefined,
      id && secret ? maskKeyId(id) : `half a pair: ${id ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID'} is missing`,
    ],
    ['chain', chain !== undefined, 'asked: shared files, web identity, container, instance metadata'],
  ]
  const winner = found.findIndex(([, isThere]) => isThere)
  return found.map(([step, isThere, outcome], index) => ({
    step,
    outcome: !isThere ? absence(step) : step === 'chain' && index !== winner ? 'not asked' : outcome,
    wins: index === winner,
  }))
}

function absence(step: CredentialsStep['step']): string {
  return step === 'options' ? 'not given' : step === 'chain' ? 'not available here' : 'not set'
}

async function identityOf(
  { credentials, env, chain }: ExplainCredentialsOptions,
  request: CredentialProviderOptions,
): Promise<Identity> {
  if (credentials !== undefined && typeof credentials !== 'function') return assertIdentity(credentials, 'credentials')
  return askForIdentity(credentials ?? environmentFirst(chain, env), request)
}

function environmentConflicts(env: Environment | undefined, isGiven: boolean): string[] {
  const has = (name: string): boolean => variable(name, env) !== undefined
  const conflicts: string[] = []
  const token = has('AWS_BEARER_TOKEN_BEDROCK')
  const keys = has('AWS_ACCESS_KEY_ID') && has('AWS_SECRET_ACCESS_KEY')
  if (isGiven) {
    if (token)
      conflicts.push(
        'AWS_BEARER_TOKEN_BEDROCK is set but not used, because `credentials` were passed. Some SDKs send it anyway.',
      )
    if (has('AWS_SESSION_TOKEN')) conflicts.push('AWS_SESSION_TOKEN is set but not used with the `credentials` passed.')
    return conflicts
  }
  if (token && keys) conflicts.push('AWS_BEARER_TOKEN_BEDROCK wins over the keys in AWS_ACCESS_KEY_ID.')
  if (token && has('AWS_PROFILE')) conflicts.push('AWS_BEARER_TOKEN_BEDROCK wins over AWS_PROFILE.')
  if (!token && keys && has('AWS_PROFILE'))
    conflicts.push(
      'AWS_PROFILE wins over the keys in AWS_ACCESS_KEY_ID, as in the AWS SDK for JavaScript. The AWS CLI uses the keys.',
    )
  if (has('AWS_ACCESS_KEY_ID') !== has('AWS_SECRET_ACCESS_KEY'))
    conflicts.push('Only half of the pair AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set.')
  if (has('AWS_SESSION_TOKEN') && !has('AWS_ACCESS_KEY_ID'))
    conflicts.push('AWS_SESSION_TOKEN is set without AWS_ACCESS_KEY_ID, and has no effect.')
  if (env?.AWS_BEARER_TOKEN_BEDROCK?.trim() === '')
    conflicts.push(
      'AWS_BEARER_TOKEN_BEDROCK is empty and counts as unset. The AWS SDK for JavaScript uses it as a key.',
    )
  return conflicts
}

function identityConflicts(identity: Identity, { region, clock = systemClock }: ExplainCredentialsOptions): string[] {
  const conflicts: string[] = []
  if (identity.expiration && identity.expiration.getTime() <= clock.now())
    conflicts.push(`The credentials expired at ${identity.expiration.toISOString()}.`)
  if ('token' in identity) {
    const { region: only } = describeBedrockApiKey(identity.token)
    if (only && region && only !== region)
      conflicts.push(`The API key was created for ${only} and does not work in ${region}.`)
  } else if (identity.accessKeyId.startsWith('ASIA') && !identity.sessionToken) {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    conflicts.push('The access key is temporary (ASIA…), but its session token is missing.')
  }
  return conflicts
}

function describeIdentity(identity: Identity): IdentityDescription {
  const isToken = 'token' in identity
  const read = isToken ? describeBedrockApiKey(identity.token) : undefined
  const accessKeyId = isToken ? read?.accessKeyId : maskKeyId(identity.accessKeyId)
  const expiration = identity.expiration ?? read?.expiration
  const accountId = isToken ? undefined : identity.accountId
  const { source } = identity
  return {
    kind: isToken ? 'api-key' : 'aws-keys',
    ...(accessKeyId && { accessKeyId }),
    ...(accountId && { accountId }),
    ...(expiration && { expiration }),
    ...(source && { source }),
  }
}

function linesOf({ steps, conflicts, identity, error }: Omit<CredentialsExplanation, 'toString'>): string[] {
  const lines = ['credentials']
  for (const { step, outcome, wins } of steps) lines.push(`${wins ? '> ' : '  '}${step.padEnd(25)} ${outcome}`)
  if (identity) {
    const { kind, accessKeyId, accountId, expiration, source } = identity
    const details = [
      kind === 'api-key' ? 'a Bedrock API key' : 'AWS keys',
      accessKeyId && (kind === 'api-key' ? `created from ${accessKeyId}` : accessKeyId),
      accountId && `of account ${accountId}`,
      source && `from ${describeIdentitySource(source)}`,
      expiration && `until ${expiration.toISOString()}`,
    ]
    lines.push(`  = ${details.filter(Boolean).join(' ')}`)
  }
  if (error) lines.push(`  = ${error.message}${error.hint ? `. ${error.hint}` : ''}`)
  return [...lines, ...conflicts.map((conflict) => `  ! ${conflict}`)]
}
