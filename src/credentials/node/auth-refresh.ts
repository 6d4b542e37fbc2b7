import { ConfigurationError, CredentialsError, isBedrockError } from '../../core/errors.ts'
import { assertOptions } from '../../core/internal/assert-options.ts'
import { cached, markCached } from '../../core/internal/cached-provider.ts'
import { isSameIdentity } from '../../core/internal/identity.ts'
import { redact } from '../../core/internal/redact.ts'
import { raceSignal, systemClock } from '../../core/internal/signal.ts'
import type { Clock, CredentialProvider, CredentialProviderOptions, Identity } from '../../core/types.ts'
import { commandName, showCommand } from '../command-name.ts'
import { assertSuccess } from './command.ts'
import { isMissing } from './node-provider-chain.ts'
import { runCommand } from './run-command.ts'

/** Options of {@link withAuthRefresh}. */
export interface AuthRefreshOptions {
  /** Receives the command's output line by line, such as the address and code of an SSO login. @default stderr */
  readonly onOutput?: ((line: string) => void) | undefined
  /** The command's whole environment. @default the process's environment */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  readonly cwd?: string | undefined
  /** The time limit for the command, in milliseconds. @default 180_000 */
  readonly timeout?: number | undefined
  /**
   * How long to wait after a run that did not help before running the command again, in milliseconds.
   *
   * @default 60_000
   */
  readonly cooldown?: number | undefined
  /** Time, for tests. */
  readonly clock?: Clock | undefined
}

/**
 * Runs a command when a provider's credentials no longer work, and then asks the provider again: `awsAuthRefresh` in
 * Claude Code's settings.
 *
 * If the provider fails, returns expired keys, or returns keys that Bedrock refuses, the provider is first asked once
 * more, in case of a login elsewhere. If that brings nothing new, the command runs once for all waiting callers,
 * without input, and its output is passed on line by line. A run that did not help is not repeated for a while. If a
 * login cannot help, the call fails at once: with keys in the environment, and if AWS's package is not installed.
 *
 * @example
 * ```ts
 * const credentials = withAuthRefresh(fromNodeProviderChain({ profile: 'dev' }), 'aws sso login --profile dev')
 * ```
 * @throws ConfigurationError for an empty command. The call rejects with a CredentialsError.
 */
export function withAuthRefresh(
  provider: CredentialProvider,
  command: string,
  options: AuthRefreshOptions = {},
): CredentialProvider {
  assertOptions(options, '', 'onOutput env cwd timeout cooldown clock')
  const { onOutput = (line) => console.error(line), env, cwd, timeout = 180_000, cooldown = 60_000 } = options
  const { clock = systemClock } = options
  if (!command?.trim()) throw new ConfigurationError('withAuthRefresh needs a command')
  const inner = cached(provider, { clock })
  let running: Promise<void> | undefined
  let restUntil = Number.NEGATIVE_INFINITY
  let given: Identity | undefined
  let known: unknown

  const run = (): Promise<void> => {
    running ??= (async () => {
      try {
        const result = await runCommand(command, { env, cwd, timeout, onLine: (line) => onOutput(redact(line)) })
        assertSuccess(result, command, timeout)
      } finally {
        // Reset by the caller that finds that it helped.
        restUntil = clock.now() + cooldown
        running = undefined
      }
    })()
    return running
  }

  return markCached(async (request: CredentialProviderOptions = {}) => {
    const { signal, forceRefresh } = request
    const refused = forceRefresh ? (request.refused ?? given) : undefined
    const again = { ...request, forceRefresh: true, refused: undefined }
    let trouble: unknown
    const read = async (how: CredentialProviderOptions): Promise<Identity | undefined> => {
      try {
        const identity = await inner(how)
        const isExpired = identity.expiration !== undefined && identity.expiration.getTime() <= clock.now()
        if (!isExpired && !(refused && isSameIdentity(identity, refused))) {
          given = identity
          return identity
        }
        if (identity.source?.name === 'environment') throw environmentWins(identity, command)
        trouble = undefined
      } catch (error) {
        signal?.throwIfAborted()
        if (!canHelp(error)) throw error
        trouble = error
      }
      return undefined
    }

    let identity = await read(request)
    if (identity) return identity
    if (!running) {
      if (clock.now() < restUntil) throw stillNoGood(command, trouble)
      // The last failure that `cached` remembers is not new.
      if (trouble !== undefined && trouble === known) identity = await read(again)
      if (identity) return identity
      known = trouble
    }
    await raceSignal(run(), signal)
    identity = await read(again)
    known = trouble
    if (!identity) throw stillNoGood(command, trouble)
    restUntil = Number.NEGATIVE_INFINITY
    return identity
  })
}

/** Tests whether a login may help. AWS's own providers have their own error. */
function canHelp(error: unknown): boolean {
  if (isBedrockError(error, 'credentials')) return !isMissing(error.cause) && !unmendable.has(error)
  return (error as Error | undefined)?.name === 'CredentialsProviderError'
}

const unmendable = new WeakSet<CredentialsError>()

// A command cannot change the environment of the process that started it.
function environmentWins({ source }: Identity, command: string): CredentialsError {
  const variable = source?.detail ?? 'AWS_ACCESS_KEY_ID'
  const error = new CredentialsError(
    `The credentials in ${variable} no longer work, and the environment takes precedence over what ${commandName(command)} renews`,
    {
      hint: `Unset ${variable} and the variables that go with it, or set AWS_PROFILE to the profile that the command renews.`,
    },
  )
  unmendable.add(error)
  return error
}

function stillNoGood(command: string, cause: unknown): CredentialsError {
  const why = cause instanceof Error ? `: ${redact(cause.message)}` : ''
  const shown = showCommand(command)
  // A command that is not shown in full may contain a secret.
  const isWhole = shown === command.trim()
  return new CredentialsError(`The credentials do not work, and ${commandName(command)} did not help${why}`, {
    cause: isBedrockError(cause) ? cause : undefined,
    ...(isWhole && { command: shown }),
    hint: isWhole ? `Run \`${shown}\` by hand.` : `Run the refresh command (${shown}) by hand.`,
  })
}
