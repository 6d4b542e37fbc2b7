import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { assertGuardrailOptions, type GuardrailIdentity } from '../guardrails/config.ts'

/** A caller and its permissions. */
export interface Caller {
  /**
   * Identifies the caller in logs, metrics and on the status page: 1 to 100 printable characters. Not the key itself.
   */
  readonly id: string
  /**
   * The models that it may call: families (`sonnet`), version prefixes (`claude-opus-4-5`), or full IDs and ARNs.
   *
   * @default all that the client may call
   */
  readonly models?: readonly string[] | undefined
  readonly limits?: CallerLimits | undefined
  /** The guardrail for every call. The caller cannot change or remove it. @default the caller's own choice */
  readonly guardrail?: CallerGuardrail | undefined
  /** Added to every call in Bedrock's invocation logs; overrides the caller's own values of the same names. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** Whether the caller may see the activity of all callers: `/metrics` and the status page. @default false */
  readonly operator?: boolean | undefined
}

/** The limits of a caller. */
export interface CallerLimits {
  /** Input and output tokens per minute: 1 or more. @default no limit */
  readonly tokensPerMinute?: number | undefined
  /** The spending per UTC day, in the currency of `prices`: more than 0. @default no limit */
  readonly spendPerDay?: number | undefined
}

/** A caller's mandatory guardrail. */
export interface CallerGuardrail extends GuardrailIdentity {
  /** Whether responses include what the guardrail found. @default 'disabled' */
  readonly trace?: 'enabled' | 'enabled_full' | 'disabled' | undefined
}

/**
 * Identifies the caller; `undefined` rejects the request. If it throws, the request is rejected with status 500, and
 * the error is logged.
 *
 * @example
 * ```ts
 * const authenticate: Authenticate = async (request) => {
 *   const user = await verifyToken(request.headers.get('authorization'))
 *   return user && { id: user.email, limits: { spendPerDay: 20 } }
 * }
 * ```
 */
export type Authenticate = (request: Request) => Caller | undefined | Promise<Caller | undefined>

/** @throws ConfigurationError for an invalid caller, naming the field */
export function assertCaller(caller: unknown, name = 'caller'): asserts caller is Caller {
  assertOptions(caller, name, 'id models limits guardrail metadata operator')
  const { id, models, limits, guardrail, metadata, operator } = caller as Caller
  if (!isCallerId(id)) {
    throw new ConfigurationError(`${name}.id must be 1 to 100 printable characters without spaces around them`)
  }
  if (models !== undefined && !(Array.isArray(models) && models.every((model) => typeof model === 'string' && model)))
    throw new ConfigurationError(`${name}.models must be a list of names`)
  if (limits !== undefined) {
    assertOptions(limits, `${name}.limits`, 'tokensPerMinute spendPerDay')
    assertLimit(limits.tokensPerMinute, `${name}.limits.tokensPerMinute`, 1)
    assertLimit(limits.spendPerDay, `${name}.limits.spendPerDay`, 0)
  }
  if (guardrail !== undefined) assertCallerGuardrail(guardrail, `${name}.guardrail`)
  if (metadata !== undefined) {
    const isText = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
    if (!isText || !Object.values(metadata).every((value) => typeof value === 'string'))
      throw new ConfigurationError(`${name}.metadata must be an object of strings`)
  }
  if (operator !== undefined && typeof operator !== 'boolean')
    throw new ConfigurationError(`${name}.operator must be true or false`)
}

/** @throws ConfigurationError for a guardrail without an identifier or a version */
export function assertCallerGuardrail(guardrail: CallerGuardrail, name: string): void {
  assertOptions(guardrail, name, 'identifier version trace')
  assertGuardrailOptions(guardrail)
}

/** Tests whether text can identify a caller in a log line, a metric, a file and a page. */
export function isCallerId(id: unknown): id is string {
  return (
    typeof id === 'string' && id.length <= 100 && /^[^\p{C}\p{Z}](?:[^\p{C}\p{Zl}\p{Zp}]*[^\p{C}\p{Z}])?$/u.test(id)
  )
}

function assertLimit(value: number | undefined, name: string, least: number): void {
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isFinite(value) || value < least || value === 0)
    throw new ConfigurationError(`${name} must be a number, ${least || 'more than 0'}${least ? ' or more' : ''}`)
}
