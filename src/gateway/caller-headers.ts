import { RefusedRequest } from '../anthropic/errors.ts'
import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject } from '../core/types.ts'
import type { Caller } from './caller.ts'

const guardrailConfig = 'amazon-bedrock-guardrailConfig'
const guardrailIdentifier = 'x-amzn-bedrock-guardrailidentifier'
const requestMetadata = 'x-amzn-bedrock-request-metadata'

/**
 * Refuses a body that would weaken the guardrail that its caller is held to: the field chooses which parts of a prompt
 * are checked, and whether a stream waits for the check.
 *
 * @throws RefusedRequest
 */
export function assertNoGuardrailConfig(caller: Caller | undefined, body: JsonObject): void {
  if (!caller?.guardrail || !Object.hasOwn(body, guardrailConfig)) return
  throw new RefusedRequest(400, `${guardrailConfig}: this key has a guardrail that its calls cannot change`)
}

/**
 * What a caller's calls go out with: the guardrail and the metadata that are set for it.
 *
 * @param given - those of the caller's request
 * @throws RefusedRequest where the request names another guardrail, which would not be the one that is applied
 */
export function callerHeaders(caller: Caller | undefined, given: Headers = new Headers()): Record<string, string> {
  const { guardrail, metadata } = caller ?? {}
  const named = given.get(guardrailIdentifier)
  if (guardrail && named !== null && named !== guardrail.identifier)
    throw new RefusedRequest(400, 'This key has a guardrail that its calls cannot change')
  return {
    ...(guardrail && {
      [guardrailIdentifier]: guardrail.identifier,
      'x-amzn-bedrock-guardrailversion': String(guardrail.version),
      'x-amzn-bedrock-trace': (guardrail.trace ?? 'disabled').toUpperCase(),
    }),
    ...(metadata && { [requestMetadata]: encodeMetadata({ ...metadataIn(given), ...metadata }) }),
  }
}

function metadataIn(given: Headers): JsonObject {
  const text = given.get(requestMetadata)
  if (text === null) return {}
  try {
    const metadata: unknown = JSON.parse(text)
    if (isJsonObject(metadata)) return metadata
  } catch {
    // As below.
  }
  throw new RefusedRequest(400, `${requestMetadata} must be a JSON object`)
}

/** A header carries Latin-1 alone. */
function encodeMetadata(metadata: JsonObject): string {
  const text = JSON.stringify(metadata).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  if (text.length > 8_500) throw new RefusedRequest(400, `${requestMetadata} has more than 8500 characters`)
  return text
}
