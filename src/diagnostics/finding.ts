import { type BedrockError, isBedrockError } from '../core/errors.ts'
import { iamPermission, isOfKind, refusedIdentity, useCaseForm } from '../core/internal/error-kinds.ts'
import { hintFor } from '../hints/hint-for.ts'
import type { HintContext } from '../hints/table.ts'
import type { CheckResult } from './report.ts'

/** A row and the cause of its failure: only the first of several failures with the same cause is reported. */
export interface Finding extends CheckResult {
  readonly cause?: string | undefined
}

/** Creates a row for an error; a note if the check itself needs a permission that calling a model does not. */
export function failedOrDenied(check: string, error: unknown, permission: string, where: HintContext): Finding {
  if (!isBedrockError(error, 'service') || error.status !== 403 || !isOfKind(error, iamPermission))
    return failed(check, error, where)
  return { check, status: 'note', message: `not checked: needs ${permission}` }
}

/** Creates a row for an error, with the next step. */
export function failed(check: string, error: unknown, where?: HintContext, prefix = ''): Finding {
  const { message, hint } = error as BedrockError
  const command = isBedrockError(error, 'credentials') ? error.command : undefined
  const known = isBedrockError(error) && where ? hintFor(error, where) : undefined
  const next = command
    ? `Run \`${command}\`.`
    : (hint ?? known ?? 'Try again; docs/troubleshooting.md explains the messages.')
  return { check, status: 'failure', message: prefix + message, next, cause: causeOfFailure(error) }
}

/** Names the cause of a failure: rows with the same cause say the same thing. */
function causeOfFailure(error: unknown): string {
  if (isBedrockError(error, 'credentials')) return 'identity'
  if (isBedrockError(error, 'connection') || isBedrockError(error, 'timeout')) return 'connection'
  if (!isBedrockError(error, 'service')) return (error as Error).message
  if (isOfKind(error, useCaseForm)) return 'use-case form'
  // AWS rejects an identity before it reads the request.
  return isOfKind(error, ...refusedIdentity) ? 'identity' : `${error.type}: ${error.message}`
}

/** Returns the real cause: `fetch` says only "fetch failed", and has it in `cause`. */
export function causeOf(error: unknown): string {
  const { cause, message, code } = error as { cause?: unknown; message?: string; code?: string }
  return cause ? causeOf(cause) : (code ?? message ?? String(error))
}
