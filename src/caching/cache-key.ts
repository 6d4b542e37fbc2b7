import { ConfigurationError } from '../core/errors.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { variantOf } from '../core/internal/variant.ts'
import type { BedrockRequest, JsonObject, JsonValue, MiddlewareContext } from '../core/types.ts'
import { sha256Hex } from '#platform'

/** Who shares answers: one identity, the identities of one AWS account, or all who use the store. */
export type CacheScope = 'identity' | 'account' | 'store'

// Raised whenever the parts of a key change.
const version = 3

// Everything counts but what is known not to: what is unknown then costs a miss at worst, and never a wrong answer.
const irrelevantOptions = new Set(['signal', 'headers', 'timeout', 'retry', 'cache', 'requestMetadata'])
// Labels for logs, IDs of a trace, a request or an attempt, and who wrote the client.
const irrelevantHeaders =
  /^(x-amzn-bedrock-request-metadata|traceparent|tracestate|baggage|b3|x-b3-.*|x-amzn-trace-id|x-cloud-trace-context|sentry-trace|x-(request|correlation)-id|idempotency-key|(x-amz-)?user-agent|amz-sdk-.*|x-stainless-.*)$/
// What tells a gateway who is asking.
const credentialHeaders = /auth|token|key|secret|password|cookie|credential|session|signature/

/** The key of a call: the same for calls that are to have the same answer, another one for any others. */
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

// AWS keys are told by their ID or account, which are no secrets. An API key is one as a whole.
async function callerOf({ identity }: MiddlewareContext, scope: CacheScope): Promise<JsonValue> {
  const who = await identity()
  if (scope === 'account') {
    const account = who && 'accountId' in who ? who.accountId : undefined
    if (account) return { account }
    throw new ConfigurationError("The response cache's scope is 'account', but the credentials name no account", {
      hint: "Set accountId or AWS_ACCOUNT_ID beside the keys, or use scope: 'store' with a namespace of your own.",
    })
  }
  if (!who) return null
  return 'token' in who ? { token: await unlinkable(who.token) } : { accessKeyId: who.accessKeyId }
}

let salt: string | undefined

// A secret's hash may be guessed by trying, so it is bound to this process: elsewhere the same secret has another one.
async function unlinkable(secret: JsonValue): Promise<string | null> {
  if (Array.isArray(secret) && secret.length === 0) return null
  salt ??= crypto.randomUUID()
  return sha256Hex(salt + canonical(secret))
}

/** JSON with the members of every object in one order. */
function canonical(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isJsonObject(value)) return JSON.stringify(value) ?? 'null'
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`
}

// As JSON has it: `toJSON` is asked, functions are left out.
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
