import { RefusedRequest } from '../anthropic/errors.ts'
import { asciiJson, parseJsonObject } from '../core/internal/json.ts'
import type { JsonObject } from '../core/types.ts'
import type { Caller } from './caller.ts'

const guardrailConfig = 'amazon-bedrock-guardrailConfig'
const guardrailIdentifier = 'x-amzn-bedrock-guardrailidentifier'
const requestMetadata = 'x-amzn-bedrock-request-metadata'

/**
 * Rejects a body that would weaken its caller's guardrail: the field selects the parts of a prompt to check, and
 * whether a stream waits for the check.
 *
 * @throws RefusedRequest
 */
export function assertNoGuardrailConfig(caller: Caller | undefined, body: JsonObject): void {
  if (!caller?.guardrail || !Object.hasOwn(body, guardrailConfig)) return
  throw new RefusedRequest(400, `${guardrailConfig}: this key has a guardrail that its calls cannot change`)
}

/**
 * Returns the headers that are set for a caller's calls: the guardrail and the metadata.
 *
 * @param given - the headers of the caller's request
 * @throws RefusedRequest if the request names another guardrail, which would not be applied
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
  const metadata = parseJsonObject(text)
  if (metadata) return metadata
  throw new RefusedRequest(400, `${requestMetadata} must be a JSON object`)
}

function encodeMetadata(metadata: JsonObject): string {
  const text = asciiJson(metadata)
  if (text.length > 8_500) throw new RefusedRequest(400, `${requestMetadata} has more than 8500 characters`)
  return text
}
