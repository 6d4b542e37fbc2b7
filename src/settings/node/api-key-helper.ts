import { CredentialsError } from '../../core/errors.ts'
import { cached } from '../../core/internal/cached-provider.ts'
import type { Clock, CredentialProvider, Environment } from '../../core/types.ts'
import { commandName } from '../../credentials/command-name.ts'
import { assertSuccess } from '../../credentials/node/command.ts'
import { runCommand } from '../../credentials/node/run-command.ts'

const timeout = 60_000

/**
 * Returns a provider of the bearer token that a command prints, for a gateway: `apiKeyHelper` in Claude Code's
 * settings. The command runs again after `lifetime` milliseconds, or when the gateway refuses the token.
 *
 * @see https://code.claude.com/docs/en/llm-gateway
 */
export function apiKeyHelper(
  command: string,
  { env, lifetime, clock }: { env: Environment; lifetime: number; clock?: Clock },
): CredentialProvider {
  return cached(
    async ({ signal } = {}) => {
      const result = await runCommand(command, { env, timeout, signal })
      assertSuccess(result, command, timeout)
      const token = result.stdout.trim()
      const name = commandName(command)
      // The output is not quoted, because it may be a secret in another form.
      if (!/^[\x21-\x7e]+$/.test(token)) {
        throw new CredentialsError(`${name} did not print a token (${token.length} characters)`, {
          hint: "apiKeyHelper must print the gateway's token and nothing else.",
        })
      }
      return { token, source: { name: 'apiKeyHelper', detail: name } }
    },
    // Like Claude Code, nobody waits before the token expires, and everybody waits after.
    { lifetime, refreshAhead: 0, refreshBlocking: 0, ...(clock && { clock }) },
  )
}
