import { ServiceError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { systemClock } from '../core/internal/signal.ts'
import type { AwsCredentialIdentity, Environment } from '../core/types.ts'
import { callSts } from '../credentials/sts.ts'

/** The caller's identity, according to AWS. */
export interface CallerIdentity {
  readonly account: string
  readonly arn: string
}

/** Options of {@link getCallerIdentity}. */
export interface CallerIdentityOptions {
  /** Environment variables with STS's endpoint. @default the process's own */
  readonly env?: Environment | undefined
  readonly fetch?: typeof fetch | undefined
  /** The time to sign with, in milliseconds since the epoch. @default now */
  readonly now?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks AWS STS who owns the given keys (GetCallerIdentity). Needs no permission.
 *
 * @throws ServiceError if STS answers with an error.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export async function getCallerIdentity(
  identity: AwsCredentialIdentity,
  region: string,
  options: CallerIdentityOptions = {},
): Promise<CallerIdentity> {
  assertOptions(options, '', 'env fetch now signal')
  const { env, fetch, now = Date.now(), signal } = options
  const answer = await callSts(
    { Action: 'GetCallerIdentity' },
    { identity, region, env, fetch, signal, clock: { ...systemClock, now: () => now } },
  )
  const [account, arn] = [answer('Account'), answer('Arn')]
  if (account && arn) return { account, arn }
  throw new ServiceError('STS answered without an identity', { status: 200, retryable: true })
}
