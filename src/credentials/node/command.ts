import { ConfigurationError, CredentialsError } from '../../core/errors.ts'
import { assertOptions } from '../../core/internal/assert-options.ts'
import { type CachedOptions, cached } from '../../core/internal/cached-provider.ts'
import { isJsonObject, parseJsonObject } from '../../core/internal/json.ts'
import { redact } from '../../core/internal/redact.ts'
import { systemClock } from '../../core/internal/signal.ts'
import type { AwsCredentialIdentity, CredentialProvider } from '../../core/types.ts'
import { commandName } from '../command-name.ts'
import { type CommandResult, lastLines, runCommand } from './run-command.ts'

/** Options of {@link fromCommand}. */
export interface FromCommandOptions extends Pick<CachedOptions, 'clock'> {
  /** The command's whole environment. @default the process's environment */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  readonly cwd?: string | undefined
  /** The time limit for the command, in milliseconds. @default 60_000 */
  readonly timeout?: number | undefined
}

/**
 * Provides the AWS keys that a command prints: `awsCredentialExport` in Claude Code's settings. The command may print
 * `{ "Credentials": { "AccessKeyId": …, "SecretAccessKey": …, "SessionToken": … } }`, as AWS STS does, or the same
 * members without the wrapper, as `aws configure export-credentials` does.
 *
 * The command runs silently and without input. It runs again five minutes before the `Expiration` that it printed, or
 * after an hour if it printed none.
 *
 * @example
 * ```ts
 * const credentials = fromCommand('aws configure export-credentials --profile dev')
 * ```
 * @throws ConfigurationError for an empty command. The call rejects with a CredentialsError.
 */
export function fromCommand(command: string, options: FromCommandOptions = {}): CredentialProvider {
  assertOptions(options, '', 'env cwd timeout clock')
  const { timeout = 60_000, env, cwd, clock = systemClock } = options
  if (!command?.trim()) throw new ConfigurationError('fromCommand needs a command')
  return cached(
    async ({ signal } = {}) => {
      const result = await runCommand(command, { env, cwd, timeout, signal })
      assertSuccess(result, command, timeout)
      const identity = readIdentity(result.stdout, command)
      if (identity.expiration && identity.expiration.getTime() <= clock.now())
        throw new CredentialsError(`${commandName(command)} printed expired credentials`)
      return identity
    },
    { clock, refreshAhead: 300_000, refreshBlocking: 60_000 },
  )
}

function readIdentity(stdout: string, command: string): AwsCredentialIdentity {
  const document = parseJsonObject(stdout)
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration, AccountId } =
    (isJsonObject(document?.Credentials) ? document.Credentials : document) ?? {}
  // The output is not quoted, because it may be a secret in another form.
  if (typeof AccessKeyId !== 'string' || typeof SecretAccessKey !== 'string' || !AccessKeyId || !SecretAccessKey) {
    throw new CredentialsError(`${commandName(command)} did not print credentials (${stdout.length} characters)`, {
      hint: 'The command must print JSON with AccessKeyId, SecretAccessKey and, for temporary keys, SessionToken.',
    })
  }
  const expiration = typeof Expiration === 'string' ? new Date(Expiration) : undefined
  if (expiration && Number.isNaN(expiration.getTime()))
    throw new CredentialsError(`${commandName(command)} printed an Expiration that is not a date`)
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(typeof SessionToken === 'string' && SessionToken && { sessionToken: SessionToken }),
    ...(expiration && { expiration }),
    ...(typeof AccountId === 'string' && { accountId: AccountId }),
    source: { name: 'command', detail: commandName(command) },
  }
}

/** @throws CredentialsError if a command failed or did not finish. */
export function assertSuccess({ code, stderr, timedOut }: CommandResult, command: string, timeout: number): void {
  if (code === 0 && !timedOut) return
  const what = timedOut
    ? `did not finish within ${timeout} ms`
    : code === null
      ? 'was killed'
      : `failed with exit code ${code}`
  const said = redact(lastLines(stderr))
  throw new CredentialsError(`${commandName(command)} ${what}${said ? `: ${said}` : ''}`, {
    hint: 'Run the command by hand to see what it needs.',
  })
}
