import { ConfigurationError } from '../core/errors.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { variantOf } from '../core/internal/variant.ts'
import type { BedrockRequest, JsonObject, JsonValue, MiddlewareContext } from '../core/types.ts'
import { sha256Hex } from '#platform'

/** Who shares answers: one identity, the identities of one AWS account, or all who use the store. */
export type CacheScope = 'identity' | 'account' | 'store'

// Increment when the parts of a key change.
const version = 3

// Everything counts except what is known to be irrelevant. Unknown parts cost at worst a miss, never a wrong answer.
const irrelevantOptions = new Set('signal headers timeout retry onRetry cache telemetry requestMetadata'.split(' '))
// Log labels, trace, request and attempt IDs, and the client's name.
const irrelevantHeaders =
  /^(x-amzn-bedrock-request-metadata|traceparent|tracestate|baggage|b3|x-b3-.*|x-amzn-trace-id|x-cloud-trace-context|sentry-trace|x-(request|correlation)-id|idempotency-key|(x-amz-)?user-agent|amz-sdk-.*|x-stainless-.*|x-claude-code-.*)$/
// Headers that identify the caller to a gateway.
const credentialHeaders = /auth|token|key|secret|password|cookie|credential|session|signature/

/** Computes the key of a call: equal for calls that should get the same answer, different for all others. */
export async function cacheKey(
  { operation, headers, options }: BedrockRequest,
  body: JsonObject,
  context: MiddlewareContext,
  { namespace, scope }: { readonly namespace: string; readonly scope: CacheScope },
): Promise<string> {
  const { model, region, endpoint, inner } = context
  const named = Object.entries(headers).filter(([name]) => !irrelevantHeaders.test(name))
  const isCredential = ([name]: [string, string]): boolean => credentialHeaders.test(name)
  const parts = {
    version,
    namespace,
    operation,
    model: model.id,
    region,
    endpoint,
    variants: inner.flatMap((layer) => variantOf(layer) ?? []),
    body,
    headers: Object.fromEntries(named.filter((header) => !isCredential(header))),
    options: plain(Object.fromEntries(Object.entries(options).filter(([name]) => !irrelevantOptions.has(name)))),
    ...(scope !== 'store' && {
      caller: await callerOf(context, scope),
      credentials: await unlinkable(named.filter(isCredential)),
    }),
  }
  return sha256Hex(canonical(parts))
}

// AWS keys are identified by their ID or account, which are not secret. An API key is secret as a whole.
async function callerOf({ identity }: MiddlewareContext, scope: CacheScope): Promise<JsonValue> {
  const who = await identity()
  if (scope === 'account') {
    const account = who && 'accountId' in who ? who.accountId : undefined
    if (account) return { account }
    throw new ConfigurationError("The response cache's scope is 'account', but the credentials name no account", {
      hint: "Set accountId or AWS_ACCOUNT_ID with the keys, or use scope: 'store' with your own namespace.",
    })
  }
  if (!who) return null
  return 'token' in who ? { token: await unlinkable(who.token) } : { accessKeyId: who.accessKeyId }
}

let salt: string | undefined

// Hashes of secrets can be guessed by trial, so they are bound to this process: every process hashes differently.
async function unlinkable(secret: JsonValue): Promise<string | null> {
  if (Array.isArray(secret) && secret.length === 0) return null
  salt ??= crypto.randomUUID()
  return sha256Hex(salt + canonical(secret))
}

/** Serializes JSON with the members of every object in the same order. */
function canonical(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isJsonObject(value)) return JSON.stringify(value) ?? 'null'
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`
}

// Like JSON.stringify: calls `toJSON` and leaves out functions.
function plain(value: object): JsonValue {
  try {
    return JSON.parse(JSON.stringify(value)) as JsonValue
  } catch (cause) {
    throw new ConfigurationError('A cached call has an option that is not JSON', {
      cause,
      hint: 'Leave the option out, or pass cache: false with it.',
    })
  }
}
