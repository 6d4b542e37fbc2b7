import { ConfigurationError } from '../errors.ts'
import type { HttpRequest } from '../internal/http.ts'
import { encodeJson } from '../internal/json.ts'
import { operations } from '../internal/operations.ts'
import type { BedrockRequest, JsonObject, ModelRef } from '../types.ts'
import { encodeBase64 } from '#platform'

// InvokeModel's `body` in AWS's service model: 0 to 25,000,000 bytes.
const maxBodyBytes = 25_000_000

/** Encodes a logical call as an HTTP request. @throws ConfigurationError for a call that Bedrock cannot route. */
export function encodeRequest(request: BedrockRequest, model: ModelRef, baseUrl: string): HttpRequest {
  const traits = operations[request.operation]
  if (!traits) throw new ConfigurationError(`Not an operation: ${JSON.stringify(request.operation)}`)
  const { path, answers, generates } = traits
  // Bedrock counts tokens only for base models; a profile or ARN uses its base model.
  const id = (!generates && model.base) || model.id
  const body = encodeBody(request.body)
  return {
    method: 'POST',
    url: `${baseUrl}/model/${encodeModelId(id)}/${path}`,
    headers: {
      'content-type': 'application/json',
      // The response itself is an event stream; this header sets the content type of the model's output inside it.
      [answers === 'stream' ? 'x-amzn-bedrock-accept' : 'accept']: 'application/json',
      ...request.headers,
    },
    body: generates ? body : `{"input":{"invokeModel":{"body":"${encodeBase64(new TextEncoder().encode(body))}"}}}`,
  }
}

/**
 * Encodes a model ID as one path segment. An unencoded `/` in an ARN would make it several.
 *
 * @throws ConfigurationError for an ID that would not stay in its segment.
 */
export function encodeModelId(id: string): string {
  if (typeof id !== 'string' || !id || id.length > 2048 || /^\.+$|^;|[\p{Cc}\p{Cs}\s]/u.test(id)) {
    throw new ConfigurationError(`Not a model ID: ${JSON.stringify(String(id).slice(0, 100))}`, {
      hint: 'Use a model ID, inference profile ID or ARN.',
    })
  }
  return encodeURIComponent(id)
}

function encodeBody(body: JsonObject): string {
  const text = encodeJson(body)
  // A character has at most three bytes, so few bodies have to be measured.
  const size = text.length * 3 > maxBodyBytes ? new TextEncoder().encode(text).length : 0
  if (size > maxBodyBytes) {
    throw new ConfigurationError(`The body has ${size} bytes; Bedrock accepts at most ${maxBodyBytes}`, {
      hint: 'Shorten the conversation, or send fewer or smaller images and documents.',
    })
  }
  return text
}
