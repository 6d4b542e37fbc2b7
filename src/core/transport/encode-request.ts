import { ConfigurationError } from '../errors.ts'
import type { HttpRequest } from '../internal/http.ts'
import { encodeJson } from '../internal/json.ts'
import { operations } from '../internal/operations.ts'
import type { BedrockRequest, JsonObject, ModelRef } from '../types.ts'
import { encodeBase64 } from '#platform'

// InvokeModel's `body` in AWS's service model: 0 to 25,000,000 bytes.
const maxBodyBytes = 25_000_000

/** Encodes a logical call for the wire. @throws ConfigurationError for what Bedrock could not even route. */
export function encodeRequest(request: BedrockRequest, model: ModelRef, baseUrl: string): HttpRequest {
  const traits = operations[request.operation]
  if (!traits) throw new ConfigurationError(`Not an operation: ${JSON.stringify(request.operation)}`)
  const { path, answers, generates } = traits
  // Bedrock counts for base models only; a profile's or an ARN's tokens are its base model's.
  const id = (!generates && model.base) || model.id
  const body = encodeBody(request.body)
  return {
    method: 'POST',
    url: `${baseUrl}/model/${encodeModelId(id)}/${path}`,
    headers: {
      'content-type': 'application/json',
      // The stream's own content type is the event stream; what the model answers inside it goes by another name.
      [answers === 'stream' ? 'x-amzn-bedrock-accept' : 'accept']: 'application/json',
      ...request.headers,
    },
    body: generates ? body : `{"input":{"invokeModel":{"body":"${encodeBase64(new TextEncoder().encode(body))}"}}}`,
  }
}

/**
 * Encodes a model ID as one path segment: an unencoded `/` of an ARN would make it several.
 *
 * @throws ConfigurationError for an ID that would not stay in its segment.
 */
export function encodeModelId(id: string): string {
  if (typeof id !== 'string' || !id || id.length > 2048 || /^\.+$|^;|[\p{Cc}\p{Cs}\s]/u.test(id)) {
    throw new ConfigurationError(`Not a model ID: ${JSON.stringify(String(id).slice(0, 100))}`, {
      hint: 'Give a model ID, an inference profile ID or an ARN, as the Bedrock console shows it.',
    })
  }
  return encodeURIComponent(id)
}

function encodeBody(body: JsonObject): string {
  const text = encodeJson(body)
  // A character has three bytes at most: few bodies have to be measured.
  const size = text.length * 3 > maxBodyBytes ? new TextEncoder().encode(text).length : 0
  if (size > maxBodyBytes) {
    throw new ConfigurationError(`The body has ${size} bytes; Bedrock takes at most ${maxBodyBytes}`, {
      hint: 'Shorten the conversation, or send fewer or smaller images and documents.',
    })
  }
  return text
}
