import { ConfigurationError, CredentialsError, isBedrockError } from '../../core/errors.ts'
import { cached, isSameIdentity, markCached } from '../../core/internal/cached-provider.ts'
import { redact } from '../../core/internal/redact.ts'
import { raceSignal, systemClock } from '../../core/internal/signal.ts'
import type { Clock, CredentialProvider, CredentialProviderOptions, Identity } from '../../core/types.ts'
import { assertSuccess, name } from './command.ts'
import { runCommand } from './run-command.ts'

/** Options of {@link withAuthRefresh}. */
export interface AuthRefreshOptions {
  /** Shown to the user as it comes, line by line: the address and code of an SSO login, say. @default stderr */
  readonly onOutput?: ((line: string) => void) | undefined
  /** The command's whole environment. @default the process's own */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  readonly cwd?: string | undefined
  /** How long it may take, in milliseconds. @default 180_000 */
  readonly timeout?: number | undefined
  /** How long after a run that did not help there is no other, in milliseconds. @default 60_000 */
  readonly cooldown?: number | undefined
  /** Time, for tests. */
  readonly clock?: Clock | undefined
}

/**
 * Runs a command when a provider's credentials are no good any more, and asks the provider again: what `awsAuthRefresh`
 * is in Claude Code's settings.
 *
 * When the provider fails, gives expired keys, or Bedrock refused the ones it gave, the provider is asked once more
 * first: somebody else may have logged in meanwhile. Only where that brings nothing new, the command runs: once for all
 * who wait, without input, its output passed on line by line. A run that did not help is not repeated for a while.
 *
 * @example
 * ```ts
 * const credentials = withAuthRefresh(fromNodeProviderChain({ profile: 'dev' }), 'aws sso login --profile dev')
 * ```
 * @throws ConfigurationError for an empty command; the call rejects with a CredentialsError.
 */
export function withAuthRefresh(
  provider: CredentialProvider,
  command: string,
  options: AuthRefreshOptions = {},
): CredentialProvider {
  const { onOutput = (line) => console.error(line), env, cwd, timeout = 180_000, cooldown = 60_000 } = options
  const { clock = systemClock } = options
  if (!command?.trim()) throw new ConfigurationError('withAuthRefresh needs a command')
  const inner = cached(provider, { clock })
  let running: Promise<void> | undefined
  let restUntil = Number.NEGATIVE_INFINITY
  let lastFailure: unknown

  const run = (): Promise<void> => {
    running ??= (async () => {
      try {
        const result = await runCommand(command, { env, cwd, timeout, onLine: (line) => onOutput(redact(line)) })
        assertSuccess(result, command, timeout)
        lastFailure = undefined
      } catch (error) {
        lastFailure = error
        throw error
      } finally {
        // Lifted again by whoever finds that it helped.
        restUntil = clock.now() + cooldown
        running = undefined
      }
    })()
    return running
  }

  const isGood = (identity: Identity, refused: Identity | undefined): boolean =>
    !(refused && isSameIdentity(identity, refused)) &&
    !(identity.expiration && identity.expiration.getTime() <= clock.now())

  return markCached(async (request: CredentialProviderOptions = {}) => {
    const { signal, forceRefresh, refused } = request
    let trouble: unknown
    try {
      const identity = await inner(request)
      // Forced without saying which identity was refused: whatever comes now is new.
      if (isGood(identity, forceRefresh ? refused : undefined)) return identity
    } catch (error) {
      signal?.throwIfAborted()
      if (!isBedrockError(error, 'credentials')) throw error
      trouble = error
    }
    if (running === undefined && clock.now() < restUntil) throw stillNoGood(command, trouble ?? lastFailure)
    await raceSignal(run(), signal)
    const identity = await inner({ ...request, forceRefresh: true, refused: undefined }).catch((error: unknown) => {
      signal?.throwIfAborted()
      throw stillNoGood(command, error)
    })
    if (!isGood(identity, refused)) throw stillNoGood(command, trouble)
    restUntil = Number.NEGATIVE_INFINITY
    return identity
  })
}

function stillNoGood(command: string, cause: unknown): CredentialsError {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new CredentialsError(`The credentials are no good, and ${name(command)} did not help${why}`, {
    cause,
    command,
    hint: `Run \`${command}\` by hand.`,
  })
}
