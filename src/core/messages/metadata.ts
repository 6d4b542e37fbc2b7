import type { JsonObject, ResponseMetadata } from '../types.ts'
import type { Message } from './types.ts'

/** Puts the metadata on a message, where neither JSON nor a copy sees it. */
export function attachMetadata(message: JsonObject, metadata: ResponseMetadata): Message {
  return Object.defineProperty(message, 'metadata', {
    value: metadata,
    enumerable: false,
    configurable: true,
  }) as unknown as Message
}
