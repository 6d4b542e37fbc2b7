import type { JsonObject, ResponseMetadata } from '../types.ts'
import type { Message } from './types.ts'

/** Attaches the metadata to a message as a non-enumerable property. */
export function attachMetadata(message: JsonObject, metadata: ResponseMetadata): Message {
  return Object.defineProperty(message, 'metadata', {
    value: metadata,
    enumerable: false,
    configurable: true,
  }) as unknown as Message
}
